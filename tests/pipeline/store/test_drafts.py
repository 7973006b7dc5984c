"""Drafts: what dead processes of this machine left is removed, and nothing else ever."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.store.drafts import FOLDER, draft_in, remove_tree, sweep
from pipeline.store.files import Files
from tests.paths import ROOT

WRITES_UNTIL_KILLED = """
import sys
from pathlib import Path
from pipeline.store.drafts import draft_in
with draft_in(Path(sys.argv[1])) as draft:
    draft.write_bytes(b"half")
    print(draft, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def left_behind(tmp_path: Path) -> Path:
    """The draft of a process that was killed."""
    command = [sys.executable, "-c", WRITES_UNTIL_KILLED, str(tmp_path)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    draft = Path(process.stdout.readline().strip())
    sweep(tmp_path / FOLDER)
    assert draft.exists(), "its process lives"
    process.send_signal(signal.SIGKILL)
    process.wait()
    return draft


def test_a_draft_is_there_until_it_is_moved_or_its_block_ends(tmp_path: Path):
    with draft_in(tmp_path) as draft:
        draft.write_bytes(b"whole")
        draft.rename(tmp_path / "place")
    with pytest.raises(KeyError), draft_in(tmp_path) as draft:
        draft.write_bytes(b"half")
        raise KeyError
    assert (tmp_path / "place").read_bytes() == b"whole"
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_what_a_killed_process_left_is_removed_by_the_next_that_writes(left_behind: Path):
    Files(left_behind.parents[1] / "data", scratch=left_behind.parents[1]).write_bytes(b"note", "note.json")
    assert not left_behind.exists()


def test_no_file_of_anybody_else_is_removed(left_behind: Path):
    folder, dead = left_behind.parent, left_behind.name.rsplit("-", 1)[0]
    others = [
        "notes.part",
        left_behind.name.replace(dead, f"another-host-{dead.rsplit('-', 1)[1]}"),
        f"{dead}-0123456789abcdef.part.bak",
        f"{dead}-0123.part",
        f"{dead.rsplit('-', 1)[0]}-{os.getpid()}-0123456789abcdef.part",
        f"{dead.rsplit('-', 1)[0]}-1-0123456789abcdef.part",
    ]
    for name in others:
        (folder / name).write_bytes(b"theirs")
    sweep(folder)
    assert sorted(path.name for path in folder.iterdir()) == sorted(others)


def test_a_folder_goes_with_what_it_holds_and_links_out_of_it_stay_where_they_lead(tmp_path: Path):
    folder, elsewhere = tmp_path / "ours", tmp_path / "elsewhere"
    (folder / "deep").mkdir(parents=True)
    elsewhere.mkdir()
    (elsewhere / "document").write_text("not ours")
    (folder / "link").symlink_to(elsewhere)
    remove_tree(folder)
    assert not folder.exists()
    assert (elsewhere / "document").read_text() == "not ours"
    remove_tree(folder)
    folder.symlink_to(elsewhere)
    with pytest.raises(OSError, match="link"):
        remove_tree(folder)
    assert (elsewhere / "document").exists()
