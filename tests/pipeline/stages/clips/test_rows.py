from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.records import Clip, ClipScores
from pipeline.stages.clips.rows import clips_table
from pipeline.store.rows import stored_clips
from pipeline.store.store import Store

SCORES = ClipScores(0.02, 0.001, 0.5, 0.0, 0.1, None, 0.3, repeats=0.25)


def clip(clip_id: int, scores: ClipScores | None) -> Clip:
    index = np.array([3, 7, 12]) + 20 * clip_id
    return Clip(clip_id, int(index[0]), int(index[-1]) + 1, index, index / 8, np.ones(3, np.float32), 0.02, scores)


@pytest.mark.parametrize("scores", [(SCORES, SCORES), (None, None), (SCORES, None)])
def test_clips_read_back_as_they_were_stored(tmp_path: Path, scores: tuple[ClipScores | None, ...]):
    video = Store(tmp_path).video("a")
    clips = [clip(number, one) for number, one in enumerate(scores)]
    video.write_table("clips.parquet", clips_table(clips))
    for found, given in zip(stored_clips(video), clips, strict=True):
        for field in fields(Clip):
            assert np.array_equal(getattr(found, field.name), getattr(given, field.name)), field.name
        assert found.frame_index.dtype == given.frame_index.dtype


def test_a_table_has_a_row_a_clip_and_a_column_a_field():
    table = clips_table([clip(0, SCORES), replace(clip(4, SCORES), motion=0.5)])
    assert table.column_names == [field.name for field in fields(Clip)]
    assert table["clip_id"].to_pylist() == [0, 4]
    assert table["scores"][0].as_py()["repeats"] == 0.25
    assert table["frame_index"][1].as_py() == [83, 87, 92]
