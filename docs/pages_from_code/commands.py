"""The page on the command line, as Typer writes it from the commands themselves."""

from collections.abc import Iterator
from typing import Any

import typer
from typer.cli import get_docs_for_click
from typer.core import MARKUP_MODE_KEY
from typer.main import get_command

from pipeline.cli.app import command_line
from pipeline.quality.label_parts import app as label_parts
from training.small.__main__ import app as small
from training.small.evaluate import app as evaluate

OTHERS = {
    "python -m training.small": small,
    "python -m training.small.evaluate": evaluate,
    "python -m pipeline.quality.label_parts": label_parts,
}
"""Command lines beside ``youtube-occ``."""

INTRODUCTION = """
`youtube-occ` and `python -m pipeline` are the same. `--install-completion` teaches your shell to complete commands,
profiles and ids of videos. An error that was made on purpose ends with one line and status 1. Under
`torchrun --nproc-per-node N -m training ...` the commands of `youtube-occ train` run on several devices.

`--set` names one of the [settings](settings/index.md); those of training have
[a page of their own](settings/training.md).
"""


def programs() -> dict[str, Any]:
    """Return every command line as a Click command, by how it is called."""
    return {"youtube-occ": get_command(command_line())} | {name: get_command(app) for name, app in OTHERS.items()}


def pages() -> dict[str, str]:
    """Return the page on all commands."""
    written = "\n".join(_written(name, command) for name, command in programs().items())
    return {"command_line.md": f"# Command line\n{INTRODUCTION}\n{written}"}


def every_command(command: Any, called: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield a command and all below it, each with the words by which it is called."""
    yield called, command
    for name, below in getattr(command, "commands", {}).items():
        yield from every_command(below, (*called, name))


def _written(name: str, command: Any) -> str:
    for _, below in every_command(command):
        below.short_help = (below.help or "").split("\n\n")[0].replace("\n", " ")  # else Typer cuts it at 45 letters
    context = typer.Context(command)
    context.obj = {MARKUP_MODE_KEY: "rich"}
    return str(get_docs_for_click(obj=command, ctx=context, name=name, indent=1))
