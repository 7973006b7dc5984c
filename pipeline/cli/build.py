"""The command that builds one video here and now."""

from typing import Annotated

import typer

from pipeline.cli.options import (
    BUILD,
    DataOption,
    FileOption,
    ProfileOption,
    SetOption,
    completed_stages,
    flags,
    resolved,
    sources_naming,
    store_at,
)
from pipeline.cli.printers import bar, console, report_lines
from pipeline.dataset.mixture import entered
from pipeline.doctor.examine import check_ready
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.current_rules import bring_rules
from pipeline.sources.video_source import parse_source
from pipeline.stages.base import Workbench
from pipeline.stages.needed_weights import fetch_weights
from pipeline.stages.registry import check_stage
from pipeline.stages.run import is_built, process_video


def add_to(app: typer.Typer) -> None:
    """Add the commands to a command line."""
    app.command(rich_help_panel=BUILD, epilog="Example: youtube-occ process tour://7 --data /tmp/look")(process)


def process(
    source: Annotated[str, typer.Argument(help="tour://SEED, a video file, or an http(s) URL.", show_default=False)],
    data: DataOption = None,
    profile: ProfileOption = None,
    settings_file: FileOption = None,
    values: SetOption = None,
    until: Annotated[
        str | None,
        typer.Option(help="Stop after this stage, to look at what it makes.", autocompletion=completed_stages),
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
