from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.errors import BrokenRetrievalSet
from pipeline.language.retrieval import read_benchmark, write_benchmark
from pipeline.language.retrieval.benchmark import MASKS, QUERIES, Benchmark, chosen
from tests.foreign import foreign_folder, lost


def test_files_come_back_as_written(benchmark: Benchmark, tmp_path: Path):
    quoted = benchmark.queries[0].model_copy(update={"text": 'a "big", old\nsofa'})
    written = replace(benchmark, queries=(quoted, *benchmark.queries[1:]))
    write_benchmark(tmp_path, written)
    read = read_benchmark(tmp_path)
    assert read.queries == written.queries
    for name in ("grid_from_camera", "occupied", "visible", "mask"):
        assert np.array_equal(getattr(read, name), getattr(written, name))


@pytest.mark.parametrize("name", [QUERIES, MASKS])
def test_a_folder_of_foreign_files_is_no_place_for_a_benchmark_where_names_meet(
    benchmark: Benchmark, tmp_path: Path, name: str
):
    before = foreign_folder(tmp_path, name, "queries.part", "masks.part")
    with pytest.raises(BrokenRetrievalSet, match="name another folder"):
        write_benchmark(tmp_path, benchmark)
    (tmp_path / name).unlink()
    for _ in range(2):
        write_benchmark(tmp_path, benchmark)
    assert lost(before, tmp_path) == [name], "replaced only once it was moved away"


def spoiled_masks(**changes: Callable[[np.ndarray], np.ndarray]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        with np.load(folder / MASKS) as stored:
            arrays = {name: changes.get(name, lambda rows: rows)(stored[name]) for name in stored.files}
        np.savez_compressed(folder / MASKS, **arrays)

    return spoil


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / QUERIES).unlink(), r"cannot read .*queries\.csv"),
        (lambda folder: (folder / MASKS).write_bytes(b"PK"), r"cannot read .*masks\.npz"),
        (lambda folder: (folder / QUERIES).write_text("text,video_id\n"), "0 queries"),
        (
            lambda folder: (folder / QUERIES).write_text("text,video_id,frame_index,split\na,../../etc,1,test\n"),
            "video_id",
        ),
        (spoiled_masks(mask=np.zeros_like), "empty"),
        (spoiled_masks(occupied=np.zeros_like), "leave the occupied"),
        (spoiled_masks(mask=lambda rows: rows[:, :9]), "not .*60, 60, 36"),
        (spoiled_masks(visible=lambda rows: rows.astype(np.uint8)), "bool"),
        (spoiled_masks(grid_from_camera=lambda rows: rows * 2), "rigid"),
        (spoiled_masks(mask=lambda rows: np.concatenate([rows, rows])), "too large"),
        (spoiled_masks(visible=lambda rows: np.array([{"a": 1}] * len(rows), object)), "cannot read|too large"),
    ],
)
def test_broken_files_are_named(benchmark: Benchmark, tmp_path: Path, spoil: Callable[[Path], None], message: str):
    write_benchmark(tmp_path, chosen(benchmark, [0, 1]))
    spoil(tmp_path)
    with pytest.raises(BrokenRetrievalSet, match=message):
        read_benchmark(tmp_path)
