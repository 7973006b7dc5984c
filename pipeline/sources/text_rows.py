"""Rows of a list as people save them: UTF-8, UTF-16 or a Windows code page, any separator, quotes, comments.

A row that cannot be told from the next, because it is too long or opens a quote that it does not close, is given up
alone: the rows after it are read as if it were not there.
"""

import codecs
import csv
import re
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, NamedTuple

LINE_MAX = 64 * 1024
ROW_LINES_MAX = 50
"""Lines that a quoted title may run over."""

SEPARATORS = (",", ";", "\t", "|")
BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class TextRow(NamedTuple):
    """A row: the number of its first line, its cells, and why it cannot be read, empty where it can."""

    line: int
    cells: list[str]
    problem: str = ""


class TextRows:
    """The rows of a file of text that are neither empty nor comments.

    Args:
        file: the open file, as ``opened`` gives it.
        separator_of: chooses the separator by the first row that is no comment.
        stands_alone: tells whether a line is a row by itself; a quote does not run over such lines.
    """

    def __init__(
        self, file: IO[str], separator_of: Callable[[str], str], stands_alone: Callable[[list[str]], bool]
    ) -> None:
        self._file, self._separator_of, self._stands_alone = file, separator_of, stands_alone
        self._waiting: deque[tuple[int, str]] = deque()
        self._read, self._separator = 0, ""
        self.comments: list[str] = []

    def __iter__(self) -> Iterator[TextRow]:
        """Yield the rows in their order."""
        while (found := self._next_line()) is not None:
            number, line = found
            stripped = line.strip().strip("\x00")
            if not self._separator and (said := re.fullmatch(r"(?i)\"?sep=(.)\"?", line.strip("\r\n"))):
                self._separator = said[1]
            elif stripped.startswith("#"):
                self.comments = [*self.comments, stripped.lstrip("# ")][-ROW_LINES_MAX:]
            elif len(line) > LINE_MAX:
                yield TextRow(number, [], f"it is longer than {LINE_MAX} characters")
            elif stripped:
                self._separator = self._separator or self._separator_of(line)
                yield self._row(number, line)

    def cells(self, line: str) -> list[str]:
        """Return the cells of a line that is a row by itself."""
        return next(csv.reader([line], delimiter=self._separator or ",", skipinitialspace=True), [])

    def _row(self, number: int, line: str) -> TextRow:
        taken: list[tuple[int, str]] = []
        is_open = False

        def lines() -> Iterator[str]:
            nonlocal is_open
            yield line
            while len(taken) < ROW_LINES_MAX and (more := self._next_line()) is not None:
                taken.append(more)
                yield more[1]
            is_open = True

        try:
            cells = next(csv.reader(lines(), delimiter=self._separator, skipinitialspace=True), [])
        except csv.Error as error:
            self._waiting.extendleft(reversed(taken))
            return TextRow(number, [], str(error))
        if is_open or any(self._is_row(more) for _, more in taken):
            self._waiting.extendleft(reversed(taken))
            return TextRow(number, [], "it opens a quote and does not close it")
        return TextRow(number, [_readable(cell) for cell in cells])

    def _is_row(self, line: str) -> bool:
        try:
            return self._stands_alone(self.cells(line))
        except csv.Error:
            return False

    def _next_line(self) -> tuple[int, str] | None:
        """Return a line with its number; of one that is too long no more than is needed to tell."""
        if self._waiting:
            return self._waiting.popleft()
        line = self._file.readline(LINE_MAX + 1)
        if not line:
            return None
        self._read += 1
        rest = line
        while len(rest) > LINE_MAX and not rest.endswith("\n"):
            rest = self._file.readline(LINE_MAX + 1)
        return self._read, line


def opened(path: Path) -> IO[str]:
    """Open a list in the encoding that its first bytes show; bytes that fit none come as lone surrogates."""
    with path.open("rb") as file:
        start = file.read(64)
    encoding = next((name for mark, name in BYTE_ORDER_MARKS if start.startswith(mark)), "utf-8")
    if encoding == "utf-8" and b"\x00" in start[:4]:
        encoding = "utf-16-be" if start[:1] == b"\x00" else "utf-16-le"
    errors = "replace" if encoding.startswith("utf-16") else "surrogateescape"
    return path.open(encoding=encoding, errors=errors)


def _readable(cell: str) -> str:
    """Return a cell; bytes that are no UTF-8 are taken as Windows' western code page, as spreadsheets save it."""
    try:
        cell.encode()
    except UnicodeEncodeError:
        return cell.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
    return cell
