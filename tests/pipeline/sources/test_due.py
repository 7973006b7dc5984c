"""Which videos may be worked on now, and in which order."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import CatalogRow, VideoState
from pipeline.sources.due import AgeOrder, DueVideo, by_age, due, due_at, site_of
from pipeline.sources.video_source import VideoSource
from pipeline.sources.web.hosts import Hosts
from pipeline.sources.web.settings import WebSettings
from pipeline.store.store import Store

SETTINGS = WebSettings(interval_s=0, jitter=0, pause_s=1000)
LATER, BEFORE = datetime.now(UTC) + timedelta(days=1), datetime.now(UTC) - timedelta(days=1)


def row(name: str, host: str = "a.org", **known: object) -> CatalogRow:
    return replace(CatalogRow(name, VideoSource.of_origin(f"https://{host}/{name}")), **known)


def catalog_of(folder: Path, *rows: CatalogRow) -> Catalog:
    catalog = Catalog(Store(folder))
    catalog.register(rows)
    return catalog


def ids(catalog: Catalog, order: AgeOrder = "oldest") -> list[str]:
    return [video.video_id for video in due(catalog, SETTINGS, order)]


def test_final_videos_and_those_whose_time_has_not_come_are_not_due(tmp_path: Path):
    states = [row(f"v-{state.replace('_', '-')}", state=state) for state in VideoState]
    waiting = [row("later", next_try=LATER), row("again", state=VideoState.RETRY, next_try=BEFORE)]
    assert set(ids(catalog_of(tmp_path, *states, *waiting))) == {"v-new", "v-retry", "v-not-yet", "v-fetched", "again"}


@pytest.mark.parametrize("state", [VideoState.RETRY, VideoState.NOT_YET])
def test_a_time_that_a_wrong_clock_wrote_keeps_nothing_waiting(tmp_path: Path, state: VideoState):
    wrong = datetime.now(UTC) + timedelta(days=3000)
    assert due_at(LATER, BEFORE, datetime.now(UTC)) == LATER
    catalog = catalog_of(tmp_path, row("clock", state=state, next_try=wrong + timedelta(hours=1), when=wrong))
    assert ids(catalog) == ["clock"]


def test_what_is_fetched_is_due_though_its_host_rests(tmp_path: Path):
    here = row("here", state=VideoState.FETCHED, built="0123")
    catalog = catalog_of(tmp_path, row("there"), here, row("elsewhere", "b.org"))
    Hosts.of(catalog.files, SETTINGS).refused("a.org", None)
    assert ids(catalog) == ["here", "elsewhere"]


def test_what_the_catalog_knows_of_the_results_comes_along(tmp_path: Path):
    catalog = catalog_of(tmp_path, row("one", built="0123"), row("two"))
    assert list(due(catalog, SETTINGS, "oldest")) == [DueVideo("one", "0123"), DueVideo("two", "")]


@pytest.mark.parametrize(("order", "expected"), [("oldest", "old new none tried"), ("newest", "new old none tried")])
def test_what_was_tried_least_comes_first_and_then_age_decides(tmp_path: Path, order: AgeOrder, expected: str):
    catalog = catalog_of(
        tmp_path,
        row("tried", tries=1, published=BEFORE - timedelta(days=900)),
        row("none"),
        row("new", published=BEFORE),
        row("old", published=BEFORE - timedelta(days=400)),
    )
    assert ids(catalog, order) == expected.split()


@pytest.mark.parametrize(("order", "expected"), [("oldest", ["a", "b", "c"]), ("newest", ["c", "b", "a"])])
def test_where_nothing_tells_the_age_registration_does(tmp_path: Path, order: AgeOrder, expected: list[str]):
    assert ids(catalog_of(tmp_path, row("a"), row("b"), row("c")), order) == expected


def test_sorting_an_empty_table_gives_one(tmp_path: Path):
    columns = ["tries", "published", "number"]
    assert by_age(catalog_of(tmp_path).table(columns), "oldest").num_rows == 0


@pytest.mark.parametrize(
    ("origin", "site"),
    [
        ("tour://5", "local"),
        ("/films/a.mp4", "local"),
        ("https://www.youtube.com/watch?v=x", "youtube.com"),
        ("http://127.0.0.1:8000/a", "127.0.0.1:8000"),
    ],
)
def test_everything_of_this_machine_is_one_site(origin: str, site: str):
    assert site_of(origin) == site
