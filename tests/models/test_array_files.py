"""Arrays come back as they were, or the file is damaged: whatever zipfile, zlib, tokenize and NumPy say of it."""

import io
import resource
import zipfile
from pathlib import Path

import numpy as np
import pytest

from models.array_files import map_npy, read_npz
from models.errors import DamagedArrays


def member(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, array)
    return file.getvalue()


def archive(path: Path, content: bytes, method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", method) as made:
        made.writestr("a.npy", content)
    return path


def test_arrays_come_back_as_they_were(tmp_path: Path):
    given = {"a": np.arange(6.0).reshape(2, 3), "b": np.array(["x", "yz"]), "c": np.zeros((0, 3)), "d": np.array(3)}
    np.savez_compressed(tmp_path / "a.npz", **given)
    found = read_npz(tmp_path / "a.npz")
    assert found.keys() == given.keys()
    assert all(np.array_equal(found[name], array) and found[name].dtype == array.dtype for name, array in given.items())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"(6,)", b"(7,)"),
        (b"(6,)", b"(6,"),
        (b"(6,)", b"-6  "),
        (b"'<f8'", b"'|O' "),
        (b"'<f8'", b"'xx' "),
        (b"'<f8'", b"'<f8 "),
        (b"\x93NUMPY", b"\x93NUMPX"),
        (b"{'descr'", b"{{'desc'"),
        (b"False", b"Fal\xffe"),
    ],
)
def test_a_header_that_lies_or_is_none_is_damage(tmp_path: Path, old: bytes, new: bytes):
    content = member(np.arange(6.0))
    assert old in content
    changed = content.replace(old, new)
    with pytest.raises(DamagedArrays, match=r"a\.npz"):
        read_npz(archive(tmp_path / "a.npz", changed))
    (tmp_path / "a.npy").write_bytes(changed)
    if new != b"'|O' ":
        with pytest.raises(DamagedArrays, match=r"a\.npy"):
            map_npy(tmp_path / "a.npy")


def test_a_header_that_claims_a_terabyte_takes_no_memory(tmp_path: Path):
    content = member(np.arange(6.0)).replace(b"(6,), }" + b" " * 12, b"(137438953472,), }"[:19].ljust(19))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DamagedArrays, match="137438953472"):
        read_npz(archive(tmp_path / "a.npz", content))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000, "kilobytes"


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.95])
def test_a_file_cut_short_is_damaged(tmp_path: Path, share: float):
    path = archive(tmp_path / "a.npz", member(np.arange(600.0)), zipfile.ZIP_DEFLATED)
    path.write_bytes(path.read_bytes()[: round(share * path.stat().st_size)])
    with pytest.raises(DamagedArrays):
        read_npz(path)


def test_a_file_that_is_not_there_is_not_damaged(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        read_npz(tmp_path / "a.npz")
    with pytest.raises(FileNotFoundError):
        map_npy(tmp_path / "a.npy")
