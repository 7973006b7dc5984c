"""Commands to look closely: settings, pictures of every stage, what was left out."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from pipeline.cli.ids import TakesIds
from pipeline.cli.options import (
    LOOK,
    DataOption,
    FileOption,
    ProfileOption,
    SetOption,
    SourcesOption,
    VideoArgument,
    completed_stages,
    completed_videos,
    flags,
    resolved,
    store_at,
)
from pipeline.cli.printers import bar, console
from pipeline.cli.state import known_videos
from pipeline.contract.progress import counted
from pipeline.settings import described
from pipeline.sources.entries import listed_sources
from pipeline.stages.registry import check_stage, stages
from pipeline.store.atomic import disk_errors

NAMED_FAILURES = 3
"""Videos that are named for every error; catalogs may hold many that failed alike."""

PICTURE_BYTES = 4_000_000
JPEG_QUALITY = 92


def add_to(app: typer.Typer) -> None:
    """Add the commands to a command line."""
    app.command(
        rich_help_panel=LOOK,
        epilog="Example: youtube-occ preview tour-7 --stage occupancy --clip 2 --frame 0 --png --dpi 300",
        cls=TakesIds,
    )(preview)
    app.command("settings", rich_help_panel=LOOK, epilog="Example: youtube-occ settings --why")(show_settings)
    app.command(rich_help_panel=LOOK, epilog="Example: youtube-occ verify --data data", cls=TakesIds)(verify)
    app.command("rejects", rich_help_panel=LOOK, epilog="Example: youtube-occ rejects --out rejects")(show_rejects)


def preview(
    video_id: VideoArgument,
    data: DataOption = None,
    out: Annotated[Path, typer.Option(help="Folder for the pictures.")] = Path("preview"),
    stage: Annotated[str | None, typer.Option(help="Only this stage.", autocompletion=completed_stages)] = None,
    clip: Annotated[int | None, typer.Option(help="Clip to show; by default the fullest.")] = None,
    frame: Annotated[int | None, typer.Option(min=0, help="Frame of the clip, from 0; else a telling one.")] = None,
    png: Annotated[bool, typer.Option("--png", help="PNG, without loss, instead of JPEG.")] = False,
    dpi: Annotated[int, typer.Option(min=48, max=600, help="Dots per inch: 96 for a screen, 300 for print.")] = 96,
) -> None:
    """Write a picture of every stage of a built video: clips, depth, cameras, labels, grids; with title and legend."""
    from pipeline.pictures.chosen import Chosen
    from pipeline.stages.page import figure_of

    check_stage(stage)
    store, chosen = store_at(data), Chosen(clip, frame)
    known_videos(store, [video_id])
    video = store.video(video_id)
    which = "".join(f"-{name}{number}" for name, number in (("clip", clip), ("frame", frame)) if number is not None)
    names = [stage] if stage else list(stages())
    with bar(passing=True) as progress:
        figures = {name: figure_of(video, name, chosen, dpi) for name in counted(names, progress, "preview")}
    for name, picture in figures.items():
        path = out / f"{video_id}-{name}{which}.{'png' if png else 'jpg'}"
        with disk_errors():
            out.mkdir(parents=True, exist_ok=True)
            picture.save(path, dpi=(dpi, dpi), quality=JPEG_QUALITY)  # which PNG has no use for
        console.print(str(path))


def show_settings(
    data: DataOption = None,
    sources: SourcesOption = None,
    profile: ProfileOption = None,
    settings_file: FileOption = None,
    values: SetOption = None,
    why: Annotated[bool, typer.Option("--why", help="Also show where each value comes from.")] = False,
) -> None:
    """Print every setting as it holds for the next build, a line each, for 'youtube-occ settings | grep clips'."""
    listed = listed_sources(sources, required=False)
    found = resolved(flags(profile, settings_file, values), store_at(data), listed)
    for name, value, description in described(found.settings):
        line = Text(name, "bold").append(f" = {value}", "default")
        if why:
            line.append(f"  <- {found.origin(name) or 'default'}", "cyan")
        console.print(line.append(f"  # {description}" if description else "", "dim"), soft_wrap=True)


def verify(
    video_ids: Annotated[
        list[str] | None, typer.Argument(help="Videos to verify; all by default.", autocompletion=completed_videos)
    ] = None,
    data: DataOption = None,
    aside: Annotated[
        bool, typer.Option("--set-aside", help="Move damaged results aside, so that the next build makes them again.")
    ] = False,
) -> None:
    """Read every file of a dataset and compare it with the checksum that was noted when it was written.

    Exits with 1 where something is not as it was written. Nothing is changed unless --set-aside says so, and nothing is
    deleted: what is damaged goes to the folder 'damaged' of its video.
    """
    from pipeline.dataset.verify import set_aside
    from pipeline.dataset.verify import verify as problems_of

    store, found = store_at(data), 0
    wanted = known_videos(store, video_ids)
    with bar() as progress:
        for problem in problems_of(store, wanted, progress):
            found += 1
            progress.console.print(f"{problem.video_id}: {problem.detail}", soft_wrap=True)
            if aside and problem.group:
                progress.console.print(f"{problem.video_id}: {set_aside(store, problem)}", soft_wrap=True)
    console.print(f"{len(wanted)} videos read, {found} problems")
    if found:
        raise typer.Exit(1)


def show_rejects(
    data: DataOption = None,
    profile: ProfileOption = None,
    settings_file: FileOption = None,
    values: SetOption = None,
    out: Annotated[Path, typer.Option(help="Folder for the contact sheets.")] = Path("rejects"),
) -> None:
    """Count the clips that were left out, by reason, and write a contact sheet for each; then videos that failed."""
    from pipeline.dataset.rejects import failed_videos, reject_sheet, rejects
    from pipeline.pictures.encode import jpeg

    store = store_at(data)
    filters = resolved(flags(profile, settings_file, values), store).settings.dataset.filters
    out.mkdir(parents=True, exist_ok=True)
    with bar(passing=True) as progress:
        found = rejects(store, filters, progress)
        for code in counted(found, progress, "sheets"):
            path = out / f"{code}.jpg"
            path.write_bytes(jpeg(reject_sheet(store, found[code]), PICTURE_BYTES))
            progress.console.print(f"{len(found[code]):>6} {code:<24} {path}")
    if not found:
        console.print("no clip was left out")
    for code, videos in failed_videos(store).items():
        console.print(f"{len(videos):>6} {code:<24} {'video' if len(videos) == 1 else 'videos'} without a result")
        for line in videos[:NAMED_FAILURES]:
            console.print(Text(f"       {line}"), soft_wrap=True)
