"""Commands on the state of a dataset: how far its videos are, and what was built of one deleted."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from pipeline.cli.ids import TakesIds
from pipeline.cli.options import (
    LOOK,
    DataOption,
    FileOption,
    ProfileOption,
    SetOption,
    SourcesOption,
    completed_videos,
    flags,
    resolved,
    store_at,
)
from pipeline.cli.printers import bar, console
from pipeline.contract.errors import SettingsError
from pipeline.contract.progress import counted
from pipeline.contract.values import like
from pipeline.dataset.drop import drop_video
from pipeline.dataset.status import StageState, VideoStatus, statuses
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.entries import listed_sources
from pipeline.stages.registry import stages
from pipeline.store.description import FORMAT_VERSION
from pipeline.store.store import Store

NAMED = 20
"""Videos that are not built and are named without being asked for."""


def add_to(app: typer.Typer) -> None:
    """Add the commands to a command line."""
    app.command("status", rich_help_panel=LOOK, epilog="Example: youtube-occ status --data data", cls=TakesIds)(
        show_status
    )
    app.command("migrate", rich_help_panel=LOOK, epilog="Example: youtube-occ migrate --data data", cls=TakesIds)(
        migrate_videos
    )
    app.command("drop", rich_help_panel=LOOK, epilog="Example: youtube-occ drop tour-7", cls=TakesIds)(drop)


def show_status(
    video_ids: Annotated[
        list[str] | None, typer.Argument(help="Videos to show; all by default.", autocompletion=completed_videos)
    ] = None,
    data: DataOption = None,
    sources: SourcesOption = None,
    profile: ProfileOption = None,
    settings_file: FileOption = None,
    values: SetOption = None,
    size: Annotated[
        bool | None, typer.Option("--size/--no-size", help="Count bytes; by default where files are of this machine.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON for each video.")] = False,
) -> None:
    """Show how far videos are: stages that are built, old or missing, failures and why, seconds and size."""
    store = store_at(data)
    wanted = known_videos(store, video_ids)
    listed = listed_sources(sources, required=False)
    settings = resolved(flags(profile, settings_file, values), store, listed).settings
    sizes = store.is_local() if size is None else size
    with bar() as progress:
        found = list(statuses(store, wanted, settings, sizes=sizes, progress=progress))
    if as_json:
        for video in found:
            typer.echo(json.dumps({**asdict(video), "failure": video.failure and video.failure.model_dump()}))
        return
    if not found:
        console.print(f"no video in {store.path()} yet: 'youtube-occ process' or a build makes the first")
        return
    console.print(_by_stage(found))
    for video in [one for one in found if video_ids or one.next_stage is not None][: None if video_ids else NAMED]:
        console.print(Text.assemble((f"{video.video_id}: ", "bold"), video.said), soft_wrap=True)
    unnamed = sum(video.next_stage is not None for video in found) - NAMED
    if not video_ids and unnamed > 0:
        console.print(f"... and {unnamed} more that are not built; --json names all")
    total = f", {sum(video.size for video in found) / 1e6:,.1f} MB" if sizes else ""
    console.print(f"{_in_all(found)}{total}")
    if rate := _of_a_thousand_clips(found):
        console.print(rate, soft_wrap=True)


def drop(
    video_ids: Annotated[
        list[str], typer.Argument(help="Videos whose results are deleted.", autocompletion=completed_videos)
    ],
    data: DataOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Delete what was built of some videos, with what was fetched for it.

    A video that a source still lists is built anew by the next build; take it out of the sources to be rid of it. The
    index loses its rows when the asset 'dataset' is made next.
    """
    store = store_at(data)
    dropped = known_videos(store, video_ids)
    with bar(passing=True) as progress:
        bytes_of = {
            video_id: store.size(*store.video(video_id).folder) for video_id in counted(dropped, progress, "size")
        }
    for video_id, size in bytes_of.items():
        console.print(f"{video_id}: {size / 1e6:,.1f} MB")
    if not yes:
        typer.confirm(f"Delete {sum(bytes_of.values()) / 1e6:,.1f} MB of {len(dropped)} videos?", abort=True)
    with bar(passing=True) as progress:
        for video_id in counted(dropped, progress, "drop"):
            drop_video(store, Catalog(store), video_id)
            progress.console.print(f"{video_id}: deleted")


