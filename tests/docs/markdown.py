"""The pages of the repository as they are written: blocks of code, commands, links and names of settings."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.paths import ROOT

FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
SETTING = re.compile(r"\{setting\}`([\w.]+)`")
GENERATED = ROOT / "docs" / "reference" / "generated"


class Block(NamedTuple):
    """A block of code of a page, and the language that is named with it."""

    page: Path
    language: str
    text: str


def pages() -> list[Path]:
    """Return the pages that somebody wrote."""
    written = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    return sorted(page for page in written if GENERATED not in page.parents)


def blocks() -> Iterator[Block]:
    """Yield every block of code of every page."""
    for page in pages():
        for language, text in FENCE.findall(page.read_text()):
            yield Block(page, language, text)


def commands() -> Iterator[tuple[Path, list[str]]]:
    """Yield the words of every line in a block without a language and of every short code that could be a command."""
    for page, language, text in blocks():
        if language == "":
            for line in text.replace("\\\n", " ").splitlines():
                yield from ((page, words) for words in [_words(line.removeprefix("$ "))] if words)
    for page in pages():
        for code in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", FENCE.sub("", page.read_text())):
            yield from ((page, words) for words in [_words(code)] if words)


def links(page: Path) -> Iterator[str]:
    """Yield the targets of a page's links, without those on the web and without anchors."""
    for target in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if "://" not in target and not target.startswith("#"):
            yield target.partition("#")[0]


def settings_named(page: Path) -> list[str]:
    """Return the names of settings that a page refers to."""
    return SETTING.findall(page.read_text(encoding="utf-8"))


def _words(line: str) -> list[str]:
    """Return the words of a line of shell, without comments and what it sets in the environment."""
    try:
        words = shlex.split(line, comments=True)
    except ValueError:
        return []  # prose, or a table
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0], re.DOTALL):
        words = words[1:]
    return words
