from pathlib import Path

import numpy as np
import pytest

from models.paging import on_disk, release


def test_what_was_written_is_still_there_after_its_pages_are_let_go(tmp_path: Path):
    maps = np.lib.format.open_memmap(tmp_path / "maps.npy", mode="w+", dtype=np.float16, shape=(64, 4096))
    maps[:] = np.arange(64)[:, None]
    before = resident_file_pages()
    release(maps)
    assert resident_file_pages() < before
    assert (maps == np.arange(64)[:, None]).all()
    assert (np.load(tmp_path / "maps.npy")[:, 0] == np.arange(64)).all()


def test_an_array_on_disk_takes_no_memory_leaves_no_file_and_is_as_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    maps = on_disk((64, 4096))
    assert list(tmp_path.iterdir()) == []
    assert maps.shape == (64, 4096)
    assert not maps.any()
    maps[:] = np.arange(64)[:, None]
    before = resident_file_pages()
    release(maps)
    assert resident_file_pages() < before
    assert (maps == np.arange(64)[:, None]).all()
    assert on_disk((0, 3)).shape == (0, 3)


def test_a_full_disk_is_an_error_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises((OSError, OverflowError)):
        on_disk((2**59,))


def test_arrays_in_memory_are_left_alone():
    values = np.ones(3)
    release(values, values[:2])
    assert values.sum() == 3


def resident_file_pages() -> int:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssFile"))
