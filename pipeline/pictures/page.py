"""A page of pictures for any browser: one HTML file that loads nothing else."""

import base64
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }}
img {{ max-width: 100%; height: auto; }}
ul {{ color: #555; padding-left: 1.2rem; }}
</style></head><body><h1>{title}</h1>
"""


class Section(NamedTuple):
    """A part of a page: its heading, lines of text, and a JPEG."""

    heading: str
    lines: Sequence[str]
    picture: bytes


def page(title: str, sections: Sequence[Section]) -> str:
    """Return the page; all text is escaped, and the browser is told to run and load nothing."""
    return _HEAD.format(title=escape(title)) + "\n".join(map(_html, sections)) + "\n</body></html>\n"


def _html(section: Section) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in section.lines if line)
    image = base64.b64encode(section.picture).decode()
    heading = escape(section.heading)
    return (
        f"<section><h2>{heading}</h2><ul>{items}</ul>"
        f'<img alt="{heading}" src="data:image/jpeg;base64,{image}"></section>'
    )