def migrate_videos(
    video_ids: Annotated[list[str] | None, typer.Argument(help="Videos to migrate; all by default.")] = None,
    data: DataOption = None,
) -> None:
    """Bring what earlier releases wrote to today's format: attributes, names of axes, checksums, the dataset's card.

    Values stay as they are, and nothing is built anew. A group is renewed as a whole, so that this may be stopped at
    any moment and run again; what is of today's format is left alone. What is damaged is named and left as it is; the
    command then ends with 1.
    """
    from pipeline.dataset.migrate import describe_dataset, migrate

    store, failed, renewed = store_at(data), 0, 0
    wanted = known_videos(store, video_ids)
    with bar() as progress:
        for video in migrate(store, wanted, progress):
            failed += bool(video.problem)
            renewed += not video.problem
            said = video.problem or f"format {FORMAT_VERSION}; groups renewed: {', '.join(video.groups) or 'none'}"
            progress.console.print(f"{video.video_id}: {said}", soft_wrap=True)
    if describe_dataset(store):
        console.print(f"described: {store.path('dataset', 'README.md')}, {store.path('dataset', 'croissant.json')}")
    console.print(
        f"{len(wanted)} videos: {renewed} migrated, {failed} left as they are, the others are of today's format"
    )
    if failed:
        raise typer.Exit(1)


def known_videos(store: Store, video_ids: Sequence[str] | None) -> list[str]:
    """Return the videos that are meant, all where none is named.

    Raises:
        SettingsError: there is no such video; the message names those that are like it. Or no video has such an id.
    """
    known = store.video_ids()
    for video_id in video_ids or ():
        if store.video(video_id).video_id not in set(known):
            raise SettingsError(f"there is no video {video_id} in {store.path()}{like(video_id, known)}")
    return list(dict.fromkeys(video_ids)) if video_ids else known


def _by_stage(found: Sequence[VideoStatus]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("stage")
    for head in (*StageState, "seconds", "CPU seconds", "GPU seconds", "peak MB"):
        table.add_column(str(head), justify="right")
    for at, name in enumerate(stages()):
        states = Counter(video.stages[at].state for video in found)
        seconds = sum(video.stages[at].seconds for video in found)
        costs = [cost for video in found if (cost := video.stages[at].cost) is not None]
        spent = [f"{sum(cost[unit] for cost in costs):,.1f}" for unit in ("cpu_seconds", "gpu_seconds")]
        peak = f"{max(cost['peak_bytes'] for cost in costs) / 1e6:,.0f}" if costs else ""
        row = [f"{seconds:,.1f}", *(spent if costs else ("", "")), peak]
        table.add_row(name, *(str(states[state]) for state in StageState), *row)
    return table


def _in_all(found: Sequence[VideoStatus]) -> str:
    """Return how many videos there are, how far they are, and how long their stages took."""
    counts = Counter(video.kind for video in found)
    told = ", ".join(f"{counts[kind]} {kind}" for kind in ("built", "old", "unfinished", "failed") if counts[kind])
    hours = sum(video.seconds for video in found) / 3600
    return f"{len(found)} {'video' if len(found) == 1 else 'videos'}: {told}; {hours:.2f} h of stages"


def _of_a_thousand_clips(found: Sequence[VideoStatus]) -> str:
    """Return what a thousand clips would cost, by what those of videos took that say so; empty where none does."""
    told = [video for video in found if video.clips and all(stage.cost for stage in video.stages)]
    clips, hours = sum(video.clips for video in told), []
    for unit in ("cpu_seconds", "gpu_seconds"):
        spent = sum(stage.cost[unit] for video in told for stage in video.stages if stage.cost)
        hours.append(spent * 1000 / max(clips, 1) / 3600)
    said = f"a thousand clips, as these {clips}: {hours[0]:,.1f} hours of a core, {hours[1]:,.1f} of a graphics card"
    return said if told else ""
