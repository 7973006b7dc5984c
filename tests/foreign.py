"""Folders of somebody else's files, which nothing of ours may change."""

import hashlib
import os
import stat
from pathlib import Path

Contents = dict[str, tuple[int, str, int]]


def foreign_folder(folder: Path, *own_names: str) -> Contents:
    """Fill a folder with documents, deep, old and new, also under names that a cache would choose; see ``contents``.

    own_names: further such names; those that end with a slash become folders with documents in them.
    """
    deep = folder / "letters" / "2019" / "spring"
    names = ("report.odt", "photo.jpg", "notes.part", "backup.npz", f"{'0' * 64}.npz", f"{'1' * 64}.npz.00000000.part")
    for place in (folder, deep, folder / "a.zarr", folder / "scratch" / "groups"):
        place.mkdir(parents=True, exist_ok=True)
        for name in names:
            _document(place / name)
    (folder / f"{'2' * 64}.npz").mkdir()
    _document(folder / f"{'2' * 64}.npz" / "inside.txt")
    (folder / "link").symlink_to(deep)
    for name in own_names:
        for path in [folder / name / inner for inner in names] if name.endswith("/") else [folder / name]:
            path.parent.mkdir(parents=True, exist_ok=True)
            _document(path)
    return contents(folder)


def contents(folder: Path) -> Contents:
    """Return mode, content and time of everything below a folder, by path."""
    found = {}
    for path in sorted(folder.rglob("*")):
        state = path.lstat()
        shown = str(path.readlink()) if path.is_symlink() else ""
        if stat.S_ISREG(state.st_mode):
            shown = hashlib.sha256(path.read_bytes()).hexdigest()
        time = state.st_mtime_ns if stat.S_ISREG(state.st_mode) else 0
        found[str(path.relative_to(folder))] = (state.st_mode, shown, time)
    return found


def lost(before: Contents, folder: Path) -> list[str]:
    """Return what is gone or changed of the files that were there before."""
    after = contents(folder)
    return [name for name, state in before.items() if after.get(name) != state]


def _document(path: Path) -> None:
    path.write_bytes(f"a document of somebody: {path.name}\n".encode() * 500)
    os.utime(path, (1_000_000_000, 1_000_000_000))
