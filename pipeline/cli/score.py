"""The command that scores: rendered tours against their truth, stage by stage, or a whole suite in one table."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from models.errors import MissingExtra
from pipeline.cli.options import (
    BUILD,
    DataOption,
    FileOption,
    ReportingOption,
    SetOption,
    flags,
    resolved,
)
from pipeline.cli.printers import bar, console, error_line, print_markdown, report_lines, say_logged
from pipeline.cli.suites import ChosenSuite, JsonOption, SuiteOption, TruthOption, check_suite, score_suite
from pipeline.contract.errors import PipelineError, SettingsError
from pipeline.settings import Layer, Settings
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.video_source import parse_source
from pipeline.stages.base import Workbench
from pipeline.stages.needed_weights import fetch_weights
from pipeline.stages.profiles import PROFILES
from pipeline.stages.run import process_video
from pipeline.stages.semantics.backends import segmenter
from pipeline.stages.semantics.stage import semantics
from pipeline.store.store import Store, data_url
from pipeline.tours.frozen import Look, looking
from pipeline.tours.seeds import DEFAULT_SEEDS, RULER_SEEDS, seed_list

if TYPE_CHECKING:
    from pipeline.quality import QualityReport


def add_to(app: typer.Typer) -> None:
    """Add the command to a command line."""
    app.command(rich_help_panel=BUILD, epilog="Example: youtube-occ score --suite tours --data rulers")(score)


def score(
    seeds: Annotated[
        str | None,
        typer.Option(help=f"Tours: 1000001-1000010 or 3,5,8; else {DEFAULT_SEEDS}, of a suite {RULER_SEEDS}."),
    ] = None,
    data: DataOption = None,
    profiles: Annotated[
        list[str] | None, typer.Option("--profile", help=f"Of {', '.join(PROFILES)}; several are set side by side.")
    ] = None,
    settings_file: FileOption = None,
    values: SetOption = None,
    plot: Annotated[Path | None, typer.Option(help="Write the plots to this PNG; not of a suite.")] = None,
    labels_alone: Annotated[
        bool, typer.Option("--labels-alone", help="Score the segmenter on true cameras and depth; builds nothing.")
    ] = False,
    suite: SuiteOption = None,
    truth: TruthOption = None,
    as_json: JsonOption = False,
    reporting: ReportingOption = None,
) -> None:
    """Build films whose truth is known, and compare what comes of them with it.

    Rendered tours, stage by stage; or with --suite one table of tours, easy and hard, or of real footage. Seeds below
    1,000,000 are trained on, 1000001-1000010 tuned on, and later ones frozen: for figures that are reported, with
    --reporting, and every look is logged. Work that is done is reused: with several profiles, each has its own folder
    below the data folder. What is built joins the dataset there: give it a folder of its own with --data.
    """
    names: list[str | None] = [*dict.fromkeys(name for given in profiles or [] for name in given.split(","))] or [None]
    folders = [data_url(data)] if len(names) == 1 else [f"{data_url(data).rstrip('/')}/{name}" for name in names]
    said = [flags(name, settings_file, values) for name in names]
    built = list(zip(folders, said, strict=True))
    if suite is not None:
        check_suite(suite, truth, plot, labels_alone=labels_alone)
        chosen = ChosenSuite(suite, truth, seed_list(seeds or RULER_SEEDS), reporting, data_url(data))
        return score_suite(chosen, built, as_json=as_json)
    if as_json:
        raise SettingsError("--json prints the table of a suite: name one with --suite")
    return _score_stages(seed_list(seeds or DEFAULT_SEEDS), built, plot, reporting, data_url(data), labels_alone)


def _score_stages(
    seeds: list[int],
    built: Sequence[tuple[str, Layer]],
    plot: Path | None,
    reporting: str | None,
    root: str,
    labels_alone: bool,
) -> None:
    from pipeline.quality import plot_side_by_side, side_by_side

    stores = [Store(folder) for folder, _ in built]
    every = [resolved(layer, store).settings for store, (_, layer) in zip(stores, built, strict=True)]
    look = Look("youtube-occ score", ", ".join(settings.profile for settings in every), reporting)
    with looking(seeds, look, root) as log:
        say_logged(log)
        if labels_alone:
            return _score_labels(every, seeds)
        reports = [_scored(store, chosen, seeds) for store, chosen in zip(stores, every, strict=True)]
    alone = reports[0] if len(reports) == 1 else None
    print_markdown(alone.markdown() if alone else side_by_side(reports))
    if plot:
        plot.write_bytes(alone.plot() if alone else plot_side_by_side(reports))
        console.print(f"plots: {plot}")
    return None


def _score_labels(every: Sequence[Settings], seeds: Sequence[int]) -> None:
    from pipeline.quality.labels import labels_on_true_cameras

    for settings in every:
        figures = labels_on_true_cameras(segmenter(settings.of(semantics)), seeds)
        shown = ", ".join(f"{name} {value:.3f}" for name, value in figures.items())
        console.print(f"profile {settings.profile}, labels on true cameras and depth: {shown}")


def _scored(store: Store, settings: Settings, seeds: Sequence[int]) -> "QualityReport":
    """Build tours with one profile, going on past those that fail, and score them."""
    from pipeline.quality import tour_quality

    console.print(f"profile {settings.profile}", style="bold")
    fetch_weights(settings, settings.dataset.weight_mirrors)
    catalog = Catalog(store)
    video_ids = catalog.add([parse_source(f"tour://{seed}") for seed in seeds])
    with bar() as progress:
        for video_id in video_ids:
            progress.console.print(video_id, style="bold")
            try:
                for report in process_video(Workbench(store.video(video_id), catalog, settings, progress)):
                    progress.console.print(report_lines(report))
            except (PipelineError, MissingExtra) as error:
                progress.console.print(error_line(error))
        return tour_quality(store, video_ids, settings, progress)
