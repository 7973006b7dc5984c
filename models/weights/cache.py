"""The cache of named weights: find, fetch and verify them.

They lie in the folder ``YOUTUBE_OCC_WEIGHTS``, or else in the platform's cache folder. A file whose authors
publish no checksum is trusted on first use: its hash is kept beside it, and later changes are refused.
"""

import hashlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout

from models.atomic import draft
from models.errors import WeightsUnavailable, WrongWeights
from models.weights.download import download
from models.weights.registry import WEIGHTS, WeightFile

SHIPPED = Path(__file__).with_name("shipped")
"""Small networks that come with this package, ``<name>.safetensors``."""


def ensure(name: str) -> Path:
    """Return the file of shipped weights, or the verified one of registered weights, fetching it on first use.

    Raises:
        WeightsUnavailable: not registered, or neither cached nor reachable.
        WrongWeights: the cached file is not what it was.
    """
    if name in shipped():
        return SHIPPED / f"{name}.safetensors"
    return fetch(registered(name), cache_folder())


def locate(path_or_name: str | Path) -> Path:
    """Return the file of shipped or registered weights, the latter fetched on first use; else it is taken as a path.

    Raises:
        WeightsUnavailable: registered, but neither cached nor reachable.
        WrongWeights: the cached file is not what it was.
    """
    name = str(path_or_name)
    return ensure(name) if name in WEIGHTS or name in shipped() else Path(path_or_name)


def shipped() -> list[str]:
    """Names of the weights that come with this package and need no download."""
    return sorted(path.stem for path in SHIPPED.glob("*.safetensors"))


def registered(name: str) -> WeightFile:
    """Return the entry of a name.

    Raises:
        WeightsUnavailable: no such name.
    """
    if name not in WEIGHTS:
        raise WeightsUnavailable(f"no weights are called '{name}'; known: {', '.join(WEIGHTS)}")
    return WEIGHTS[name]


def cache_folder() -> Path:
    """Folder where weights lie."""
    return Path(os.environ.get("YOUTUBE_OCC_WEIGHTS") or platformdirs.user_cache_path("youtube-occ") / "weights")


def fetch(weights: WeightFile, folder: Path) -> Path:
    """Return ``weights`` in ``folder``, verified, downloading what is missing of it; of several processes one does so.

    Raises:
        WeightsUnavailable: no source answers; the message says where to put the file by hand.
        WrongWeights: the file is not what it should be; a fresh download that is wrong is deleted.
    """
    path = folder / weights.file_name
    _show_licence_once(weights, folder)
    if not path.is_file():
        with _lock(weights, path):
            if not path.is_file():  # else another process fetched it meanwhile
                _fetch_missing(weights, path)
                return path
    verify(weights, folder)
    return path


def verify(weights: WeightFile, folder: Path) -> str:
    """Return the sha256 of a cached file after comparing it with the one on record; remember it if there is none.

    Raises:
        WeightsUnavailable: the file is not in the cache.
        WrongWeights: the file is not what it was.
    """
    path = folder / weights.file_name
    if not path.is_file():
        raise WeightsUnavailable(
            f"{weights.name} is not in the cache; fetch it with: python -m models weights fetch {weights.name}"
        )
    found, expected = checksum(path), weights.sha256 or _remembered(path)
    if expected not in (None, found):
        raise WrongWeights(f"{path} is damaged, delete it: sha256 expected {expected}, found {found}")
    if _remembered(path) != found:
        _remember(path, found)
    return found


def checksum(path: Path) -> str:
    """Return the sha256 of a file, lower-case hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def expected_checksum(path: Path) -> str | None:
    """Return the sha256 that a file should have: the registered one of its name, or the one remembered beside it."""
    published = (weights.sha256 for weights in WEIGHTS.values() if weights.file_name == path.name)
    return next(published, None) or _remembered(path)


@contextmanager
def _lock(weights: WeightFile, path: Path) -> Iterator[None]:
    """Let one process at a time work on ``path``; the system lets go of the lock of a process that is killed."""
    lock = FileLock(path.with_name(f"{path.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        sys.stderr.write(f"{weights.name}: another process is fetching it; waiting\n")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _fetch_missing(weights: WeightFile, path: Path) -> None:
    """Complete the download beside ``path``, which unlike a draft outlives errors, and rename it if it is right."""
    partial = path.with_name(f"{path.name}.part")
    _download_from_any(weights, partial, path)
    found = checksum(partial)
    if weights.sha256 not in (None, found):
        partial.unlink()
        raise WrongWeights(f"{weights.name} arrived damaged: sha256 expected {weights.sha256}, found {found}")
    partial.replace(path)
    _remember(path, found)


def _download_from_any(weights: WeightFile, partial: Path, path: Path) -> None:
    failures = []
    for url in weights.urls:
        try:
            return download(url, partial, label=weights.name)
        except WeightsUnavailable as error:
            failures.append(str(error))
    raise WeightsUnavailable(
        f"{weights.name} could not be fetched ({'; '.join(failures)}). Run again to resume, or fetch "
        f"{weights.urls[0]} on a machine with a connection and put it at {path}"
    )


def _remember(path: Path, sha256: str) -> None:
    with draft(_record(path)) as record:
        record.write_text(f"{sha256}  {path.name}\n")


def _remembered(path: Path) -> str | None:
    record = _record(path)
    words = record.read_text().split() if record.is_file() else []
    return words[0] if words else None


def _record(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _show_licence_once(weights: WeightFile, folder: Path) -> None:
    shown = folder / f"{weights.file_name}.licence-shown"
    folder.mkdir(parents=True, exist_ok=True)
    if weights.non_commercial and not shown.exists():
        sys.stderr.write(f"{weights.name}: {weights.licence}. Allowed: {weights.use}.\n")
        shown.touch()
