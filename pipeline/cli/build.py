"""Commands that build: one video here and now, or rendered tours to be scored."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from models.errors import MissingExtra
from pipeline.cli.options import (
    BUILD,
    DataOption,
    FileOption,
    ProfileOption,
    ReportingOption,
    SetOption,
    flags,
    resolved,
    sources_naming,
    store_at,
)
from pipeline.cli.printers import bar, console, error_line, print_markdown, report_lines, say_logged
from pipeline.contract.errors import PipelineError
from pipeline.dataset.mixture import entered
from pipeline.doctor.examine import check_ready
from pipeline.settings import PROFILES, Settings
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.current_rules import bring_rules
from pipeline.sources.video_source import parse_source
from pipeline.stages.base import Workbench
from pipeline.stages.needed_weights import fetch_weights
from pipeline.stages.registry import check_stage, stages
from pipeline.stages.run import is_built, process_video
from pipeline.stages.semantics.backends import segmenter
from pipeline.stages.semantics.stage import semantics
from pipeline.store.store import Store, data_url
from pipeline.tours.frozen import Look, looking
from pipeline.tours.seeds import DEFAULT_SEEDS, seed_list

if TYPE_CHECKING:
    from pipeline.quality import QualityReport


def add_to(app: typer.Typer) -> None:
    """Add the commands to a command line."""
    app.command(rich_help_panel=BUILD, epilog="Example: youtube-occ process tour://7 --data /tmp/look")(process)
    app.command(rich_help_panel=BUILD, epilog="Example: youtube-occ score --profile classic,small")(score)


def _stages(incomplete: str) -> list[str]:
    return [name for name in stages() if name.startswith(incomplete)]


def process(
    source: Annotated[str, typer.Argument(help="tour://SEED, a video file, or an http(s) URL.", show_default=False)],
    data: DataOption = None,
    profile: ProfileOption = None,
    settings_file: FileOption = None,
    values: SetOption = None,
    until: Annotated[
        str | None, typer.Option(help="Stop after this stage, to look at what it makes.", autocompletion=_stages)
    ] = None,
) -> None:
    """Run all stages on one video, here and now. What is already done with the same settings is reused."""
    check_stage(until)
    store, video = store_at(data), parse_source(source)
    catalog = Catalog(store)
    listed = sources_naming(video, catalog)
    settings = resolved(flags(profile, settings_file, values), store, listed).settings
    entered(store, video, settings)
    if listed is not None:
        bring_rules(catalog, listed)
    if not is_built(store.video(video.video_id), settings):
        check_ready(store, settings, [video.origin], until=until)
        fetch_weights(settings, settings.dataset.weight_mirrors, until=until)
    with bar() as progress:
        workbench = Workbench(store.video(video.video_id), catalog, settings, progress)
        for report in process_video(workbench, keep_source=settings.dataset.keep_videos, until=until):
            progress.console.print(report_lines(report))
    said = f"stopped after {until}" if until else "done"
    console.print(f"{said}: {store.path('videos', video.video_id)}")


def score(
    seeds: Annotated[str, typer.Option(help="Tours to score: 1000001-1000010 or 3,5,8.")] = DEFAULT_SEEDS,
    data: DataOption = None,
    profiles: Annotated[
        list[str] | None, typer.Option("--profile", help=f"Of {', '.join(PROFILES)}; several are set side by side.")
    ] = None,
    settings_file: FileOption = None,
    values: SetOption = None,
    plot: Annotated[Path | None, typer.Option(help="Write the plots to this PNG.")] = None,
    labels_alone: Annotated[
        bool, typer.Option("--labels-alone", help="Score the segmenter on true cameras and depth; builds nothing.")
    ] = False,
    reporting: ReportingOption = None,
) -> None:
    """Build rendered tours and compare every stage with their exact truth.

    Seeds below 1,000,000 are trained on, 1000001-1000010 tuned on, and later ones frozen: for figures that are
    reported, with --reporting, and every look is logged. Work that is done is reused: with several profiles, each has
    its own folder below the data folder. The tours join the dataset there: give them a folder of their own with --data.
    """
    from pipeline.quality import plot_side_by_side, side_by_side

    names: list[str | None] = [*dict.fromkeys(name for given in profiles or [] for name in given.split(","))] or [None]
    folders = [data_url(data)] if len(names) == 1 else [f"{data_url(data).rstrip('/')}/{name}" for name in names]
    stores = [Store(folder) for folder in folders]
    said = [flags(name, settings_file, values) for name in names]
    every = [resolved(layer, store).settings for layer, store in zip(said, stores, strict=True)]
    look = Look("youtube-occ score", ", ".join(settings.profile for settings in every), reporting)
    with looking(seed_list(seeds), look, data_url(data)) as log:
        say_logged(log)
        if labels_alone:
            return _score_labels(every, seed_list(seeds))
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


def _scored(store: Store, settings: Settings, seeds: str) -> "QualityReport":
    """Build tours with one profile, going on past those that fail, and score them."""
    from pipeline.quality import tour_quality

    console.print(f"profile {settings.profile}", style="bold")
    fetch_weights(settings, settings.dataset.weight_mirrors)
    catalog = Catalog(store)
    video_ids = catalog.add([parse_source(f"tour://{seed}") for seed in seed_list(seeds)])
    with bar() as progress:
        for video_id in video_ids:
            progress.console.print(video_id, style="bold")
            try:
                for report in process_video(Workbench(store.video(video_id), catalog, settings, progress)):
                    progress.console.print(report_lines(report))
            except (PipelineError, MissingExtra) as error:
                progress.console.print(error_line(error))
        return tour_quality(store, video_ids, settings, progress)
