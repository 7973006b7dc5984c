"""What a group consists of: its metadata lists every file with size and SHA-256, so that loss is told from emptiness.

Zarr reads a missing file as zeros, which would be a black picture or an empty room. Every reader therefore compares
the files with the list: their presence and size at every opening, their content in ``verify``.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from pydantic import TypeAdapter

from pipeline.contract.errors import CorruptStore
from pipeline.store.files import Files

LISTED = "files"
"""The attribute of a group that holds the list."""

GROUP_METADATA = "zarr.json"

_BLOCK_BYTES = 1 << 20


class Listed(NamedTuple):
    """A file of a group: bytes, and SHA-256 of its content in hex digits."""

    size: int
    sha256: str


Contents = Mapping[str, Listed]
"""The files of a group by their names below it, such as ``depth/c/0/0/0``."""

_CONTENTS = TypeAdapter(dict[str, Listed])


def contents(folder: Path, names: Collection[str] | None = None) -> dict[str, Listed]:
    """Return the files below a local folder, but for the metadata of the folder itself, which is to hold this list.

    names: of the files that are wanted; all by default.
    """
    found = folder.rglob("*") if names is None else (folder / name for name in names)
    paths = sorted(path for path in found if path.is_file() and path != folder / GROUP_METADATA)
    return {path.relative_to(folder).as_posix(): Listed(path.stat().st_size, _sha256(path)) for path in paths}


def parsed_contents(stored: object) -> dict[str, Listed] | None:
    """Return the list that a group's attributes hold; None for groups that were written before there were lists.

    Raises:
        ValueError: it is no such list.
    """
    return None if stored is None else _CONTENTS.validate_python(stored)


def require(files: Files, group: tuple[str, ...], listed: Contents, array: str) -> None:
    """Make sure that the files of an array are there in full size.

    Raises:
        CorruptStore: a file is missing or cut short.
        NotReadableNow: the file system cannot say.
    """
    for name, wanted in listed.items():
        if not name.startswith(f"{array}/"):
            continue
        found = files.stamp(*group, name)
        if found is None or found.size != wanted.size:
            state = "is missing" if found is None else f"has {found.size} bytes instead of {wanted.size}"
            raise CorruptStore(f"{files.path(*group, name)} {state}: build the video again", group[-1])


def altered(files: Files, group: tuple[str, ...], listed: Contents) -> Iterator[str]:
    """Yield the names of files that are missing or whose content is not the listed one; reads all of them.

    Raises:
        NotReadableNow: a file cannot be read at the moment.
    """
    for name, wanted in listed.items():
        try:
            with files.open(*group, name) as file:
                digest = hashlib.sha256()
                while block := file.read(_BLOCK_BYTES):
                    digest.update(block)
        except FileNotFoundError:
            yield name
            continue
        if digest.hexdigest() != wanted.sha256:
            yield name


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
