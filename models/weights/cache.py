"""The cache of named weights: find, fetch and verify them.

They lie in the folder ``YOUTUBE_OCC_WEIGHTS``, or else in the platform's cache folder. A file whose checksum nobody
states is trusted on first use, which is said: its hash is kept beside it, and later changes are refused. The folder may
hold other files; transfers and locks lie in a subfolder of our own.
"""

import itertools
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from models.atomic import draft
from models.errors import WeightsUnavailable, WeightsUnreachable, WrongWeights
from models.own_folder import own_folder
from models.weights.contents import checksum, keep_checksum
from models.weights.download import download
from models.weights.folder import TRANSFERS, cache_folder
from models.weights.partial import drop
from models.weights.registry import SHIPPED_SHA256, WEIGHTS, CommercialUse, WeightFile
from models.weights.web import address

SHIPPED = Path(__file__).with_name("shipped")
"""Small networks that come with this package, ``<name>.safetensors``."""

MIRRORS_VARIABLE = "YOUTUBE_OCC_WEIGHTS_MIRRORS"
"""Addresses, with spaces between them, below which files of weights lie under their names; they are asked first."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


def ensure(name: str, mirrors: Sequence[str] = ()) -> Path:
    """Return the file of shipped weights, or the verified one of registered weights, fetching it on first use.

    mirrors: addresses below which files of weights lie under their names; they are asked first.

    Raises:
        WeightsUnavailable: not registered.
        WeightsUnreachable: neither cached nor reachable.
        WrongWeights: the cached file is not what it was.
    """
    if name in shipped():
        return SHIPPED / f"{name}.safetensors"
    return fetch(registered(name), cache_folder(), mirrors)


def locate(path_or_name: str | Path) -> Path:
    """Return the file of shipped or registered weights, the latter fetched on first use; else it is taken as a path.

    Raises:
        WeightsUnreachable: registered, but neither cached nor reachable.
        WrongWeights: the cached file is not what it was.
    """
    name = str(path_or_name)
    return ensure(name) if is_named(name) else Path(path_or_name)


def is_named(path_or_name: str) -> bool:
    """Tell whether this is the name of shipped or registered weights, and no path."""
    is_plain = Path(path_or_name).name == path_or_name
    return path_or_name in WEIGHTS or (is_plain and (SHIPPED / f"{path_or_name}.safetensors").is_file())


def shipped() -> list[str]:
    """Names of the weights that come with this package and need no download."""
    return sorted(path.stem for path in SHIPPED.glob("*.safetensors"))


def registered(name: str) -> WeightFile:
    """Return the entry of a name.

    Raises:
        WeightsUnavailable: no such name.
    """
    if name not in WEIGHTS:
        known = ", ".join([*WEIGHTS, *shipped()])
        raise WeightsUnavailable(f"no weights are called '{name}'; known: {known}")
    return WEIGHTS[name]


def fetch(weights: WeightFile, folder: Path, mirrors: Sequence[str] = ()) -> Path:
    """Return ``weights`` in ``folder``, verified, downloading what is missing of it; of several processes one does so.

    Raises:
        WeightsUnreachable: no source answers; the message says where to put the file by hand.
        WrongWeights: the file is not what it should be; a fresh download that is wrong is deleted.
    """
    path = folder / weights.file_name
    _show_licence_once(weights, folder)
    if not path.is_file():
        with _lock(weights, path):
            if not path.is_file():  # else another process fetched it meanwhile
                _fetch_missing(weights, path, mirrors)
                return path
    verify(weights, folder)
    return path


def verify_named(name: str) -> str:
    """Return the sha256 of the file behind a name of weights, shipped or registered, after comparing it.

    Raises:
        WeightsUnavailable: no such name, or the file is not in the cache.
        WrongWeights: the file is not what it should be, or was.
    """
    if name not in SHIPPED_SHA256 and name not in shipped():
        return verify(registered(name), cache_folder())
    path, again = SHIPPED / f"{name}.safetensors", "install this package again"
    if not path.is_file():
        raise WeightsUnavailable(f"{name} comes with this package, and there is no file {path}: {again}")
    found, expected = checksum(path), SHIPPED_SHA256.get(name, "none, it is not one of this package's")
    if found != expected:
        raise WrongWeights(f"{path} is not what it should be: sha256 expected {expected}, found {found}: {again}")
    return found


def verify(weights: WeightFile, folder: Path) -> str:
    """Return the sha256 of a cached file after comparing it with the stated or remembered one.

    Where there is none, the file is trusted from now on, which is said on standard error.

    Raises:
        WeightsUnavailable: the file is not in the cache.
        WrongWeights: the file is not what it should be, or was.
    """
    path = folder / weights.file_name
    if not path.is_file():
        raise WeightsUnavailable(
            f"{weights.name} is not in the cache; fetch it with: python -m models weights fetch {weights.name}"
        )
    found, expected = checksum(path), _expected(weights, path)
    if not expected:
        _trust(weights, path, found)
    elif found not in expected:
        raise _refusal(f"{path} is", weights, found, expected)
    return found


def expected_checksum(path: Path) -> str | None:
    """Return the sha256 that a file should have: the stated ones of its name, or the one remembered beside it."""
    stated = next((weights.checksums for weights in WEIGHTS.values() if weights.file_name == path.name), ())
    return " or ".join(stated) or _remembered(path)


def _expected(weights: WeightFile, path: Path) -> tuple[str, ...]:
    remembered = _remembered(path)
    return weights.checksums or ((remembered,) if remembered else ())


def _refusal(what: str, weights: WeightFile, found: str, expected: tuple[str, ...]) -> WrongWeights:
    whose = "stated" if weights.checksums else "that of the file trusted first, kept beside it"
    return WrongWeights(
        f"{what} not what it should be: sha256 expected {' or '.join(expected)} ({whose}), found {found}. "
        "Delete what is there to have it fetched again; a file that you trust all the same can be named by its path"
    )


@contextmanager
def _lock(weights: WeightFile, path: Path) -> Iterator[None]:
    """Let one process at a time work on ``path``; the system lets go of the lock of a process that is killed."""
    lock = FileLock(own_folder(path.parent, TRANSFERS) / f"{path.name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        sys.stderr.write(f"{weights.name}: another process is fetching it; waiting\n")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _fetch_missing(weights: WeightFile, path: Path, mirrors: Sequence[str]) -> None:
    """Complete the download, which unlike a draft outlives errors, and put it in its place if it is right."""
    if os.path.lexists(path):
        raise WrongWeights(f"{path} is no file: move it away, so that {weights.name} can be put there")
    partial = own_folder(path.parent, TRANSFERS) / f"{path.name}.part"
    failures, wrong = [], None
    for url in _addresses(weights, mirrors):
        try:
            return _fetch_from(url, weights, partial, path)
        except WeightsUnreachable as error:
            failures.append(str(error))
        except WrongWeights as error:
            wrong = error
    if wrong:
        raise wrong
    raise WeightsUnreachable(
        f"{weights.name} could not be fetched ({'; '.join(failures)}). Run again to resume, or fetch "
        f"{weights.urls[0]} on a machine with a connection and put it at {path}"
    )


def _addresses(weights: WeightFile, mirrors: Sequence[str]) -> list[str]:
    """Return where a file may lie: at mirrors that settings and the environment name, then where the registry says."""
    named = [*mirrors, *os.environ.get(MIRRORS_VARIABLE, "").split()]
    urls = [f"{mirror.rstrip('/')}/{weights.file_name}" for mirror in named]
    return list(dict.fromkeys([*urls, *map(address, weights.urls)]))


def _fetch_from(url: str, weights: WeightFile, partial: Path, path: Path) -> None:
    """Fetch from one address; what was begun earlier and turns out wrong is fetched once more from its first byte."""
    expected = _expected(weights, path)
    for was_begun in [True, False] if partial.exists() else [False]:
        download(url, partial, weights.name, weights.size_bytes, is_checked=bool(expected))
        found = checksum(partial)
        if not expected or found in expected:
            break
        drop(partial)
        if not was_begun:
            raise _refusal(f"{weights.name} arrived, and is", weights, found, expected)
    partial.replace(path)
    keep_checksum(path, found)
    if not expected:
        _trust(weights, path, found)


def _trust(weights: WeightFile, path: Path, sha256: str) -> None:
    """Say that nobody states a checksum, and remember this one."""
    sys.stderr.write(f"{weights.name}: no checksum is known; {path.name} is trusted from now on, sha256 {sha256}\n")
    free = next(record for record in _records(path) if not os.path.lexists(record) or _words(record) == [])
    with draft(free) as record:
        record.write_text(f"{sha256}  {path.name}\n")


def _remembered(path: Path) -> str | None:
    """Return the checksum in the first record that holds one; what else has such a name is somebody else's."""
    for record in _records(path):
        if not os.path.lexists(record):
            return None
        found = next((word.lower() for word in _words(record)[:1] if _SHA256.fullmatch(word.lower())), None)
        if found:
            return found
    return None


def _records(path: Path) -> Iterator[Path]:
    """Yield where the checksum of a file may stand: ``<file>.sha256``, else ``<file>.2.sha256``, and so on."""
    yield path.with_name(f"{path.name}.sha256")
    yield from (path.with_name(f"{path.name}.{number}.sha256") for number in itertools.count(2))


def _words(record: Path) -> list[str]:
    try:
        return record.read_text(encoding="utf-8").split()
    except (IsADirectoryError, UnicodeDecodeError):
        return ["none"]


def _show_licence_once(weights: WeightFile, folder: Path) -> None:
    shown = folder / f"{weights.file_name}.licence-shown"
    folder.mkdir(parents=True, exist_ok=True)
    if weights.commercial is not CommercialUse.ALLOWED and not shown.exists():
        said = f"{weights.licence}. Commercial use: {weights.commercial}. Allowed: {weights.use}"
        sys.stderr.write(f"{weights.name}: {said}.\n")
        shown.touch()
