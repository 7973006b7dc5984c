"""Groups as plain Zarr: shapes and types, how many files they take, and when they begin to exist."""

from pathlib import Path

import numpy as np
import pytest
import zarr

from pipeline.store.contents import GROUP_METADATA, LISTED
from pipeline.store.group_writer import CHUNKS_PER_SHARD, GroupWriter


def files_of(array: Path) -> list[Path]:
    return [path for path in array.rglob("*") if path.is_file() and path.name != GROUP_METADATA]


def test_rows_read_back_with_plain_zarr_in_the_order_they_came(tmp_path: Path):
    rows = np.arange(150 * 4 * 5, dtype=np.float32).reshape(150, 4, 5)
    writer = GroupWriter(tmp_path, {"stage": "scene"})
    for first, end in ((0, 7), (7, 100), (100, 150)):
        writer.append("depth", rows[first:end])
    writer.close()
    opened = zarr.open_group(tmp_path, mode="r")
    np.testing.assert_array_equal(opened["depth"][:], rows)
    assert opened["depth"].dtype == np.float32
    assert opened.attrs["stage"] == "scene"


@pytest.mark.parametrize("count", [1, CHUNKS_PER_SHARD, CHUNKS_PER_SHARD + 1, 3 * CHUNKS_PER_SHARD])
def test_many_frames_share_a_file_and_one_is_a_chunk(tmp_path: Path, count: int):
    writer = GroupWriter(tmp_path)
    writer.append("depth", np.ones((count, 6, 8), np.float16))
    writer.close()
    array = zarr.open_array(tmp_path / "depth", mode="r")
    assert array.chunks == (1, 6, 8)
    assert len(files_of(tmp_path / "depth")) == -(-count // CHUNKS_PER_SHARD)


def test_small_rows_share_a_chunk_where_asked(tmp_path: Path):
    writer = GroupWriter(tmp_path)
    for _ in range(3):
        writer.append("embeddings", np.ones((100, 16), np.float16), rows_per_chunk=256)
    writer.close()
    array = zarr.open_array(tmp_path / "embeddings", mode="r")
    assert (array.shape, array.chunks) == ((300, 16), (256, 16))
    assert len(files_of(tmp_path / "embeddings")) == 1


def test_full_shards_are_written_at_once_so_that_memory_stays_small(tmp_path: Path):
    writer = GroupWriter(tmp_path)
    for _ in range(2 * CHUNKS_PER_SHARD + 5):
        writer.append("rgb", np.zeros((1, 4, 4, 3), np.uint8) + 7)
        assert len(writer._waiting["rgb"]) < CHUNKS_PER_SHARD
    assert len(files_of(tmp_path / "rgb")) == 2, "five frames wait"
    writer.close()
    assert len(files_of(tmp_path / "rgb")) == 3


def test_the_type_of_the_first_rows_holds_for_all(tmp_path: Path):
    writer = GroupWriter(tmp_path)
    writer.append("score", np.array([0.5], np.float32))
    writer.append("score", np.array([0.25], np.float64))
    writer.close()
    assert zarr.open_array(tmp_path / "score", mode="r")[:].tolist() == [0.5, 0.25]
    assert zarr.open_array(tmp_path / "score", mode="r").dtype == np.float32


@pytest.mark.parametrize("later", [(2, 3, 5), (2, 3), (2, 3, 4, 1)])
def test_rows_of_another_shape_are_refused_by_name(tmp_path: Path, later: tuple[int, ...]):
    writer = GroupWriter(tmp_path)
    writer.append("depth", np.zeros((2, 3, 4)))
    with pytest.raises(ValueError, match=r"rows of depth have shape .* earlier ones \(3, 4\)"):
        writer.append("depth", np.zeros(later))


def test_an_array_without_a_row_has_its_shape_all_the_same(tmp_path: Path):
    writer = GroupWriter(tmp_path)
    writer.append("region_embeddings", np.zeros((0, 16), np.float16))
    writer.close()
    assert zarr.open_array(tmp_path / "region_embeddings", mode="r").shape == (0, 16)


def test_arrays_of_one_group_may_differ_in_length_and_kind(tmp_path: Path):
    writer = GroupWriter(tmp_path)
    writer.append("registered", np.array([True, False]))
    writer.append("offsets", np.arange(5))
    writer.close()
    group = zarr.open_group(tmp_path, mode="r")
    assert group["registered"][:].tolist() == [True, False]
    assert group["offsets"][:].tolist() == [0, 1, 2, 3, 4]


def test_the_group_exists_from_the_moment_it_is_closed_with_what_it_says_then(tmp_path: Path):
    given = {"stage": "scene"}
    writer = GroupWriter(tmp_path, given)
    writer.append("depth", np.ones((1, 2, 2)))
    assert not (tmp_path / GROUP_METADATA).exists()
    writer.attributes["counts"] = {"clips": 2}
    writer.close()
    noted = dict(zarr.open_group(tmp_path, mode="r").attrs)
    assert set(noted.pop(LISTED)) == {"depth/zarr.json", "depth/c/0/0/0"}
    assert noted == {"stage": "scene", "counts": {"clips": 2}}
    assert given == {"stage": "scene"}, "what was given stays as it was"
