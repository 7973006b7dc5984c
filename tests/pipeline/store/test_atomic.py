"""Writes happen whole or not at all, whatever goes wrong on the way."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.contract.errors import DiskFull, StorageFailed
from pipeline.store.atomic import ADVICE, NO_SPACE, disk_errors, flush, replacing
from tests.paths import ROOT
from tests.pipeline.small_files import files_limited_to

KILLED_HALF_WAY = """
import os, signal, sys
from pathlib import Path
from pipeline.store.atomic import replacing
with replacing(Path(sys.argv[1]), durable=True) as draft:
    draft.write_text("new and only ha")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def note(tmp_path: Path) -> Path:
    path = tmp_path / "note.json"
    path.write_text("old")
    return path


@pytest.mark.parametrize("durable", [False, True])
def test_the_old_content_holds_until_the_block_ends(note: Path, durable: bool):
    with replacing(note, durable=durable) as draft:
        draft.write_text("new")
        assert note.read_text(encoding="utf-8") == "old"
        assert draft.parent == note.parent, "a rename within one folder is atomic"
    assert note.read_text(encoding="utf-8") == "new"
    assert list(note.parent.iterdir()) == [note]


@pytest.mark.parametrize("durable", [False, True])
def test_an_error_leaves_the_old_content_and_no_draft(note: Path, durable: bool):
    with pytest.raises(KeyError), replacing(note, durable=durable) as draft:
        draft.write_text("new")
        raise KeyError
    assert note.read_text(encoding="utf-8") == "old"
    assert list(note.parent.iterdir()) == [note]


def test_a_block_that_writes_nothing_is_an_error_and_changes_nothing(note: Path):
    with pytest.raises(FileNotFoundError), replacing(note):
        pass
    assert note.read_text(encoding="utf-8") == "old"


def test_drafts_of_two_writers_do_not_meet_and_the_last_to_end_stays(note: Path):
    with replacing(note) as first, replacing(note) as second:
        first.write_text("first")
        second.write_text("second")
        assert first != second
    assert note.read_text(encoding="utf-8") == "first", "the outer block ends last"


def test_a_writer_that_is_killed_leaves_the_old_content(note: Path):
    ended = subprocess.run([sys.executable, "-c", KILLED_HALF_WAY, str(note)], cwd=ROOT, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert note.read_text(encoding="utf-8") == "old"
    (left,) = set(note.parent.iterdir()) - {note}
    assert left.suffix == ".part", "what is left is known for what it is, and nobody reads it"


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_files_and_folders_are_flushed_and_what_is_missing_is_not(note: Path):
    before = open_files()
    flush(note)
    flush(note.parent)
    with pytest.raises(FileNotFoundError):
        flush(note.with_name("missing"))
    assert open_files() == before, "no file stays open"


def test_a_file_that_may_not_grow_is_a_full_disk(note: Path):
    refused = pytest.raises(DiskFull, match="YOUTUBE_OCC_DATA")
    with files_limited_to(1000), refused as full, disk_errors(), replacing(note) as draft:
        draft.write_bytes(bytes(2000))
    assert isinstance(full.value.__cause__, OSError)
    assert note.read_text(encoding="utf-8") == "old"


@pytest.mark.parametrize("number", NO_SPACE)
def test_every_way_of_having_no_space_is_told(number: int):
    with pytest.raises(DiskFull), disk_errors():
        raise OSError(number, os.strerror(number))


def test_other_errors_pass_as_they_are(tmp_path: Path):
    with pytest.raises(NotADirectoryError), disk_errors():
        (tmp_path / "a").write_text("")
        (tmp_path / "a" / "b").write_text("")
    with pytest.raises(ValueError, match="no error of the disk"), disk_errors():
        raise ValueError("no error of the disk")
    assert errno.EACCES not in NO_SPACE


@pytest.mark.parametrize("number", ADVICE, ids=errno.errorcode.get)
def test_what_a_disk_refuses_says_what_to_do_and_may_pass(number: int):
    with pytest.raises(StorageFailed) as told, disk_errors():
        raise OSError(number, os.strerror(number), "note")
    assert "'note'" in str(told.value)
    assert ADVICE[number] in str(told.value)


def test_other_errors_stay_what_they_are():
    with pytest.raises(IsADirectoryError), disk_errors():
        raise IsADirectoryError(errno.EISDIR, "a folder", "note")
