"""The work of a refresh is that of what changed: counted in calls of the file system, whatever the number of videos."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import typer
from fsspec.implementations.local import LocalFileSystem
from typer.testing import CliRunner

from assets.resources import PipelineResource
from pipeline.bench import refresh as bench
from pipeline.dataset.index import build_dataset
from pipeline.dataset.known import (
    KNOWN_SCHEMA,
    LEFT_OUT_SCHEMA,
    NEVER,
    KnownVideos,
    finished_rows,
    write_known,
)
from pipeline.dataset.selection import Selection
from pipeline.settings import load_settings
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import CatalogRow
from pipeline.sources.video_source import VideoSource, read_sources
from pipeline.store.changes import changes_of
from pipeline.store.store import Store

MANY, SHARES = 100_000, (60_000, 20_000, 10_000, 3)
"""Videos of a catalog, and those of them that are built, beyond hope, tried too often, and tried once."""

CALLS = ("exists", "info", "ls", "cat_file", "_open", "rm_file", "makedirs")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """Count the calls that reach the file system, which does its work as ever."""
    counted: Counter[str] = Counter()
    for name in CALLS:
        whole = getattr(LocalFileSystem, name)

        def call(self: Any, *given: Any, name: str = name, whole: Any = whole, **named: Any) -> Any:
            counted[name] += 1
            return whole(self, *given, **named)

        monkeypatch.setattr(LocalFileSystem, name, call)
    return counted


def test_one_change_costs_the_same_among_few_and_among_many(tmp_path: Path, calls: Counter[str]):
    costs = []
    for videos in (10, 300):
        store = bench.made_up_store(tmp_path / str(videos), videos, frames=2)
        bench.change(store, 3, frames=2)
        calls.clear()
        assert build_dataset(store, bench.SETTINGS).videos == videos
        costs.append(dict(calls))
    assert costs[0] == costs[1]
    assert 0 < sum(costs[0].values()) < 200


def test_where_nothing_changed_no_video_is_asked_for(tmp_path: Path, calls: Counter[str]):
    store = bench.made_up_store(tmp_path, 40, frames=2)
    (tmp_path / "videos").chmod(0o700)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "dataset").rglob("*")}
    calls.clear()
    build_dataset(store, bench.SETTINGS)
    assert sum(calls.values()) < 40
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "dataset").rglob("*")} == before


def test_the_sensor_does_not_ask_for_every_video(tmp_path: Path, calls: Counter[str]):
    settings, asked = load_settings(), []
    for videos in (5, 100):
        named = " ".join(f"tour://{n}" for n in range(1, videos + 1))
        store = Store(tmp_path / str(videos))
        Catalog(store).add(read_sources(named))
        known = KnownVideos(
            finished_rows(sorted(f"tour-{n}" for n in range(1, videos)), "0"), LEFT_OUT_SCHEMA.empty_table()
        )
        write_known(store, changes_of(store), known, settings.dataset.filters, Selection(settings=settings))
        pipeline = PipelineResource(data=str(store.root), sources=named, profile="classic")
        calls.clear()
        assert list(pipeline.missing()) == [f"tour-{videos}"]
        asked.append(dict(calls))
    assert asked[0] == asked[1]


def test_of_a_hundred_thousand_videos_only_those_that_failed_lately_are_looked_at(
    tmp_path: Path, calls: Counter[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    settings, store = load_settings(), Store(tmp_path / "data")
    names, (built, hopeless, tried, fresh) = [f"tour-{n}" for n in range(MANY)], SHARES
    Catalog(store).register(
        CatalogRow(name, VideoSource(kind="tour", origin=f"tour://{n}")) for n, name in enumerate(names)
    )
    failed = names[built : built + hopeless + tried + fresh]
    tries = [NEVER] * hopeless + [settings.dataset.give_up_after] * tried + [1] * fresh
    columns = [failed, [""] * len(failed), [False] * len(failed), ["{}"] * len(failed), tries, [0] * len(failed)]
    rows = pa.concat_tables([finished_rows(names[:built], "0"), pa.table(columns, KNOWN_SCHEMA)]).sort_by("video_id")
    known = KnownVideos(rows, LEFT_OUT_SCHEMA.empty_table())
    write_known(store, changes_of(store), known, settings.dataset.filters, Selection(settings=settings))
    pipeline = PipelineResource(data=str(store.root), profile="classic")
    calls.clear()
    assert list(pipeline.missing()) == names[built + hopeless + tried :]
    assert sum(calls.values()) < 40 * fresh


def test_what_may_have_changed_is_asked_for_all_the_same(tmp_path: Path):
    settings, store = load_settings(), Store(tmp_path)
    Catalog(store).add(read_sources("tour://1 tour://2"))
    known = KnownVideos(finished_rows(["tour-1", "tour-2"], "0"), LEFT_OUT_SCHEMA.empty_table())
    write_known(store, changes_of(store), known, settings.dataset.filters, Selection(settings=settings))
    pipeline = PipelineResource(data=str(tmp_path), sources="tour://1 tour://2", profile="classic")
    assert list(pipeline.missing()) == []
    with store.video("tour-2").locked():
        pass
    assert list(pipeline.missing()) == ["tour-2"], "its folder is empty in truth"
    other = pipeline.model_copy(update={"overrides": {"clips": {"frames_max": 31}}})
    assert list(other.missing()) == ["tour-1", "tour-2"], "what is known was made with other settings"


def test_the_command_prints_both_measurements():
    app = typer.Typer()
    app.command()(bench.main)
    printed = CliRunner().invoke(app, ["--videos", "50"], catch_exceptions=False)
    figures = json.loads(printed.output)
    assert list(figures) == ["nothing changed", "one video changed"]
    for found in figures.values():
        assert (found["videos"], found["frames"]) == (50, 50 * bench.FRAMES)
        assert 0 < found["megabytes_before"] <= found["megabytes_peak"]
