"""Small objects with versions, on which everything rests that several processes change: who writes, says over what.

``get`` gives an object with its version, and ``put`` takes effect only if the object is still of that version, or still
absent. A bucket decides that itself (``If-Match``, ``If-None-Match``), so that it holds for any number of hosts. In a
folder a file lock decides, which holds for the machines that share the folder as far as their locks do.
"""

import contextlib
import hashlib
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import fsspec
from filelock import FileLock

from pipeline.contract.errors import SettingsError, WrittenMeanwhile
from pipeline.store.atomic import disk_errors, reading, replacing
from pipeline.store.bucket import bucket_errors, refuse_wrong_clock, seconds_ahead

TRIES = 50
"""Times that a change is made anew because others changed the object meanwhile."""

FIRST_WAIT_S, LONGEST_WAIT_S = 0.1, 10.0
"""Bounds of the wait between two of them: sixty writers, each 0.15 s at it, come by one after the other in 10 s."""

_AHEAD_S: dict[str, float] = {}
"""By the URL of a bucket that this process may use: the seconds by which its clock is ahead."""

_TRYING = threading.Lock()


@dataclass(frozen=True)
class ObjectVersion:
    """One state of one object; of two states, the marks differ."""

    mark: str
    generation: str | None = None


@dataclass(frozen=True)
class Expected:
    """What an object has to be for a ``put`` to take effect; ``version`` is None where there may be none yet."""

    version: ObjectVersion | None


ABSENT = Expected(None)


class ListedObject(NamedTuple):
    """An object as a list tells of it; size in bytes."""

    size: int
    version: ObjectVersion


class Objects(Protocol):
    """Objects by name; ``put`` without ``expected`` takes effect whatever is there."""

    def get(self, name: str) -> tuple[bytes, ObjectVersion]:
        """Return an object and its version; raises ``FileNotFoundError`` and ``NotReadableNow``."""

    def put(self, name: str, content: bytes, expected: Expected | None = None) -> ObjectVersion:
        """Write an object; raises ``WrittenMeanwhile`` where it is not as ``expected``, and nothing was written."""

    def listed(self, folder: str) -> dict[str, ListedObject]:
        """Return what there is in a folder, by its name in it."""

    def clock_ahead_s(self) -> float:
        """Return by how many seconds the clock of the storage is ahead of this machine's."""


def changed(objects: Objects, name: str, change: Callable[[bytes | None], bytes | None]) -> bytes | None:
    """Change an object in one step: ``change`` is given its content and returns the new one, None to leave it.

    It is called again where somebody else changed the object meanwhile. Returns what the object holds.

    Raises:
        WrittenMeanwhile: others changed it ``TRIES`` times in a row.
    """
    for tried in range(TRIES):
        before, version = found(objects, name)
        after = change(before)
        if after is None or after == before:
            return before
        try:
            objects.put(name, after, Expected(version))
        except WrittenMeanwhile:
            if tried == TRIES - 1:
                raise
            give_way(tried)
            continue
        return after
    raise AssertionError


def give_way(tried: int) -> None:
    """Wait before a change is made anew, up to twice as long each time, so that many writers do not meet again."""
    time.sleep(random.random() * min(FIRST_WAIT_S * 2.0**tried, LONGEST_WAIT_S))


def found(objects: Objects, name: str) -> tuple[bytes | None, ObjectVersion | None]:
    """Return an object and its version, None for both where there is none."""
    try:
        return objects.get(name)
    except FileNotFoundError:
        return None, None


