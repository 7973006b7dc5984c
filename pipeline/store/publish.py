"""A finished group takes its place: the new one is put beside the old one, one switch, then the old one is removed.

While that goes on, ``<video>/switching/<group>/`` holds ``new`` or ``old``. Whatever is killed when, one of the two is
whole, and ``finish_switches`` puts it in its place the next time the video is locked. Groups that turn out damaged are
moved to ``<video>/damaged/`` and stay there for whoever wants to look.
"""

import ctypes
import errno
import itertools
import os
import shutil
from pathlib import Path

from pipeline.store.atomic import flush
from pipeline.store.contents import GROUP_METADATA
from pipeline.store.files import Files
from pipeline.store.groups import SCENE_ZARR

SWITCHING = "switching"
DAMAGED = "damaged"

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2

PathParts = tuple[str, ...]


def publish(files: Files, video: PathParts, draft: Path, group: str) -> None:
    """Put the group that was written to the local folder ``draft`` in its place; ``video``: the folder of the video.

    Raises:
        OSError: it did not work; the group before is where it was.
    """
    new, place = (*video, SWITCHING, group, "new"), (*video, SCENE_ZARR, group)
    files.remove_folder(*video, SWITCHING, group)
    if files.is_local():
        _bring(draft, Path(files.path(*new)))
        switch(Path(files.path(*new)), Path(files.path(*place)))
    elif files.exists(*place, GROUP_METADATA):
        _upload(files, draft, new)
        _copy(files, new, place)
    else:  # without metadata, what is there is no group, nor is a new one that is cut off
        files.remove_folder(*place)
        _upload(files, draft, place)
    files.remove_folder(*video, SWITCHING)


def finish_switches(files: Files, video: PathParts) -> None:
    """End what a kill interrupted; to be called by whoever holds the video's lock."""
    for group in files.names(*video, SWITCHING):
        place = (*video, SCENE_ZARR, group)
        waiting = [(*video, SWITCHING, group, which) for which in ("new", "old")]
        whole = next((names for names in waiting if files.exists(*names, GROUP_METADATA)), None)
        if whole and not files.exists(*place, GROUP_METADATA):
            files.remove_folder(*place)
            files.move_folder(whole, place)
    files.remove_folder(*video, SWITCHING)


def set_aside(files: Files, video: PathParts, name: str) -> str:
    """Move a damaged group or file of a video out of the way; returns where it lies now."""
    stem, taken = name.rpartition("/")[2], set(files.names(*video, DAMAGED))
    free = next(f"{stem}-{number}" for number in itertools.count(1) if f"{stem}-{number}" not in taken)
    target = (*video, DAMAGED, free)
    files.move_folder((*video, *name.split("/")), target)
    return files.path(*target)


def _bring(draft: Path, new: Path) -> None:
    """Move a draft beside its place, from another disk if need be, so that it outlives a power cut once it is whole."""
    new.parent.mkdir(parents=True)
    try:
        _flush_all(draft)
        draft.rename(new)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        for path in _metadata_last(draft):
            copy = new / path.relative_to(draft)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
            flush(copy)
        _flush_all(new)


def _flush_all(folder: Path) -> None:
    for below, _, names in os.walk(folder, topdown=False):
        for name in names:
            flush(Path(below, name))
        flush(Path(below))


def switch(new: Path, place: Path) -> None:
    """Let a finished folder take its place; what was there before lies beside where ``new`` was, for the caller."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if not (place.exists() and _exchange(new, place)):
        if place.exists():
            place.rename(new.with_name("old"))
        new.rename(place)
    flush(place.parent)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step, so that no reader finds neither; False where this system or disk cannot."""
    renameat2 = getattr(ctypes.CDLL(None), "renameat2", None)
    if renameat2 is None:
        return False
    return bool(renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0)


def _upload(files: Files, draft: Path, place: PathParts) -> None:
    found = {(*place, *path.relative_to(draft).parts): path for path in _metadata_last(draft)}
    last = (*place, GROUP_METADATA)
    files.place_all({name: path for name, path in found.items() if name != last})
    files.place(found[last], *last)


def _copy(files: Files, new: PathParts, place: PathParts) -> None:
    """Fill the place in an object store, which cannot rename: without its metadata, what is there is no group."""
    files.remove(*place, GROUP_METADATA)
    files.remove_folder(*place)
    files.move_folder(new, place)


def _metadata_last(folder: Path) -> list[Path]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return sorted(files, key=lambda path: (path.name == GROUP_METADATA, -len(path.parts), path.as_posix()))
