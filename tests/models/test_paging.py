from pathlib import Path

import numpy as np

from models.paging import release


def test_what_was_written_is_still_there_after_its_pages_are_let_go(tmp_path: Path):
    maps = np.lib.format.open_memmap(tmp_path / "maps.npy", mode="w+", dtype=np.float16, shape=(64, 4096))
    maps[:] = np.arange(64)[:, None]
    before = resident_file_pages()
    release(maps)
    assert resident_file_pages() < before
    assert (maps == np.arange(64)[:, None]).all()
    assert (np.load(tmp_path / "maps.npy")[:, 0] == np.arange(64)).all()


def test_arrays_in_memory_are_left_alone():
    values = np.ones(3)
    release(values, values[:2])
    assert values.sum() == 3


def resident_file_pages() -> int:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssFile"))
