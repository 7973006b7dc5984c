"""Notes of changes: nothing is looked at for nothing, and nothing that changed is missed, whoever dies when."""

import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from pipeline.contract.errors import BrokenVideo
from pipeline.stages.failures import forget_failure, record_death, record_failure
from pipeline.store.changes import FolderChanges
from pipeline.store.store import Store


def hold(folder: str, held: "multiprocessing.synchronize.Event") -> None:
    with Store(folder).video("a").locked():
        held.set()
        signal.pause()


@pytest.fixture
def changes(tmp_path: Path) -> FolderChanges:
    return FolderChanges(Store(tmp_path))


def test_whoever_takes_a_lock_has_changed_the_video(tmp_path: Path, changes: FolderChanges):
    with Store(tmp_path).video("a").locked():
        assert changes.pending() == {"a"}
    assert changes.take() == {"a"}
    changes.done({"a"})
    assert changes.pending() == set()


def test_a_failure_is_a_change_with_or_without_the_lock(tmp_path: Path, changes: FolderChanges):
    video = Store(tmp_path).video("a")
    for happens in (
        lambda: record_failure(video, "video", "w", BrokenVideo("no frame")),
        lambda: record_death(video, "w", "killed"),
        lambda: forget_failure(video),
    ):
        happens()
        assert changes.take() == {"a"}
        changes.done({"a"})


def test_what_changes_while_somebody_looks_is_looked_at_again(changes: FolderChanges):
    changes.note("a")
    taken = changes.take()
    changes.note("a")
    changes.done(taken)
    assert changes.take() == {"a"}


def test_what_a_process_took_that_died_is_taken_again(tmp_path: Path, changes: FolderChanges):
    changes.note("a")
    assert changes.take() == {"a"}
    assert FolderChanges(Store(tmp_path)).take() == {"a"}, "nobody said that it was done"


def test_a_video_that_is_being_worked_on_stays_changed_even_if_its_process_is_killed(
    tmp_path: Path, changes: FolderChanges
):
    processes = multiprocessing.get_context("forkserver")
    held = processes.Event()
    process = processes.Process(target=hold, args=(str(tmp_path), held))
    process.start()
    assert held.wait(60)
    changes.done(changes.take())
    assert changes.pending() == {"a"}, "its process goes on changing it"
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    assert changes.take() == {"a"}
    changes.done({"a"})
    assert changes.pending() == set()


def test_drafts_that_a_kill_left_are_no_videos(tmp_path: Path, changes: FolderChanges):
    changes.note("a")
    (tmp_path / "scratch" / "changes" / "b.0123.part").write_text("")
    assert changes.take() == {"a"}


def test_lost_notes_show_in_the_epoch(tmp_path: Path, changes: FolderChanges):
    import shutil

    first = changes.epoch()
    assert changes.epoch() == FolderChanges(Store(tmp_path)).epoch() == first
    shutil.rmtree(tmp_path / "scratch")
    assert changes.epoch() != first
