"""Results of stages: they appear with what they say of themselves, or the store stays as it was."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.contract.errors import CorruptStore
from pipeline.store.outputs import (
    PROVENANCE,
    GroupOutput,
    SourceDraft,
    SourceOutput,
    TableDraft,
    TableOutput,
    provenance,
)
from pipeline.store.provenance import Provenance
from pipeline.store.store import Store
from pipeline.store.video import VideoStore
from tests.paths import ROOT

GROUP, TABLE, SOURCE = GroupOutput("scene"), TableOutput("clips.parquet"), SourceOutput()
ALL = pytest.mark.parametrize("output", [GROUP, TABLE, SOURCE])

KILLED_WHILE_PLACING = """
import os, signal, sys
from pipeline.store.outputs import SourceOutput
from pipeline.store.store import Store

class Killed(Store):
    def place(self, local, *parts):
        if parts[-1] == sys.argv[2]:
            os.kill(os.getpid(), signal.SIGKILL)
        super().place(local, *parts)

with SourceOutput().draft(Killed(sys.argv[1]).video("a")) as draft:
    (draft.folder / "source.mp4").write_bytes(b"second film")
    draft.notes["title"] = "second"
"""


@pytest.fixture
def video(tmp_path: Path) -> VideoStore:
    return Store(tmp_path).video("a")


def noted(name: str) -> dict[str, Any]:
    made = Provenance(
        stage=name,
        backend="by hand",
        code_version="1",
        settings={"x": [1, 2]},
        weights={},
        fingerprint="0123456789abcdef",
        seconds=0.5,
        counts={"clips": 2},
        created="2026-01-01T00:00:00+00:00",
    )
    return made.model_dump(mode="json")


def fill(output: Any, video: VideoStore, content: int) -> None:
    """Store a result that holds one number."""
    with output.draft(video) as draft:
        if output is GROUP:
            draft.append("depth", np.full((2, 3), content))
        elif output is TABLE:
            draft.table = pa.table({"clip_id": [content]}).replace_schema_metadata({"scored_by": "x"})
        else:
            (draft.folder / "source.mp4").write_bytes(bytes([content]))
            draft.notes.update({"title": "film", "number": content})
        draft.attributes.update(noted(output.name))


def content_of(output: Any, video: VideoStore) -> int:
    if output is GROUP:
        return int(video.read("scene", "depth")[0, 0])
    if output is TABLE:
        return int(video.read_table("clips.parquet")["clip_id"][0].as_py())
    with video.local_file("source.mp4") as path:
        return path.read_bytes()[0]


@ALL
def test_a_result_appears_with_what_it_says_of_itself(video: VideoStore, output: Any):
    assert output.noted(video) is None
    assert provenance(video, output) is None
    fill(output, video, 3)
    assert content_of(output, video) == 3
    assert output.noted(video) == noted(output.name)
    found = provenance(video, output)
    assert found is not None
    assert (found.stage, found.settings, found.counts) == (output.name, {"x": [1, 2]}, {"clips": 2})


@ALL
def test_a_later_result_takes_the_place_of_the_earlier_one(video: VideoStore, output: Any):
    fill(output, video, 3)
    fill(output, video, 4)
    assert content_of(output, video) == 4


@ALL
def test_an_error_in_the_block_leaves_the_earlier_result(video: VideoStore, output: Any):
    fill(output, video, 3)
    with pytest.raises(KeyError), output.draft(video) as draft:
        draft.attributes.update(noted("other"))
        if output is GROUP:
            draft.append("depth", np.full((2, 3), 9))
        raise KeyError
    assert content_of(output, video) == 3
    assert output.noted(video) == noted(output.name)


@ALL
def test_a_result_that_is_set_aside_is_gone_and_kept(video: VideoStore, output: Any):
    fill(output, video, 3)
    place = output.set_aside(video)
    assert output.noted(video) is None
    assert Path(place).exists()
    fill(output, video, 4)
    assert content_of(output, video) == 4


def test_setting_one_result_aside_leaves_the_others(video: VideoStore):
    for output in (GROUP, TABLE, SOURCE):
        fill(output, video, 3)
    GROUP.set_aside(video)
    assert TABLE.noted(video)
    assert SOURCE.noted(video)


def test_a_table_keeps_its_own_metadata_beside_its_provenance(video: VideoStore):
    fill(TABLE, video, 3)
    assert set(video.read_table("clips.parquet").schema.metadata) == {b"scored_by", PROVENANCE.encode()}


def test_a_table_of_somebody_else_says_nothing_of_itself(video: VideoStore):
    video.write_table("clips.parquet", pa.table({"clip_id": [1]}))
    assert TABLE.noted(video) == {}
    assert provenance(video, TABLE) is None


def test_a_stage_that_makes_no_table_is_told(video: VideoStore):
    with pytest.raises(ValueError, match=r"no table was made for clips\.parquet"), TABLE.draft(video):
        pass
    assert not video.exists("clips.parquet")


def test_notes_of_a_source_stand_beside_its_provenance(video: VideoStore):
    fill(SOURCE, video, 3)
    content = video.read_json("source.json")
    assert (content["title"], content["number"], content[PROVENANCE]["stage"]) == ("film", 3, "source.json")


def test_what_arrived_of_a_source_outlives_an_error_to_be_taken_up_again(video: VideoStore):
    with pytest.raises(ConnectionError), SOURCE.draft(video) as draft:
        (draft.folder / "part").write_bytes(b"half")
        raise ConnectionError
    with SOURCE.draft(video) as draft:
        assert (draft.folder / "part").read_bytes() == b"half"
        (draft.folder / "part").rename(draft.folder / "source.mp4")
    assert not draft.folder.exists()


def test_a_source_without_a_film_is_an_error_and_has_no_notes(video: VideoStore):
    with pytest.raises(FileNotFoundError), SOURCE.draft(video) as draft:
        draft.notes["title"] = "film"
    assert SOURCE.noted(video) is None


@pytest.mark.parametrize("step", ["source.mp4", "source.json"])
def test_a_source_whose_placing_was_killed_is_none_until_it_is_placed(video: VideoStore, step: str):
    fill(SOURCE, video, 3)
    command = [sys.executable, "-c", KILLED_WHILE_PLACING, str(video.files.root), step]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    assert SOURCE.noted(video) is None, "no notes ever stand beside a film that they do not describe"
    fill(SOURCE, video, 5)
    assert content_of(SOURCE, video) == 5


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"provenance": {"stage": "video"}}', b'{"provenance": 3}'])
def test_a_damaged_note_counts_as_no_result(video: VideoStore, content: bytes):
    fill(SOURCE, video, 3)
    video.files.write_bytes(content, "videos", "a", "source.json")
    assert provenance(video, SOURCE) is None


def test_a_damaged_table_counts_as_no_result_and_says_so_where_it_is_read(video: VideoStore):
    fill(TABLE, video, 3)
    path = Path(video.files.path("videos", "a", "clips.parquet"))
    os.truncate(path, path.stat().st_size // 2)
    assert provenance(video, TABLE) is None
    with pytest.raises(CorruptStore):
        TABLE.noted(video)


def test_drafts_begin_empty_and_share_nothing(tmp_path: Path):
    first, second = TableDraft(), TableDraft()
    first.attributes["stage"] = "clips"
    assert (second.table, second.attributes) == (None, {})
    film, other = SourceDraft(tmp_path), SourceDraft(tmp_path)
    film.notes["title"] = film.attributes["stage"] = "film"
    assert (other.notes, other.attributes) == ({}, {})
