"""Rules as they are now, on videos that are known already: a real sources file, feeds and pages on the loopback."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.contract.errors import CorruptStore, UnwantedVideo
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import ASKABLE, CatalogRow, VideoState
from pipeline.sources.current_rules import bring_rules, rules_of
from pipeline.sources.discover import discover
from pipeline.sources.entries import SourceList, read_entries
from pipeline.sources.video_source import VideoSource
from pipeline.sources.web.settings import WebSettings
from pipeline.stages.failures import last_failure, record_failure
from pipeline.store.store import Store
from tests.pipeline.sources.faulty_web import Web, serving

QUICK = WebSettings(interval_s=0, private_addresses=True)
FEED = "https://a.example/feed"
PUBLISHED = datetime(2022, 6, 1, tzinfo=UTC)


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return Catalog(Store(tmp_path / "data"))


def listed(tmp_path: Path, *entries: object) -> SourceList:
    (tmp_path / "sources.yaml").write_text(json.dumps({"sources": entries}))
    return read_entries(str(tmp_path / "sources.yaml"))


def known(catalog: Catalog, tmp_path: Path, state: VideoState, rules: dict[str, Any], **facts: Any) -> str:
    """A video of the feed that was registered while the feed had these rules."""
    (entry,) = listed(tmp_path, {"feed": FEED, **rules}).entries
    source = VideoSource(kind="url", origin=f"https://a.example/{state}.mp4", listed_by=entry.name)
    row = CatalogRow(source.video_id, source, entry.rules_json(), state=state, tries=1, last_error="UnwantedVideo")
    catalog.register([replace(row, **facts)])
    return row.video_id


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"height_max": 360}, {"height_max": 1080}),
        ({"creative_commons": True}, {}),
        ({"since": "2024-01-01"}, {"since": "2020-01-01"}),
        ({}, {"duration_max_s": 60}),
    ],
)
def test_the_rules_of_today_hold_for_a_video_that_waits(
    catalog: Catalog, tmp_path: Path, before: dict[str, Any], after: dict[str, Any]
):
    for state in (VideoState.NEW, VideoState.RETRY):
        key = known(catalog, tmp_path, state, before)
        sources = listed(tmp_path, {"feed": FEED, **after})
        assert bring_rules(catalog, sources) == [key]
        assert rules_of(catalog.row(key)).model_dump() == sources.entries[0].model_dump(exclude={"kind", "source"})
        assert catalog.row(key).state is state
        assert bring_rules(catalog, sources) == []


@pytest.mark.parametrize(
    ("before", "after", "wakes"),
    [
        ({"creative_commons": True}, {}, True),
        ({"since": "2024-01-01"}, {"since": "2020-01-01"}, True),
        ({"since": "2024-01-01"}, {"since": "2023-01-01"}, False),
        ({"duration_max_s": 60}, {"duration_max_s": 600}, True),
        ({"title_exclude": ["house"]}, {"title_exclude": ["garden"]}, True),
        ({"since": "2024-01-01"}, {"since": "2024-01-01"}, False),
    ],
)
def test_a_video_that_a_rule_spoke_against_is_asked_for_again_once_none_does(
    catalog: Catalog, tmp_path: Path, before: dict[str, Any], after: dict[str, Any], wakes: bool
):
    facts = {"published": PUBLISHED, "duration_s": 100.0, "title": "A house"}
    key = known(catalog, tmp_path, VideoState.UNWANTED, before, **facts)
    video = Store(tmp_path / "data").video(key)
    record_failure(video, "video", "wanted", UnwantedVideo("a rule"))
    bring_rules(catalog, listed(tmp_path, {"feed": FEED, **after}))
    row = catalog.row(key)
    assert (row.state is VideoState.NEW, row.tries == 0, last_failure(video) is None) == (wakes,) * 3


@pytest.mark.parametrize("state", sorted(set(VideoState) - {*ASKABLE, VideoState.UNWANTED}))
def test_what_is_fetched_or_has_another_reason_stays_as_it_is(catalog: Catalog, tmp_path: Path, state: VideoState):
    key = known(catalog, tmp_path, state, {"height_max": 360})
    before = catalog.row(key)
    assert bring_rules(catalog, listed(tmp_path, {"feed": FEED, "height_max": 1080})) == []
    assert catalog.row(key) == before


def test_videos_of_sources_that_are_not_listed_keep_their_rules(catalog: Catalog, tmp_path: Path):
    key = known(catalog, tmp_path, VideoState.NEW, {"height_max": 360})
    assert bring_rules(catalog, listed(tmp_path, {"feed": "https://b.example/"}, "tour://1")) == []
    assert rules_of(catalog.row(key)).height_max == 360


def test_a_video_that_is_named_itself_has_the_rules_of_its_entry(catalog: Catalog, tmp_path: Path):
    url = "https://a.example/house.mp4"
    discover(catalog, listed(tmp_path, {"video": url, "height_max": 360}, "tour://1"), QUICK)
    sources = listed(tmp_path, {"video": url, "height_max": 1080}, "tour://1")
    (key,) = bring_rules(catalog, sources)
    assert (key, rules_of(catalog.row(key)).height_max) == (sources_id(url), 1080)


def sources_id(url: str) -> str:
    return VideoSource(kind="url", origin=url).video_id


@pytest.fixture
def web() -> Iterator[Web]:
    with serving(Web(b"film", count=100, listed=90)) as running:
        yield running


def test_an_entry_takes_over_what_an_entry_that_is_gone_had_listed(catalog: Catalog, tmp_path: Path, web: Web):
    host = f"http://127.0.0.1:{web.port}"
    discover(catalog, listed(tmp_path, {"feed": f"{host}/feed.rss", "creative_commons": True}), QUICK)
    discover(catalog, listed(tmp_path, {"playlist": f"{host}/page.html", "height_max": 720}), QUICK)
    rows = catalog.rows(catalog.video_ids()).values()
    assert {row.source.listed_by for row in rows} == {f"playlist {host}/page.html"}
    assert {row.rules for row in rows} == {'{"height_max":720}'}


@pytest.mark.parametrize(("before", "after"), [({"limit": 40}, {"limit": 80}), ({"limit": 40}, {})])
def test_a_channel_is_read_whole_once_its_rules_have_changed(
    catalog: Catalog, tmp_path: Path, web: Web, before: dict[str, Any], after: dict[str, Any]
):
    channel = {"channel": f"http://127.0.0.1:{web.port}/page.html"}
    (first,) = discover(catalog, listed(tmp_path, {**channel, **before}), QUICK)
    (again,) = discover(catalog, listed(tmp_path, {**channel, **before}), QUICK)
    (changed,) = discover(catalog, listed(tmp_path, {**channel, **after}), QUICK)
    assert (len(first.fresh), again.listed, len(changed.fresh)) == (40, 30, after.get("limit", 90) - 40)


@pytest.mark.parametrize("written", ["\0", "{", '{"no_such": 1}', "[]"])
def test_rules_that_nobody_wrote_are_damage(written: str):
    row = CatalogRow("v", VideoSource.of_origin("tour://1"), rules=written)
    with pytest.raises(CorruptStore, match="restore it from a backup"):
        rules_of(row)
