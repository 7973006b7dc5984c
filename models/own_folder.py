"""Folders that this program made itself, inside folders that may be anybody's: only in these does it delete.

The mark is a ``CACHEDIR.TAG`` (https://bford.info/cachedir), by which backup programs know what they may leave out,
with a line that says whose it is.
"""

import itertools
import os
import secrets
from pathlib import Path

MARK = "CACHEDIR.TAG"
_SIGNATURE = "Signature: 8a477f597d28d172789f06886806bc55"


def own_folder(parent: Path, name: str) -> Path:
    """Return the subfolder of ``parent`` that this program made under ``name``, made now if there is none.

    Where something else has that name, the folder is called ``<name>-2``, and so on: what is there stays as it is. Any
    number of processes may ask at once; all get the same folder.

    Raises:
        OSError: it cannot be made.
    """
    parent.mkdir(parents=True, exist_ok=True)
    for folder in _candidates(parent, name):
        # Whether it is ours is asked once it is there: one that another process makes appears with its mark.
        if is_own(folder, name) if os.path.lexists(folder) else _make(folder, name):
            return folder
    raise AssertionError("there is always another number")


def find_own(parent: Path, name: str) -> Path | None:
    """Return the folder that ``own_folder`` would return, or None where it is not made yet."""
    for folder in _candidates(parent, name):
        if not os.path.lexists(folder):
            return None
        if is_own(folder, name):
            return folder
    raise AssertionError("there is always another number")


def is_own(folder: Path, name: str) -> bool:
    """Tell whether this program made a folder under ``name``."""
    try:
        return (folder / MARK).read_text() == _mark(name)
    except (OSError, UnicodeDecodeError):
        return False


def _candidates(parent: Path, name: str) -> "itertools.chain[Path]":
    return itertools.chain([parent / name], (parent / f"{name}-{number}" for number in itertools.count(2)))


def _make(folder: Path, name: str) -> bool:
    """Make a folder with its mark, both at once; False where another process made one that is not ours."""
    draft = folder.with_name(f".{name}.{secrets.token_hex(4)}")
    draft.mkdir()
    (draft / MARK).write_text(_mark(name))
    try:
        draft.rename(folder)
    except OSError:
        (draft / MARK).unlink()
        draft.rmdir()
        return is_own(folder, name)
    return True


def _mark(name: str) -> str:
    return f"{_SIGNATURE}\n# made by youtube-occ as '{name}'; may be deleted while nothing runs\n"
