"""Options that several commands of training take, and the datasets that they name."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.contract.values import checked

if TYPE_CHECKING:
    from training.data.source import FramesSource

LEARN, JUDGE, STUDY = "Learn", "Judge", "Study"
"""Panels of the help."""

KindOption = Annotated[str, typer.Option("--kind", help="stored, nyu, monoscene or occscannet.")]
PathOption = Annotated[str | None, typer.Option("--path", help="Data folder or URL, or folder of the benchmark.")]
ReadOption = Annotated[
    list[str] | None,
    typer.Option(help="How: every=3, split=all, version=..., by=official or by_space, unknown=ignore or empty."),
]
PresetOption = Annotated[str, typer.Option(help="paper, medium, fine, small or tiny.")]
OutOption = Annotated[Path, typer.Option(help="Folder for the network, its curves and its state.")]
ValueOption = Annotated[list[str] | None, typer.Option("--set", help="One value, as in --set loop.epochs=5.")]
StartOption = Annotated[Path | None, typer.Option(help="Folder of a pre-trained network; else random values.")]


def source(kind: str, path: str | None, read: list[str] | None) -> "FramesSource":
    """Return a dataset by kind, path and single values; raises ``SettingsError`` for an unknown one."""
    from training.data.source import FramesSource

    given = {name: value for name, _, value in (entry.partition("=") for entry in read or [])}
    return checked(FramesSource, {**given, "kind": kind, "path": path})
