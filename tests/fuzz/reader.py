"""A parser of the program with true inputs for it, and what one run of it on a changed input came to."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from models.errors import ModelError
from pipeline.contract.errors import PipelineError

TYPED = (PipelineError, ModelError)
"""Errors that callers can act on; ``training``'s are ``PipelineError`` too."""


@dataclass(frozen=True)
class Reader:
    """A parser.

    name: as seeds name it. make: writes true files into a folder, with the program's own writers. read: is given the
    folder and the name of the file that was changed, and lets errors through. suffixes: ends of the names of the files
    that are changed. weight: how many of the inputs of a campaign it gets, in comparison; cheap ones get most. allowed:
    errors that are no violation. may_write: beginnings of names, inside the folder, that reading may write or delete.
    may_start: whether it looks at the file in a process of its own. may_die: whether the program runs this parser in a
    process of its own and outlives it.
    """

    name: str
    make: Callable[[Path], None]
    read: Callable[[Path, str], object]
    weight: float = 1.0
    suffixes: tuple[str, ...] = ("",)
    allowed: tuple[type[BaseException], ...] = TYPED
    may_write: tuple[str, ...] = ()
    may_start: bool = False
    may_die: bool = False

    def true_inputs(self, folder: Path) -> dict[str, bytes]:
        """Make the true files; return by name those that are changed."""
        self.make(folder)
        return {name: (folder / name).read_bytes() for name in sorted(files_of(folder)) if name.endswith(self.suffixes)}


def files_of(folder: Path) -> dict[str, int]:
    """Return the size of every file below a folder, by its name from there; of a link, -1."""
    found: dict[str, int] = {}
    waiting, start = [str(folder)], len(str(folder)) + 1
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    size = -1 if entry.is_symlink() else entry.stat().st_size
                    found[entry.path[start:]] = size
    return found
