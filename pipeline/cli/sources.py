"""``python -m pipeline sources``: what the sources would bring, what is known of it, and fetching without building."""

import functools
import os
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from pipeline.contract.errors import VideoError
from pipeline.settings import Settings, data_url, load_settings
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import VideoState
from pipeline.sources.discover import SourceReport, check, discover
from pipeline.sources.entries import read_entries
from pipeline.sources.fetching import Fetcher, mark_fetched
from pipeline.sources.web.explain import one_line
from pipeline.stages.bodies import Workbench
from pipeline.stages.run import run_stage
from pipeline.store.files import Store

DEFAULT_SOURCES = "sources.yaml"
POLL_S = 5.0
LEAST_POLL_S = 0.5
NAMED_IDS = 8

app = typer.Typer(help="Where videos come from.", no_args_is_help=True)
console = Console()

SourcesOption = Annotated[str | None, typer.Option(help="A .yaml file or sources themselves; SOURCES or sources.yaml.")]
DataOption = Annotated[str | None, typer.Option("--data", help="Data folder; YOUTUBE_OCC_DATA or ./data.")]
FileOption = Annotated[Path | None, typer.Option("--settings", help="YAML file laid over the profile.")]


@app.command("check")
def check_sources(sources: SourcesOption = None, data: DataOption = None, settings_file: FileOption = None) -> None:
    """List what each source would bring now. No video is fetched and nothing is written down."""
    listed = read_entries(sources or os.environ.get("SOURCES") or DEFAULT_SOURCES)
    settings = _settings(settings_file)
    reports = check(Store(data_url(data)), listed, settings.download.web)
    console.print(_table(reports, "new"))


@app.command("poll")
def poll_sources(sources: SourcesOption = None, data: DataOption = None, settings_file: FileOption = None) -> None:
    """Enter what the sources list now into the catalog."""
    listed = read_entries(sources or os.environ.get("SOURCES") or DEFAULT_SOURCES)
    reports = discover(Store(data_url(data)), listed, _settings(settings_file).download.web)
    console.print(_table(reports, "entered"))


@app.command("fetch")
def fetch_videos(
    data: DataOption = None,
    settings_file: FileOption = None,
    wait: Annotated[bool, typer.Option(help="Stay until nothing is left to be asked for.")] = False,
) -> None:
    """Fetch every video of the catalog that is due, without building anything of it."""
    store, settings = Store(data_url(data)), _settings(settings_file)
    fetcher = Fetcher(store, settings.download, lambda video_id: _fetch_one(store, video_id, settings))
    while True:
        fetcher.fetch_due(settings.dataset.order)
        due = fetcher.next_due() if wait else None
        if due is None:
            break
        time.sleep(min(POLL_S, max(LEAST_POLL_S, (due - datetime.now(UTC)).total_seconds())))
    console.print(_states(store))


@app.command("states")
def show_states(data: DataOption = None) -> None:
    """Count the videos of the catalog by source, state and last error."""
    console.print(_states(Store(data_url(data))))


@app.command("retry")
def retry_videos(
    video_ids: Annotated[list[str], typer.Argument(help="Ids, as in <data>/videos/.")], data: DataOption = None
) -> None:
    """Let videos be asked for again whatever is known about them: gone, rejected, given up, a duplicate."""
    catalog = Catalog(Store(data_url(data)))
    fresh = functools.partial(replace, state=VideoState.NEW, tries=0, next_try=None, duplicate_of="", sha256="")
    for video_id in video_ids:
        console.print(f"{video_id}: was {catalog.row(video_id).state}", markup=False)
    catalog.update(video_ids, fresh)


def _settings(file: Path | None) -> Settings:
    given = file or os.environ.get("YOUTUBE_OCC_SETTINGS")
    return load_settings(os.environ.get("YOUTUBE_OCC_PROFILE") or "classic", Path(given) if given else None)


def _fetch_one(store: Store, video_id: str, settings: Settings) -> None:
    video = store.video(video_id)
    with video.locked():
        try:
            run_stage("video", Workbench(video, settings))
        except VideoError as error:
            console.print(f"{video_id}: {error.code}: {error}", style="yellow", markup=False)
            raise
        mark_fetched(video)


def _table(reports: list[SourceReport], verb: str) -> Table:
    table = Table("source", "listed", "known", verb, "not wanted", "error", f"first {NAMED_IDS}")
    for report in reports:
        unwanted = ", ".join(f"{count} {reason}" for reason, count in Counter(report.unwanted).most_common(4))
        ids = " ".join(report.fresh[:NAMED_IDS])
        counts = (str(report.listed), str(report.known), str(len(report.fresh)))
        table.add_row(one_line(report.name), *counts, unwanted, one_line(report.error), ids)
    return table


def _states(store: Store) -> Table:
    columns = ["source", "state", "last_error"]
    counted = Catalog(store).table(columns).group_by(columns).aggregate([([], "count_all")])
    table = Table("source", "state", "last error", "videos")
    for row in counted.sort_by([(name, "ascending") for name in columns]).to_pylist():
        table.add_row(one_line(row["source"]), row["state"], row["last_error"], str(row["count_all"]))
    return table
