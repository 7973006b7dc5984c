"""What lies at a path, hashed once, remembered, and never mistaken for what replaced it."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from models.own_folder import find_own
from models.weights.contents import REMEMBERED, REMEMBERED_FROM_BYTES, checksum, contents, keep_checksum
from tests.foreign import foreign_folder, lost
from tests.paths import ROOT


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("YOUTUBE_OCC_WEIGHTS", str(tmp_path / "cache"))
    return tmp_path / "cache"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def in_another_process(path: Path) -> dict[str, str]:
    """What a process without a memory of its own says."""
    code = (
        "import json, pathlib, sys; from models.weights.contents import contents; "
        "print(json.dumps(contents(pathlib.Path(sys.argv[1]))))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    said = subprocess.run([sys.executable, "-c", code, path], check=True, capture_output=True, env=environment)
    return dict(json.loads(said.stdout))


def record_of(cache: Path) -> Path:
    folder = find_own(cache, REMEMBERED)
    assert folder is not None
    (record,) = folder.glob("*.json")
    return record


def saved(folder: Path, tensors: bytes = b"tensors") -> Path:
    """A network in a folder, as transformers saves one, with a picture beside it."""
    folder.mkdir()
    for name, content in {"model.safetensors": tensors, "config.json": b"{}", "sample.png": b"picture"}.items():
        (folder / name).write_bytes(content)
    return folder


def test_of_a_file_its_sha256_is_given_by_its_name(tmp_path: Path):
    (tmp_path / "a.pth").write_bytes(b"tensors")
    assert contents(tmp_path / "a.pth") == {"a.pth": sha256(b"tensors")}


def test_a_folder_with_a_released_moge_counts_by_it_and_by_no_other_file_of_its_kind(tmp_path: Path):
    for name in ("model.pt", "optimizer.pt", "card.md"):
        (tmp_path / name).write_bytes(name.encode())
    assert contents(tmp_path) == {"model.pt": sha256(b"model.pt")}


def test_of_a_folder_count_tensors_and_what_says_how_to_read_them(tmp_path: Path):
    folder = saved(tmp_path / "network")
    assert contents(folder) == {"config.json": sha256(b"{}"), "model.safetensors": sha256(b"tensors")}


def test_a_file_replaced_by_one_of_the_same_size_and_time_is_noticed_at_once(tmp_path: Path):
    path = tmp_path / "a.pth"
    for content in (b"first", b"other", b"third", b"first"):
        path.write_bytes(content)
        os.utime(path, ns=(10**18, 10**18))
        assert contents(path) == {"a.pth": sha256(content)}


def test_what_another_process_hashed_is_not_read_again_unless_it_changed(tmp_path: Path, cache: Path):
    path = tmp_path / "a.pth"
    path.write_bytes(b"tensors")
    in_another_process(path)
    noted = json.loads(record_of(cache).read_text())
    noted["files"]["a.pth"] |= {"sha256": "f" * 64, "hashed_ns": path.stat().st_ctime_ns + 3 * 10**9}
    record_of(cache).write_text(json.dumps(noted))
    assert in_another_process(path) == {"a.pth": "f" * 64}, "the file was not read"
    noted["files"]["a.pth"] |= {"hashed_ns": path.stat().st_ctime_ns + 10**9}
    record_of(cache).write_text(json.dumps(noted))
    assert in_another_process(path) == {"a.pth": sha256(b"tensors")}, "it may have changed within a tick of its clock"


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"path": "/elsewhere", "files": {}}'])
def test_a_damaged_or_foreign_record_is_as_good_as_none(tmp_path: Path, cache: Path, content: bytes):
    path = tmp_path / "a.pth"
    path.write_bytes(b"tensors")
    in_another_process(path)
    record_of(cache).write_bytes(content)
    assert in_another_process(path) == {"a.pth": sha256(b"tensors")}


def test_what_is_away_is_what_it_was_last_also_to_other_processes(tmp_path: Path):
    folder, file = saved(tmp_path / "network"), tmp_path / "a.pth"
    file.write_bytes(b"tensors")
    before = contents(folder), contents(file)
    folder.rename(tmp_path / "elsewhere")
    file.unlink()
    assert (contents(folder), contents(file)) == before
    assert (in_another_process(folder), in_another_process(file)) == before
    folder.mkdir()
    assert contents(folder) == before[0], "the place of a file system that is not mounted"
    (tmp_path / "elsewhere" / "model.safetensors").replace(folder / "model.safetensors")
    assert contents(folder) == {"model.safetensors": sha256(b"tensors")}


def test_of_what_was_never_there_nothing_is_known(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "nothing.pth", tmp_path, tmp_path / "pipe"):
        assert contents(path) == {}


def test_a_cache_folder_that_cannot_be_written_costs_reading_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "a.pth").write_bytes(b"tensors")
    monkeypatch.setenv("YOUTUBE_OCC_WEIGHTS", str(tmp_path / "a.pth" / "below-a-file"))
    assert contents(tmp_path / "a.pth") == in_another_process(tmp_path / "a.pth") == {"a.pth": sha256(b"tensors")}


def test_what_lies_in_the_cache_folder_stays(tmp_path: Path, cache: Path):
    before = foreign_folder(cache, "thesis.pdf", f"{REMEMBERED}/photo.jpg")
    (tmp_path / "a.pth").write_bytes(b"tensors")
    contents(tmp_path / "a.pth")
    assert lost(before, cache) == []
    assert record_of(cache).parent.name == f"{REMEMBERED}-2"


LARGE = bytes(REMEMBERED_FROM_BYTES)


def bytes_read() -> int:
    return int(re.search(r"rchar: (\d+)", Path("/proc/self/io").read_text(encoding="utf-8"))[1])


def test_a_large_file_is_read_once_a_process_until_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("YOUTUBE_OCC_WEIGHTS", str(tmp_path / "weights"))
    (tmp_path / "large.pth").write_bytes(LARGE)
    before = bytes_read()
    found = {checksum(tmp_path / "large.pth") for _ in range(4)}
    assert found == {hashlib.sha256(LARGE).hexdigest()}
    assert len(LARGE) <= bytes_read() - before < 2 * len(LARGE)
    (tmp_path / "large.pth").write_bytes(LARGE[:-1] + b"x")
    assert checksum(tmp_path / "large.pth") not in found


def test_what_was_just_fetched_is_not_read_again_for_its_provenance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("YOUTUBE_OCC_WEIGHTS", str(tmp_path / "weights"))
    (tmp_path / "part").write_bytes(LARGE)
    found = checksum(tmp_path / "part")
    (tmp_path / "part").replace(tmp_path / "whole")
    keep_checksum(tmp_path / "whole", found)
    before = bytes_read()
    assert checksum(tmp_path / "whole") == found
    assert bytes_read() - before < len(LARGE)