class FolderObjects:
    """Objects that are files below ``root``.

    file_system: of ``root``; a local folder, or memory, which is no other process's. locks: makes the local folder of
    their locks if need be. durable: what is put also outlives a power cut.
    """

    def __init__(
        self, file_system: fsspec.AbstractFileSystem, root: str, locks: Callable[[], Path], *, durable: bool = False
    ) -> None:
        self._file_system, self._root, self._locks, self._durable = file_system, root.rstrip("/"), locks, durable

    def get(self, name: str) -> tuple[bytes, ObjectVersion]:
        """Return a file's content and its digest."""
        path = f"{self._root}/{name}"
        with reading(path):
            content = bytes(self._file_system.cat_file(path))
        return content, ObjectVersion(hashlib.sha256(content).hexdigest())

    def put(self, name: str, content: bytes, expected: Expected | None = None) -> ObjectVersion:
        """Write a file under its lock."""
        with disk_errors(), FileLock(self._locks() / f"{name.replace('/', '-')}.lock"):
            if expected is not None and found(self, name)[1] != expected.version:
                raise WrittenMeanwhile(f"{self._root}/{name} was changed by another process")
            self._write(f"{self._root}/{name}", content)
        return ObjectVersion(hashlib.sha256(content).hexdigest())

    def listed(self, folder: str) -> dict[str, ListedObject]:
        """Return what there is in a folder, by its name in it; of files that vanish meanwhile, nothing."""
        try:
            paths = self._file_system.ls(f"{self._root}/{folder}", detail=False)
        except FileNotFoundError:
            return {}
        names = (path.rpartition("/")[2] for path in paths)
        contents = ((name, found(self, f"{folder}/{name}")) for name in names)
        return {name: ListedObject(len(held[0]), held[1]) for name, held in contents if held[0] is not None and held[1]}

    def clock_ahead_s(self) -> float:
        """Return 0: the clock of a folder is this machine's."""
        return 0.0

    def _write(self, path: str, content: bytes) -> None:
        self._file_system.makedirs(path.rpartition("/")[0], exist_ok=True)
        if self._file_system.protocol == "memory":
            self._file_system.pipe_file(path, content)
            return
        with replacing(Path(path), durable=self._durable) as draft:
            draft.write_bytes(content)


class BucketObjects:
    """Objects of a bucket that knows conditional writes, which is tried before the first of them.

    bucket: obstore's. url: of the prefix that names are below.
    """

    PROBE = "youtube-occ-probe.json"
    """Written once by every process that writes; its content never changes."""

    def __init__(self, bucket: Any, url: str) -> None:
        self._url, self._bucket = url.rstrip("/"), bucket

    def get(self, name: str) -> tuple[bytes, ObjectVersion]:
        """Return an object and its version."""
        with bucket_errors(self._where(name)):
            answer = self._bucket.get(name)
            content = bytes(answer.bytes())
        return content, _version(answer.meta)

    def put(self, name: str, content: bytes, expected: Expected | None = None) -> ObjectVersion:
        """Write an object.

        ``content`` under a condition names its writer or is the same whoever writes it: a write of which the answer
        was lost is sent again, and is told from somebody else's by what the object holds.
        """
        if expected is not None:
            self.clock_ahead_s()
        try:
            return self._put(name, content, expected)
        except WrittenMeanwhile:
            there, version = found(self, name)
            if there != content or version is None:
                raise
            return version

    def listed(self, folder: str) -> dict[str, ListedObject]:
        """Return what there is in a folder, by its name in it."""
        with bucket_errors(self._where(folder)):
            told = [each for some in self._bucket.list(folder) for each in some]
        return {each["path"].removeprefix(f"{folder}/"): ListedObject(each["size"], _version(each)) for each in told}

    def clock_ahead_s(self) -> float:
        """Return by how many seconds the bucket's clock is ahead; before that, try whether it may be used at all.

        Raises:
            SettingsError: it has no conditional writes.
            WrongClock: this machine's clock is far from the bucket's.
        """
        with _TRYING:
            if self._url not in _AHEAD_S:
                self._try_conditions()
                with bucket_errors(self._where(self.PROBE)):
                    ahead_s = seconds_ahead(self._bucket.head(self.PROBE)["last_modified"])
                refuse_wrong_clock(self._url, ahead_s)
                _AHEAD_S[self._url] = ahead_s
            return _AHEAD_S[self._url]

    def _try_conditions(self) -> None:
        content = b'{"made_by": "youtube-occ", "why": "tells whether this bucket has conditional writes"}'
        self._put(self.PROBE, content, None)
        for wrong in (ABSENT, Expected(ObjectVersion('"0"', "0"))):
            with contextlib.suppress(WrittenMeanwhile):
                self._put(self.PROBE, content, wrong)
                raise SettingsError(
                    f"{self._url}: this bucket ignores conditional writes (If-None-Match, If-Match), without which two "
                    "machines overwrite each other's work: name a bucket of a server that has them, or a folder"
                )

    def _put(self, name: str, content: bytes, expected: Expected | None) -> ObjectVersion:
        with bucket_errors(self._where(name)):
            return _version(self._bucket.put(name, content, mode=_mode(expected)))

    def _where(self, name: str) -> str:
        return f"{self._url}/{name}"


def _version(told: Any) -> ObjectVersion:
    return ObjectVersion(str(told["e_tag"]), told["version"])


def _mode(expected: Expected | None) -> Any:
    if expected is None:
        return "overwrite"
    if expected.version is None:
        return "create"
    given = {"e_tag": expected.version.mark, "version": expected.version.generation}
    return {name: value for name, value in given.items() if value is not None}
