"""``youtube-occ sources``: what the sources would bring, what is known of it, and fetching without building."""

import time
from collections import Counter
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from pipeline.cli.ids import TakesIds
from pipeline.cli.options import DataOption, FileOption, SetOption, SourcesOption, flags, resolved, store_at
from pipeline.cli.printers import console
from pipeline.contract.errors import VideoError
from pipeline.contract.waits import say_wait
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.current_rules import bring_rules, woken
from pipeline.sources.discover import SourceReport, check, discover
from pipeline.sources.entries import SourceList, listed_sources, read_entries, sources_text
from pipeline.sources.fetcher import Fetcher
from pipeline.sources.web.explain import one_line
from pipeline.stages.base import Workbench
from pipeline.stages.failures import forget_failure
from pipeline.stages.run import run_stage
from pipeline.stages.video.stage import video

POLL_S = 5.0
LEAST_POLL_S = 0.5
NAMED_IDS = 8

app = typer.Typer(help="Where videos come from.", no_args_is_help=True)


@app.command("check", epilog="Example: youtube-occ sources check --sources sources.yaml")
def check_sources(
    sources: SourcesOption = None, data: DataOption = None, settings_file: FileOption = None, values: SetOption = None
) -> None:
    """List what each source would bring now. No video is fetched and nothing is written down."""
    store, listed = store_at(data), read_entries(sources_text(sources))
    web = resolved(flags(None, settings_file, values), store, listed).settings.of(video).web
    _show(check(Catalog(store), listed, web), "new")


@app.command("poll", epilog="Example: youtube-occ sources poll --sources sources.yaml")
def poll_sources(
    sources: SourcesOption = None, data: DataOption = None, settings_file: FileOption = None, values: SetOption = None
) -> None:
    """Enter what the sources list now into the catalog."""
    store, listed = store_at(data), read_entries(sources_text(sources))
    web = resolved(flags(None, settings_file, values), store, listed).settings.of(video).web
    _show(discover(Catalog(store), listed, web), "entered")


@app.command("fetch", epilog="Example: youtube-occ sources fetch --wait")
def fetch_videos(
    data: DataOption = None,
    settings_file: FileOption = None,
    values: SetOption = None,
    wait: Annotated[bool, typer.Option(help="Stay until nothing is left to be asked for.")] = False,
) -> None:
    """Fetch every video of the catalog that is due, without building anything of it."""
    store = store_at(data)
    catalog = Catalog(store)
    settings = resolved(flags(None, settings_file, values), store, _bring_rules(catalog)).settings
    fetcher = Fetcher(
        catalog,
        settings.of(video).web,
        lambda video_id: _fetch_one(Workbench(store.video(video_id), catalog, settings)),
    )
    told: datetime | None = None
    while True:
        fetcher.fetch_due(settings.dataset.order)
        due = fetcher.next_due() if wait else None
        if due is None:
            break
        if due != told:
            say_wait("the next video that is due", (due - datetime.now(UTC)).total_seconds())
            told = due
        time.sleep(min(POLL_S, max(LEAST_POLL_S, (due - datetime.now(UTC)).total_seconds())))
        _bring_rules(catalog)
    console.print(_states(catalog))


@app.command("states", epilog="Example: youtube-occ sources states --data /tmp/look")
def show_states(data: DataOption = None) -> None:
    """Count the videos of the catalog by source, state and last error."""
    console.print(_states(Catalog(store_at(data))))


@app.command("retry", cls=TakesIds, epilog="Example: youtube-occ sources retry tour-7")
def retry_videos(
    video_ids: Annotated[list[str], typer.Argument(help="Ids, as in <data>/videos/.")], data: DataOption = None
) -> None:
    """Let videos be asked for again whatever is known about them: gone, rejected, given up, a duplicate."""
    store = store_at(data)
    catalog = Catalog(store)
    for video_id in video_ids:
        console.print(f"{video_id}: was {catalog.row(video_id).state}")
        forget_failure(store.video(video_id))
    catalog.update(video_ids, woken)


def _bring_rules(catalog: Catalog) -> SourceList | None:
    """Let the rules of the sources hold as they are now; return the sources, or None where nobody named any."""
    listed = listed_sources(None, required=False)
    if listed is not None:
        bring_rules(catalog, listed)
    return listed


def _fetch_one(workbench: Workbench) -> None:
    from pipeline.stages.video.arrive import mark_fetched

    with workbench.video.locked():
        try:
            run_stage(video.name, workbench)
        except VideoError as error:
            console.print(f"{workbench.video.video_id}: {error.code}: {error}", style="yellow")
            raise
        mark_fetched(workbench)


def _show(reports: list[SourceReport], verb: str) -> None:
    """Show what each source brought, and name what it lists that is no video."""
    console.print(_table(reports, verb))
    for report in reports:
        for line in report.skipped.described():
            console.print(f"{one_line(report.name)}: {line}", style="yellow", soft_wrap=True)


def _table(reports: list[SourceReport], verb: str) -> Table:
    table = Table("source", "listed", "known", verb, "not wanted", "error", f"first {NAMED_IDS}")
    for report in reports:
        unwanted = ", ".join(f"{count} {reason}" for reason, count in Counter(report.unwanted).most_common(4))
        ids = " ".join(report.fresh[:NAMED_IDS])
        counts = (str(report.listed), str(report.known), str(len(report.fresh)))
        table.add_row(one_line(report.name), *counts, unwanted, one_line(report.error), ids)
    return table


def _states(catalog: Catalog) -> Table:
    columns = ["source", "state", "last_error"]
    counted = (
        catalog.table([*columns, "next_try"]).group_by(columns).aggregate([([], "count_all"), ("next_try", "min")])
    )
    table = Table("source", "state", "last error", "videos", "due from (UTC)")
    for row in counted.sort_by([(name, "ascending") for name in columns]).to_pylist():
        due = f"{row['next_try_min']:%Y-%m-%d %H:%M}" if row["next_try_min"] else ""
        table.add_row(one_line(row["source"]), row["state"], row["last_error"], str(row["count_all"]), due)
    return table
