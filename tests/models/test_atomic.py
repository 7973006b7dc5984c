import multiprocessing
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from models.atomic import SUFFIX, draft
from tests.paths import ROOT

LENGTH = 1 << 20
STOP_HALF_WAY = """
import sys
from pathlib import Path
from models.atomic import draft
with draft(Path(sys.argv[1])) as part:
    part.write_bytes(b"new, but only half")
    print("written", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("before", [None, b"old"])
def test_the_file_is_replaced_when_the_block_ends_and_not_before(tmp_path: Path, before: bytes | None):
    path = tmp_path / "file.npz"
    if before is not None:
        path.write_bytes(before)
    with draft(path) as part:
        part.write_bytes(b"new")
        assert part.parent == path.parent, "a rename is whole only within one file system"
        assert (path.read_bytes() if path.exists() else None) == before
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_leaves_the_old_file_and_no_draft(tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def write() -> None:
        with draft(path) as part:
            part.write_bytes(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_draft_that_was_not_written_is_an_error_and_leaves_the_old_file(tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(FileNotFoundError), draft(path):
        pass
    assert path.read_bytes() == b"old"


def test_the_file_may_be_read_by_whoever_may_read_others_of_this_user(tmp_path: Path):
    old = os.umask(0o022)
    try:
        with draft(tmp_path / "file") as part:
            part.touch()
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o644


def test_a_process_killed_half_way_leaves_the_old_file_and_a_draft_that_nobody_reads(tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    command = [sys.executable, "-c", STOP_HALF_WAY, str(path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"written\n"
        writer.send_signal(signal.SIGKILL)
    assert path.read_bytes() == b"old"
    (left,) = set(tmp_path.iterdir()) - {path}
    assert left.suffix == SUFFIX
    with draft(path) as part:
        part.write_bytes(b"new")
    assert path.read_bytes() == b"new"


def _write_often(path: Path, letter: bytes) -> None:
    for _ in range(30):
        with draft(path) as part:
            part.write_bytes(letter * LENGTH)


def test_readers_see_one_whole_file_of_several_writers(tmp_path: Path):
    path = tmp_path / "file"
    path.write_bytes(b"a" * LENGTH)
    fork = multiprocessing.get_context("fork")
    writers = [fork.Process(target=_write_often, args=(path, letter)) for letter in (b"b", b"c")]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        content = path.read_bytes()
        assert content in {letter * LENGTH for letter in (b"a", b"b", b"c")}
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert list(tmp_path.iterdir()) == [path]
