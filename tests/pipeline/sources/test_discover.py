"""Discovery against a real server on the loopback: feeds and pages, incremental, with rules, hostile or failing."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.contract.records import Segment
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import VideoState
from pipeline.sources.discover import check, discover
from pipeline.sources.entries import SourceEntry, SourceKind, SourceList, read_entries
from pipeline.sources.web.hosts import Hosts
from pipeline.sources.web.settings import WebSettings
from pipeline.store.store import Store
from tests.pipeline.sources.faulty_web import Web, serving

QUICK = WebSettings(interval_s=0, private_addresses=True)
ID = "dQw4w9WgXcQ"


@pytest.fixture
def web() -> Iterator[Web]:
    with serving(Web(b"film", count=30, listed=12)) as running:
        yield running


def entries(tmp_path: Path, *listed: object) -> SourceList:
    (tmp_path / "sources.yaml").write_text(json.dumps({"sources": listed}))
    return read_entries(str(tmp_path / "sources.yaml"))


def address(web: Web, path: str) -> str:
    return f"http://127.0.0.1:{web.port}/{path}"


@pytest.mark.parametrize("kind", ["rss", "atom"])
def test_a_feed_that_grows_brings_only_what_is_new(tmp_path: Path, web: Web, kind: str):
    store, listed = Store(tmp_path / "data"), entries(tmp_path, {"feed": address(web, f"feed.{kind}")})
    (before,) = check(Catalog(store), listed, QUICK)
    assert len(before.fresh) == 4
    assert len(Catalog(store)) == 0
    (first,) = discover(Catalog(store), listed, QUICK)
    web.listed = 21
    (second,) = discover(Catalog(store), listed, QUICK)
    assert (len(first.fresh), first.known, len(second.fresh), second.known) == (4, 0, 3, 4)
    assert Catalog(store).row(second.fresh[0]).source.named_urls == (address(web, f"feed.{kind}"),)


def test_a_channel_is_read_until_what_is_known_and_through_ytdlp(tmp_path: Path, web: Web):
    store, listed = Store(tmp_path / "data"), entries(tmp_path, {"channel": address(web, "page.html")})
    (first,) = discover(Catalog(store), listed, QUICK)
    assert first.error == ""
    assert len(first.fresh) == 12
    web.listed = 15
    (second,) = discover(Catalog(store), listed, QUICK)
    assert len(second.fresh) == 3


def test_a_source_that_fails_does_not_stop_the_others_and_its_host_rests(tmp_path: Path, web: Web):
    store = Store(tmp_path / "data")
    listed = entries(
        tmp_path,
        {"feed": address(web, "v/2.mp4")},
        {"list": "missing.csv"},
        {"feed": "http://127.0.0.2:1/"},
        "tour://4",
    )
    refused, missing, unreachable, tour = discover(Catalog(store), listed, QUICK)
    assert refused.error.startswith("DownloadRefused")
    assert missing.error.startswith("BrokenListing")
    assert unreachable.error.startswith("DownloadTransient")
    assert tour.fresh == ["tour-4"]
    assert Hosts.of(store, QUICK).state(f"127.0.0.1:{web.port}").refusals == 1


def test_a_feed_may_not_lead_into_a_private_network(tmp_path: Path, web: Web):
    store = Store(tmp_path / "data")
    listed = entries(tmp_path, {"feed": f"http://127.0.0.1:{web.port}/to/127.0.0.2"})
    (report,) = discover(Catalog(store), listed, WebSettings(interval_s=0))
    assert report.error.startswith("ForbiddenAddress")
    assert [asked.host for asked in web.asked] == ["127.0.0.1"]


def test_rules_leave_out_what_is_not_wanted(tmp_path: Path):
    rows = ["id,title,duration,published", f"{ID},Kitchen tour,100,2024-05-05", "aaaaaaaaaaa,Vlog,100,2024-05-05"]
    rows += [
        "bbbbbbbbbbb,House tour,9000,2024-05-05",
        "ccccccccccc,House tour,100,2020-01-01",
        "ddddddddddd,House tour,,",
    ]
    (tmp_path / "ids.csv").write_text("\n".join(rows))
    rules = {"title_include": ["tour"], "title_exclude": ["garden"], "duration_max_s": 600, "since": "2023-01-01"}
    (report,) = discover(Catalog(Store(tmp_path / "data")), entries(tmp_path, {"list": "ids.csv", **rules}), QUICK)
    assert report.fresh == [ID, "ddddddddddd"]
    assert sum(report.unwanted.values()) == 3


def test_stretches_of_one_video_are_gathered_and_the_limit_holds(tmp_path: Path):
    (tmp_path / "ids.csv").write_text(f"id,start,end\n{ID},9,12\n{ID},3,5\n")
    store, listed = Store(tmp_path / "data"), entries(tmp_path, {"list": "ids.csv"})
    discover(Catalog(store), listed, QUICK)
    assert Catalog(store).row(ID).segments == (Segment(3, 5), Segment(9, 12))
    (tmp_path / "ids.csv").write_text(f"id,start,end\n{ID},20,22\n")
    discover(Catalog(store), listed, QUICK)
    assert len(Catalog(store).row(ID).segments) == 3
    (report,) = check(Catalog(Store(tmp_path / "other")), entries(tmp_path, {"list": "ids.csv", "limit": 1}), QUICK)
    assert report.listed == 1


def test_videos_of_an_entry_that_is_gone_go_on_under_the_one_that_lists_them_now(
    tmp_path: Path, web: Web, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("pipeline.sources.discover.KNOWN_RUN", 5)
    catalog, before = Catalog(Store(tmp_path / "data")), address(web, "page.html")
    after = before.replace("127.0.0.1", "localhost")
    discover(catalog, entries(tmp_path, {"channel": before}), QUICK)
    assert set(catalog.table(["source"])["source"].to_pylist()) == {f"channel {before}"}
    for known in (12, 5):
        (report,) = discover(catalog, entries(tmp_path, {"channel": after}), QUICK)
        assert (report.error, report.fresh, report.known) == ("", [], known), "read whole once, though all is known"
        assert set(catalog.table(["source"])["source"].to_pylist()) == {f"channel {after}"}


def test_a_local_file_that_was_replaced_is_read_again_when_sources_are_looked_at(tmp_path: Path):
    store, film = Store(tmp_path / "data"), tmp_path / "film.mp4"
    film.write_text("one")
    listed = entries(tmp_path, str(film))
    ((video_id,),) = (report.fresh for report in discover(Catalog(store), listed, QUICK))
    video = store.video(video_id)
    video.write_json("source.json", {"sha256": hashlib.sha256(b"one").hexdigest()})
    Catalog(store).update([video_id], lambda row: replace(row, state=VideoState.FETCHED))
    discover(Catalog(store), listed, QUICK)
    assert video.exists("source.json")
    film.write_text("another")
    discover(Catalog(store), listed, QUICK)
    assert Catalog(store).row(video_id).state is VideoState.NEW
    assert not video.exists("source.json")


@pytest.mark.parametrize("source", ["file:///etc/passwd", "ftp://a.org/", "http://user:secret@a.org/feed"])
def test_a_listing_is_asked_for_over_http_alone(tmp_path: Path, source: str):
    for kind in ("feed", "channel", "playlist"):
        (report,) = discover(Catalog(Store(tmp_path / "data")), entries(tmp_path, {kind: source}), QUICK)
        assert report.error
        assert "secret" not in report.error


def test_a_missing_folder_is_an_error_and_the_other_sources_go_on(tmp_path: Path):
    (tmp_path / "films").mkdir()
    for name in ("a.MTS", "b.m2ts", "c.3gp", "d.wmv", "e.txt", "f.jpg", ".hidden"):
        (tmp_path / "films" / name).touch()
    entries = [SourceEntry(kind=SourceKind.FOLDER, source=name) for name in ("nowhere", "films")]
    listed = SourceList(entries=tuple(entries), folder=tmp_path)
    missing, films = discover(Catalog(Store(tmp_path / "data")), listed, WebSettings())
    assert "there is no folder nowhere" in missing.error
    assert missing.fresh == []
    assert len(films.fresh) == 4
    assert films.skipped.described() == ["2 files of other kinds (1 .jpg, 1 .txt)"]
