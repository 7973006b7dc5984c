"""Takes back what a power cut would: writes that were not synced, and the last changes of names.

The journal lists changes in their order. Names follow the rule of journalling file systems: what came before the last
sync of anything is safe, of what came after it a part is there, without gaps. Content follows its own: of a file that
was written and not synced there may be all, nothing, or zeros.
"""

import os
import random
import shutil
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple


class Change(NamedTuple):
    """A line of the journal: what happened, to which names, and where what was there before is kept."""

    what: str
    path: str
    other: str
    kept: str


def read_journal(journal: Path) -> list[Change]:
    """Return the changes in their order; a last line that was cut is left out."""
    text = journal.read_text(encoding="utf-8") if journal.exists() else ""
    lines = text.split("\n")[:-1]
    return [Change(*line.split("\t")) for line in lines]


def cut(journal: Path, draw: random.Random) -> int:
    """Bring the files to a state in which a power cut might have left them; return how many changes were taken back."""
    changes = read_journal(journal)
    safe = max((number for number, change in enumerate(changes, 1) if change.what == "S"), default=0)
    left = draw.randint(safe, len(changes))
    lost = changes[left:]
    unsynced = _unsynced(changes[:left])
    if not any(change.what in "RX" for change in lost):
        unsynced += [change.path for change in lost if change.what in "WT" and change.path not in unsynced]
    for change in reversed(lost):
        _undo(change)
    for path in unsynced:
        _lose(Path(path), draw)
    return len(lost)


def _unsynced(changes: list[Change]) -> list[str]:
    """Return the files whose content was written after its last sync, by the names that they have in the end."""
    written: dict[str, bool] = {}
    for change in changes:
        if change.what in "CW":
            written[change.path] = change.what == "W" or written.get(change.path, False)
        elif change.what == "T":
            written[change.path] = True
        elif change.what == "S":
            written.pop(change.path, None)
        elif change.what == "R":
            _rename(written, change.path, change.other)
        elif change.what == "X":
            _exchange(written, change.path, change.other)
        elif change.what == "U":
            written.pop(change.path, None)
    return [path for path, is_written in written.items() if is_written]


def _rename(written: dict[str, bool], old: str, new: str) -> None:
    written.pop(new, None)
    for path in [path for path in written if path == old or path.startswith(f"{old}/")]:
        written[new + path[len(old) :]] = written.pop(path)


def _exchange(written: dict[str, bool], one: str, other: str) -> None:
    for old, new in ((one, f"{one}\0"), (other, one), (f"{one}\0", other)):
        _rename(written, old, new)


def _undo(change: Change) -> None:
    """Take one change back, as far as what it changed is still there: what a process made after it may be gone."""
    path, other, kept = Path(change.path), Path(change.other), Path(change.kept)
    with suppress(FileNotFoundError, NotADirectoryError):
        if change.what == "C":
            path.unlink()
        elif change.what == "K":
            shutil.rmtree(path)
        elif change.what == "M":
            path.mkdir()
        elif change.what == "R":
            other.rename(path)
            if change.kept:
                os.link(kept, other)
        elif change.what == "X":
            aside = path.with_name(f"{path.name}.aside")
            path.rename(aside)
            other.rename(path)
            aside.rename(other)
        elif change.what == "U" and change.kept:
            os.link(kept, path)
        elif change.what == "T":
            shutil.copyfile(kept, path)


def _lose(path: Path, draw: random.Random) -> None:
    if not path.is_file() or path.stat().st_size == 0:
        return
    size = path.stat().st_size
    how = draw.choice(("whole", "nothing", "zeros", "part"))
    if how == "nothing":
        os.truncate(path, 0)
    elif how == "zeros":
        os.truncate(path, 0)
        os.truncate(path, size)
    elif how == "part":
        os.truncate(path, draw.randrange(size))
