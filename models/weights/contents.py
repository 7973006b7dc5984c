"""What files of weights hold: their SHA-256, computed again only once a file has changed.

What was computed is remembered by path, size, times and inode: in the process, and in a subfolder of the weights' cache
folder that this program made. The memory only saves reading; where it cannot be kept, files are read again.
"""

import contextlib
import hashlib
import os
import stat
import time
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.atomic import draft
from models.own_folder import find_own, own_folder
from models.weights.folder import cache_folder

REMEMBERED = "youtube-occ-hashes"
"""Subfolder of the folder of weights, made and marked here, one small file a path."""

SETTLED_NS = 2_000_000_000
"""A file that changed so shortly before it was read may have changed again within one tick of its clock (FAT: 2 s)."""

REMEMBERED_FROM_BYTES = 1 << 24
"""Smaller files are read again sooner than anything is remembered of them."""

_OF_A_NETWORK = (".safetensors", ".json")
_RELEASED = "model.pt"
"""What MoGe-2's file is called; other ``.pt`` files of a folder may be anything."""


class _Hashed(BaseModel):
    """A file as it was when it was hashed, and when that was."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    hashed_ns: int

    def is_still(self, now: os.stat_result) -> bool:
        """Tell whether the file is for certain the one that was hashed."""
        noted = (self.size, self.mtime_ns, self.ctime_ns, self.inode)
        settled = self.hashed_ns - max(self.mtime_ns, self.ctime_ns) > SETTLED_NS
        return settled and noted == (now.st_size, now.st_mtime_ns, now.st_ctime_ns, now.st_ino)


class _Known(BaseModel):
    """The files that lay at a path when they could last be read, by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    files: dict[str, _Hashed]

    @property
    def hashes(self) -> dict[str, str]:
        return {name: file.sha256 for name, file in self.files.items()}


_known: dict[str, _Known] = {}
_read_here: dict[str, tuple[tuple[int, ...], str]] = {}
"""SHA-256 of large files that this process hashed, by path, each with what the file was like."""


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file, lower-case hex; a large one is read once, until it changes.

    Raises:
        OSError: it cannot be read.
    """
    place, state = str(path.absolute()), path.stat()
    if state.st_size < REMEMBERED_FROM_BYTES:
        return _sha256(path)
    marks, sha256 = _read_here.get(place, ((), ""))
    if marks != _marks(state):
        sha256 = _hashed(place, path, {path.name: state})[path.name]
        _read_here[place] = _marks(state), sha256
    return sha256


def keep_checksum(path: Path, sha256: str) -> None:
    """Keep in this process what was found out of a file before it was moved to its place."""
    _read_here[str(path.absolute())] = _marks(path.stat()), sha256


def contents(path: Path) -> dict[str, str]:
    """Return the SHA-256 of what lies at a path, by name of file: a file, or those of a network in a folder.

    Of a folder count ``*.safetensors``, ``model.pt`` and ``*.json``, which say what the tensors mean. What is not there
    or cannot be read at the moment is taken to be what it was when it last could; empty where that is not known.
    """
    place = str(path.absolute())
    try:
        there = _files(path)
        if there:
            return _hashed(place, path, there)
    except OSError:
        pass
    known = _read(place) or _known.get(place)
    return known.hashes if known else {}


def _files(path: Path) -> dict[str, os.stat_result]:
    """Return regular files by name; none where a folder holds no tensors, as the place of one that is not mounted."""
    if not path.is_dir():
        state = path.stat()
        return {path.name: state} if stat.S_ISREG(state.st_mode) else {}
    states = {entry.name: entry.stat() for entry in path.iterdir() if _counts(entry)}
    files = {name: state for name, state in sorted(states.items()) if stat.S_ISREG(state.st_mode)}
    return files if any(not name.endswith(".json") for name in files) else {}


def _counts(entry: Path) -> bool:
    return entry.suffix in _OF_A_NETWORK or entry.name == _RELEASED


def _hashed(place: str, path: Path, there: Mapping[str, os.stat_result]) -> dict[str, str]:
    known = _known.get(place) or _read(place)
    before = known.files if known else {}
    found = {}
    for name, state in there.items():
        file = before.get(name)
        is_still = file is not None and file.is_still(state)
        found[name] = file if file and is_still else _hash(path / name if path.is_dir() else path, state)
    now = _Known(path=place, files=found)
    if now != known:
        _write(now)
    _known[place] = now
    return now.hashes


def _hash(file: Path, state: os.stat_result) -> _Hashed:
    begun = time.time_ns()
    return _Hashed(
        sha256=_sha256(file),
        size=state.st_size,
        mtime_ns=state.st_mtime_ns,
        ctime_ns=state.st_ctime_ns,
        inode=state.st_ino,
        hashed_ns=begun,
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _marks(state: os.stat_result) -> tuple[int, ...]:
    return state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino


def _read(place: str) -> _Known | None:
    folder = find_own(cache_folder(), REMEMBERED)
    if folder is None:
        return None
    try:
        found = _Known.model_validate_json((folder / _name(place)).read_bytes())
    except (OSError, ValidationError):
        return None
    return found if found.path == place else None


def _write(known: _Known) -> None:
    with contextlib.suppress(OSError), draft(own_folder(cache_folder(), REMEMBERED) / _name(known.path)) as part:
        part.write_text(known.model_dump_json())


def _name(place: str) -> str:
    return f"{hashlib.sha256(os.fsencode(place)).hexdigest()}.json"
