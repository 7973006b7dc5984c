"""Rows of frames as columns: what they give is what tuples would, whatever split, step and files the index has."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.store.index import FILES, INDEX_SCHEMA, IndexFile, IndexFiles
from pipeline.store.store import Store
from training.data.frame_rows import FrameNames, FrameRows, frames_with_depth

Row = tuple[str, int, str, float, str | None]
BYTES_A_FRAME = 8


def _write_index(store: Store, files: list[list[Row]]) -> None:
    """Write an index of which each file has some rows; what is not asked for is zero or empty."""
    listed = []
    for number, rows in enumerate(files):
        given = dict(zip(("video_id", "row", "split", "depth_share", "made"), zip(*rows, strict=True), strict=True))
        columns = {field.name: given.get(field.name, [_nothing(field)] * len(rows)) for field in INDEX_SCHEMA}
        table = pa.Table.from_arrays([pa.array(columns[f.name], f.type) for f in INDEX_SCHEMA], schema=INDEX_SCHEMA)
        listed.append(IndexFile(name=f"index/{number}.parquet", first=rows[0][0]))
        store.write_table(table, "dataset", listed[-1].name)
    store.write_bytes(IndexFiles(files=tuple(listed), written="by hand").model_dump_json().encode(), *FILES)


def _nothing(field: pa.Field) -> object:
    return "" if pa.types.is_string(field.type) else None if pa.types.is_list(field.type) else 0


def _files(videos: int, frames: int, a_file: int) -> list[list[Row]]:
    rows: list[Row] = [
        (f"v{n:03d}", row, "train" if n % 3 else "validation", float((n + row) % 4 > 0), None if n == 2 else f"of {n}")
        for n in range(videos)
        for row in range(frames)
    ]
    return [rows[first : first + a_file * frames] for first in range(0, len(rows), a_file * frames)]


@pytest.mark.parametrize("split", ["train", "validation", "all"])
@pytest.mark.parametrize("every", [1, 3, 1000])
def test_columns_give_what_rows_would(tmp_path: Path, split: str, every: int):
    store, files = Store(tmp_path), _files(videos=7, frames=5, a_file=2)
    _write_index(store, files)
    rows, made = frames_with_depth(store, split, every)
    flat = [row for rows in files for row in rows if split in (row[2], "all") and row[3] > 0][::every]
    assert list(rows) == [(row[0], row[1]) for row in flat]
    assert made == {row[0]: row[4] or "" for row in flat}
    assert list(FrameNames(rows)) == [f"{row[0]}/{row[1]}" for row in flat]


def test_a_split_without_frames_has_no_videos(tmp_path: Path):
    _write_index(Store(tmp_path), [[("v0", 0, "train", 1.0, "of 0")]])
    rows, made = frames_with_depth(Store(tmp_path), "validation", 1)
    assert (list(rows), rows.videos, made) == ([], (), {})


frame_lists = st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 99)), max_size=30).map(sorted)


def _rows(frames: list[tuple[str, int]]) -> FrameRows:
    videos = tuple(sorted({video for video, _ in frames}))
    places = np.array([videos.index(video) for video, _ in frames], np.int32)
    return FrameRows(videos, places, np.array([row for _, row in frames], np.int32))


@given(frame_lists, st.slices(30), st.sets(st.sampled_from("abcde")))
def test_rows_are_a_sequence_of_tuples(frames: list[tuple[str, int]], part: slice, gone: set[str]):
    rows = _rows(frames)
    assert (len(rows), list(rows), list(rows[part])) == (len(frames), frames, frames[part])
    assert rows[part] == _rows(frames[part])
    left = [frame for frame in frames if frame[0] not in gone]
    assert rows.without(dict.fromkeys(gone)) == _rows(left)
    assert list(FrameNames(rows)[part]) == [f"{video}/{row}" for video, row in frames[part]]
    assert [rows[index] for index in range(-len(frames), len(frames))] == frames * 2
    with pytest.raises(IndexError):
        _ = rows[len(frames)]


def test_a_frame_takes_eight_bytes(tmp_path: Path):
    _write_index(Store(tmp_path), _files(videos=9, frames=50, a_file=3))
    rows, _ = frames_with_depth(Store(tmp_path), "all", 1)
    assert (rows.places.nbytes + rows.rows.nbytes) / len(rows) == BYTES_A_FRAME
