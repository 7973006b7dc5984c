"""Which files make up a table of rows with keys: the content of its ``parts.json``."""

import json
import re
from dataclasses import asdict, dataclass

from models.json_text import parsed_json

LIST = "parts.json"
LARGEST_NUMBER = 2**62
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\.parquet")


@dataclass(frozen=True)
class TableFile:
    """One file: its name and number of rows."""

    name: str
    rows: int


@dataclass(frozen=True)
class Listing:
    """The files that make up the table, oldest first, and the number that the next new row gets.

    gone: files of a bucket that the last change merged away. Readers that began before it may still want them; the next
    change deletes them.
    """

    parts: tuple[TableFile, ...] = ()
    next_number: int = 0
    gone: tuple[str, ...] = ()

    @classmethod
    def parsed(cls, content: bytes) -> "Listing":
        """Return a stored list; raises ``ValueError``, ``KeyError``, ``TypeError`` or ``OverflowError``."""
        told = parsed_json(content)
        parts = tuple(_table_file(part) for part in told["parts"])
        gone = tuple(str(name) for name in told.get("gone", ()) if _NAME.fullmatch(str(name)))
        return cls(parts, _number(told["next_number"]), gone)

    def stored(self) -> bytes:
        """Return the list as it is stored."""
        told = {"parts": [asdict(part) for part in self.parts], "next_number": self.next_number}
        return json.dumps(told | ({"gone": self.gone} if self.gone else {})).encode()


def _table_file(stored: dict[str, object]) -> TableFile:
    """Return an entry of the list; raises ``ValueError`` where it names what is no file of a table."""
    name, rows = str(stored["name"]), stored["rows"]
    if not _NAME.fullmatch(name) or not isinstance(rows, int):
        raise ValueError(f"{name[:80]!r} is no file of a table")
    return TableFile(name, rows)


def _number(stored: object) -> int:
    """Return the number of a row; raises ``ValueError`` where it is none that a table can hold."""
    if not isinstance(stored, int) or not 0 <= stored < LARGEST_NUMBER:
        raise ValueError(f"{str(stored)[:80]!r} is no number of a row")
    return stored
