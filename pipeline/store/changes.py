"""Which videos may have changed since somebody looked, so that no one has to look at all of them.

A file a video in ``scratch/changes``. It is written when a video's lock is taken, with the process that holds it, and
again when the lock is let go; a failure that is noted without the lock writes it too. Whoever looks *takes* the files
first and drops them when what follows from them is written: what changes meanwhile has a file of its own again, and
what was taken by a process that died is taken once more.

Machines that share a bucket note what changes there, in ``changes``: every note has a name of its own, so that whoever
has looked deletes what was there then and nothing that came since. One that a video is held has always the same name,
which only the holder writes and deletes.
"""

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from pipeline.store.atomic import disk_errors, replacing
from pipeline.store.files import Files
from pipeline.store.objects import changed

_EPOCH = ".epoch"
_TAKEN = ".taken"
_BUCKET = "changes"
_HELD = "held"


class Noted(Protocol):
    """The videos that may have changed; one process at a time takes them."""

    def note(self, video_id: str, *, held: bool = False) -> None:
        """Write down that a video may have changed; ``held``: that this process goes on changing it."""

    def let_go(self, video_id: str) -> None:
        """Write down that this process has changed a video, which it no longer holds."""

    def epoch(self) -> str:
        """Return a name that is another one if what was noted before is lost."""

    def pending(self) -> set[str]:
        """Return the videos that may have changed; they stay so."""

    def take(self) -> set[str]:
        """Return the videos that may have changed, to be ``done`` with later."""

    def done(self, video_ids: Iterable[str]) -> None:
        """Drop what was taken; of a video that somebody still holds, it stays noted."""


def changes_of(files: Files) -> Noted:
    """Return what is noted of the videos of a folder or a bucket."""
    return FolderChanges(files) if files.is_local() else BucketChanges(files)


class FolderChanges:
    """The videos of a data folder that may have changed."""

    def __init__(self, files: Files) -> None:
        self._files, self._folder = files, files.scratch / "changes"

    def note(self, video_id: str, *, held: bool = False) -> None:
        """Write down that a video may have changed; ``held``: that this process goes on changing it."""
        with disk_errors():
            self._make()
            with replacing(self._folder / video_id, durable=held) as draft:
                draft.write_text(str(os.getpid()) if held else "")

    def let_go(self, video_id: str) -> None:
        """Write down that this process has changed a video, which it no longer holds."""
        self.note(video_id)

    def epoch(self) -> str:
        """Return a name that is another one if what was noted before is lost."""
        path = self._folder / _EPOCH
        with contextlib.suppress(FileNotFoundError):
            return path.read_text()
        self._make()
        with replacing(path) as draft:
            draft.write_text(uuid4().hex)
        return path.read_text()

    def pending(self) -> set[str]:
        """Return the videos that may have changed; they stay so."""
        return {*_names(self._folder), *_names(self._folder / _TAKEN)}

    def take(self) -> set[str]:
        """Return the videos that may have changed, to be ``done`` with later; for one process at a time."""
        taken = self._folder / _TAKEN
        for name in _names(self._folder):
            taken.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):
                (self._folder / name).replace(taken / name)
        return set(_names(taken))

    def done(self, video_ids: Iterable[str]) -> None:
        """Drop what was taken; of a video that a living process still holds, it is noted anew."""
        for video_id in video_ids:
            path = self._folder / _TAKEN / video_id
            with contextlib.suppress(FileNotFoundError):
                holder = path.read_text()
                if _lives(holder) and not (self._folder / video_id).exists():
                    with replacing(self._folder / video_id) as draft:
                        draft.write_text(holder)
                path.unlink()

    def _make(self) -> None:
        self._files.make_scratch()
        self._folder.mkdir(parents=True, exist_ok=True)


class BucketChanges:
    """The videos of a bucket that may have changed, on whichever machine."""

    def __init__(self, files: Files) -> None:
        self._files, self._objects, self._kept = files, files.shared, files.kept
        self._taken: dict[str, list[str]] = {}
        self._epoch_mark = ""

    def note(self, video_id: str, *, held: bool = False) -> None:
        """Write down that a video may have changed; ``held``: that this process goes on changing it."""
        self._objects.put(f"{_BUCKET}/{video_id}.{_HELD if held else uuid4().hex}", b"{}")

    def let_go(self, video_id: str) -> None:
        """Write down that this process has changed a video, which it no longer holds."""
        self.note(video_id)
        self._files.remove(_BUCKET, f"{video_id}.{_HELD}")

    def epoch(self) -> str:
        """Return a name that is another one if what was noted before is lost."""
        name = f"{_BUCKET}/{_EPOCH}"
        made = self._kept.get(name, self._epoch_mark) if self._epoch_mark else None
        if made is None:
            changed(self._objects, name, lambda stored: stored or uuid4().hex.encode())
            made, version = self._objects.get(name)
            self._kept.keep(name, version.mark, made)
        return made.decode()

    def pending(self) -> set[str]:
        """Return the videos that may have changed; they stay so."""
        return set(self._noted())

    def take(self) -> set[str]:
        """Return the videos that may have changed, to be ``done`` with later."""
        self._taken = self._noted()
        return set(self._taken)

    def done(self, video_ids: Iterable[str]) -> None:
        """Drop what was taken; that a video is held stays noted."""
        taken = [name for video_id in video_ids for name in self._taken.get(video_id, ())]
        self._files.tree.remove_all(f"{_BUCKET}/{name}" for name in taken if not name.endswith(f".{_HELD}"))

    def _noted(self) -> dict[str, list[str]]:
        """Return the names of notes by video."""
        listed, found = self._objects.listed(_BUCKET), dict[str, list[str]]()
        self._epoch_mark = listed[_EPOCH].version.mark if _EPOCH in listed else ""
        for name in listed.keys() - {_EPOCH}:
            found.setdefault(name.partition(".")[0], []).append(name)
        return found


def _names(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries if "." not in entry.name]


def _lives(process: str) -> bool:
    """Tell whether a process is alive; one that took over the number of a dead one only costs another look."""
    try:
        os.kill(int(process), 0)
    except (ValueError, ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
