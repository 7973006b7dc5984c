"""A whole suite as one table: what ``youtube-occ score --suite`` builds, says meanwhile, and prints."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.options import resolved
from pipeline.cli.printers import bar, say_logged
from pipeline.contract.errors import SettingsError
from pipeline.contract.progress import Progress, lossless_output
from pipeline.settings import Layer
from pipeline.stages.needed_weights import fetch_weights
from pipeline.store.store import Store
from pipeline.tours.frozen import Look, looking

if TYPE_CHECKING:
    from pipeline.quality.rulers import Part, RulerReport

TRUTH_VARIABLE = "YOUTUBE_OCC_TRUTH"


class Suite(StrEnum):
    """What ``--suite`` may name."""

    TOURS = "tours"
    REAL = "real"


SuiteOption = Annotated[
    Suite | None,
    typer.Option(help="One table instead: rendered tours, easy and hard, or real footage with known truth (--truth)."),
]
TruthOption = Annotated[
    Path | None,
    typer.Option(
        envvar=TRUTH_VARIABLE,
        show_envvar=False,
        help="Folder of real footage, for --suite real; else YOUTUBE_OCC_TRUTH. RealEstate10K clips come with "
        "CameraCtrl, ICL-NUIM with Open3D's downloads, TUM RGB-D with cube_slam on GitHub; docs/results/rulers.md "
        "says which files and how they lie.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the suite's figures as JSON, and nothing else.")]


def check_suite(suite: Suite, truth: Path | None, plot: Path | None, *, labels_alone: bool) -> None:
    """Make sure that the other options fit a suite; raises ``SettingsError``."""
    if plot is not None or labels_alone:
        raise SettingsError("a suite is one table: leave out --plot and --labels-alone, or --suite")
    if suite is Suite.REAL and truth is None:
        message = (
            "--suite real wants a folder of real footage whose truth is known: name it with --truth or "
            f"{TRUTH_VARIABLE}; 'youtube-occ score --help' says where to get it"
        )
        raise SettingsError(message)


@dataclass(frozen=True)
class ChosenSuite:
    """A suite as the command line names it: truth of real footage, seeds of tours, purpose of a look, data folder."""

    suite: Suite
    truth: Path | None
    seeds: list[int]
    reporting: str | None
    data: str


def score_suite(chosen: ChosenSuite, built: Sequence[tuple[str, Layer]], *, as_json: bool) -> None:
    """Build a suite with every profile, each in its own folder, and print what it measures."""
    from pipeline.cli.tables import print_ruler
    from pipeline.quality.rulers import real_parts, tour_parts

    suite, truth, seeds = chosen.suite, chosen.truth, [] if chosen.suite is Suite.REAL else chosen.seeds
    parts = tour_parts(seeds) if truth is None or suite is Suite.TOURS else real_parts(truth)
    scored = ", ".join(layer.profile or "the dataset's profile" for _, layer in built)
    look = Look(f"youtube-occ score --suite {suite}", scored, chosen.reporting)
    with looking(seeds, look, chosen.data) as log:
        if not as_json:
            say_logged(log)
        reports = [_report(suite, parts, folder, layer, as_json=as_json) for folder, layer in built]
    if as_json:
        print(json.dumps([report.plain() for report in reports], indent=1))  # noqa: T201 - its purpose
    else:
        print_ruler(reports)


def _report(suite: Suite, parts: Sequence["Part"], folder: str, layer: Layer, *, as_json: bool) -> "RulerReport":
    from pipeline.quality.rulers import RulerReport, run_suite

    stores = {name: Store(f"{folder.rstrip('/')}/{name}") for name in dict.fromkeys(part.folder for part in parts)}
    settings = {name: resolved(layer, store).settings for name, store in stores.items()}
    for chosen in settings.values():
        fetch_weights(chosen, chosen.dataset.weight_mirrors)
    with _shown(as_json=as_json) as progress:
        found = run_suite(parts, stores, settings, progress)
    return RulerReport(suite=suite.value, profile=next(iter(settings.values())).profile, parts=found)


@contextmanager
def _shown(*, as_json: bool) -> Iterator[Progress]:
    """Show a line for every film and, on a terminal, a bar for what is being done; beside JSON, lines on stderr."""
    if as_json:
        lossless_output()
        yield lambda task, done, total, note="": _line(task, done, total, note)
        return
    with bar() as bars:

        def told(task: str, done: float, total: float, note: str = "") -> None:
            if task == "films":
                bars.console.print(f"{done:g} of {total:g} films done; {note}", soft_wrap=True)
            bars(task, done, total, note)

        yield told


def _line(task: str, done: float, total: float, note: str) -> None:
    if task == "films":
        print(f"{done:g} of {total:g} films done; {note}", file=sys.stderr, flush=True)  # noqa: T201 - its purpose
