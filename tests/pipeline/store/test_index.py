"""The dataset's own files: the summary, its Markdown, and the first video of the index."""

from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.contract.classes import COUNTED_CLASSES
from pipeline.contract.errors import CorruptStore
from pipeline.store.index import (
    CLASS_COLUMNS,
    INDEX,
    INDEX_SCHEMA,
    SUMMARY,
    ClassStatistics,
    DatasetSummary,
    LeftOutEntry,
    first_video,
    read_summary,
    write_summary,
)
from pipeline.store.indexed import as_indexed, same_as_indexed
from pipeline.store.store import Store

LEFT_OUT = (
    LeftOutEntry(video_id="tour-7", stage="indoor_clips", clip_id=3, code="NotIndoor", detail="P(indoor) 0.10 < 0.50"),
    LeftOutEntry(video_id="tour-8", stage="video", clip_id=None, code="DownloadGone", detail="it was removed"),
)
SUMMARY_OF_TWO = DatasetSummary(
    version="0123abcd",
    created="2026-01-02T03:04:05+00:00",
    videos=2,
    clips=3,
    frames=40,
    frames_by_split={"train": 30, "validation": 10},
    classes={"wall": ClassStatistics(voxels=900, frames=40), "bed": ClassStatistics()},
    left_out=LEFT_OUT,
)


def index_of(*video_ids: str) -> pa.Table:
    rows = [
        dict.fromkeys(INDEX_SCHEMA.names) | {"video_id": video_id, "row": i} for i, video_id in enumerate(video_ids)
    ]
    return pa.Table.from_pylist(rows, INDEX_SCHEMA)


def test_a_summary_reads_back_as_it_was_written(tmp_path: Path):
    store = Store(tmp_path)
    assert read_summary(store) is None
    write_summary(store, SUMMARY_OF_TWO)
    assert read_summary(store) == SUMMARY_OF_TWO
    assert (tmp_path / "dataset" / "summary.json").exists()


def test_a_summary_with_what_nobody_knows_is_refused(tmp_path: Path):
    store = Store(tmp_path)
    for content in (b'{"version": "1"}', b'{"mood": "good"}', b"{"):
        store.write_bytes(content, *SUMMARY)
        with pytest.raises(CorruptStore):
            read_summary(store)


def test_the_table_names_totals_classes_and_what_was_left_out():
    lines = SUMMARY_OF_TWO.table().splitlines()
    assert lines[0] == "dataset 0123abcd: 2 videos, 3 clips, 40 frames (train 30, validation 10)"
    assert "| wall | 900 | 40 |" in lines
    assert "| bed | 0 | 0 |" in lines
    assert "| tour-7 clip 3 | indoor_clips | NotIndoor: P(indoor) 0.10 < 0.50 |" in lines
    assert "| tour-8 | video | DownloadGone: it was removed |" in lines, "a whole video has no clip"


def test_where_nothing_was_left_out_nothing_is_said_of_it():
    assert "left out" not in SUMMARY_OF_TWO.model_copy(update={"left_out": ()}).table()


def test_the_index_has_a_column_for_every_class_that_is_counted():
    assert [f"voxels_{c.name.lower()}" for c in COUNTED_CLASSES] == list(CLASS_COLUMNS)
    assert set(CLASS_COLUMNS) <= set(INDEX_SCHEMA.names)
    assert len(INDEX_SCHEMA.names) == len(set(INDEX_SCHEMA.names))


def test_a_group_is_the_indexed_one_where_its_fingerprint_is_noted_so():
    indexed = as_indexed({"scene": "2", "frames": "1"})
    assert indexed == '{"frames": "1", "scene": "2"}'
    assert same_as_indexed("scene", {"fingerprint": "2"}, indexed)
    assert not same_as_indexed("scene", {"fingerprint": "1"}, indexed)
    assert not same_as_indexed("scene", {}, indexed)
    assert same_as_indexed("language", {"fingerprint": "9"}, indexed), "which the index does not name"
    assert same_as_indexed("scene", {"fingerprint": "9"}, ""), "an index of release 0.1 notes nothing"


def test_the_first_video_is_that_of_the_first_row(tmp_path: Path):
    store = Store(tmp_path)
    assert first_video(store) is None
    store.write_table(index_of(), *INDEX)
    assert first_video(store) is None, "an index without a row"
    store.write_table(index_of("tour-9", "tour-1"), *INDEX)
    assert first_video(store) == "tour-9"
