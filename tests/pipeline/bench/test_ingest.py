import json
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
import typer
from typer.testing import CliRunner

from pipeline.bench import ingest as bench
from pipeline.bench.ingest import catalog, copies, discovery, main
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import VideoState
from pipeline.store.store import Store


@pytest.fixture(autouse=True)
def _small_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "BATCH", 20)
    monkeypatch.setattr(bench, "UPDATES", 3)
    monkeypatch.setattr(bench, "LOADED_AT_ONCE", 70)
    monkeypatch.setattr(bench, "LOOKUPS", 10)


def test_a_catalog_is_filled_in_parts_and_changed_in_batches(tmp_path: Path):
    figures = catalog(tmp_path, 200)
    filled = Catalog(Store(tmp_path))
    assert figures["rows"] == len(filled.video_ids()) == 200
    changed = filled.table(["state"])["state"].to_pylist().count(VideoState.FETCHED)
    assert 20 <= changed <= 60, "three batches of twenty, some rows twice"
    assert 0 < figures["batch_median_s"] <= figures["batch_worst_s"]
    assert figures["bytes"] == sum(path.stat().st_size for path in tmp_path.rglob("*.parquet"))


def test_rows_have_ids_of_their_own():
    rows = [bench._row(n) for n in range(5000)]
    assert len({row.video_id for row in rows}) == 5000
    assert all(len(row.video_id) == 11 for row in rows)


def test_copies_are_found_though_a_tenth_of_their_bits_differ(tmp_path: Path):
    figures = copies(tmp_path, 100)
    assert figures["recall"] == 1
    assert figures["bytes"] == (tmp_path / "index.sqlite").stat().st_size > 0
    assert figures["median_s"] > 0


def test_a_feed_is_discovered_in_a_process_of_its_own(tmp_path: Path):
    figures = discovery(tmp_path, 30)
    assert figures["entries"] == len(Catalog(Store(tmp_path)).video_ids()) == 30
    assert 0 < figures["megabytes_before"] <= figures["megabytes_peak"]


def test_the_command_prints_all_three(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bench, "VIDEOS", 30)
    monkeypatch.setattr(bench, "discovery", lambda folder, entries: {"entries": entries, "new": not folder.exists()})
    app = typer.Typer()
    app.command()(main)
    printed = CliRunner().invoke(app, ["--rows", "50", "--entries", "7"], catch_exceptions=False)
    figures = json.loads(printed.output)
    assert list(figures) == ["catalog", "discovery", "copies"]
    assert figures["catalog"]["rows"] == 50
    assert figures["discovery"] == {"entries": 7, "new": True}
    assert figures["copies"]["videos"] == 30


def test_the_feed_lists_as_many_entries_as_asked_and_ends_with_the_block():
    with bench._feed(3) as address:
        text = urlopen(address).read().decode()  # noqa: S310 - our own server
    assert text.count("<entry>") == 3
    assert "http://127.0.0.1/v/2.mp4" in text
    with pytest.raises(URLError):
        urlopen(address)  # noqa: S310
