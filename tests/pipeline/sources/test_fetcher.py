"""Fetching what is due: host by host, a few at a time, and one host's refusal is not another's."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from pipeline.contract.errors import BrokenVideo, DiskFull, DownloadRefused, HostResting
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import CatalogRow, VideoState
from pipeline.sources.fetcher import Fetcher
from pipeline.sources.video_source import VideoSource
from pipeline.sources.web.hosts import Hosts
from pipeline.sources.web.settings import WebSettings
from pipeline.store.store import Store

ONE_BY_ONE = WebSettings(interval_s=0, parallel=1, per_host=1, pause_s=1000)


class Fetches:
    """Notes what is fetched, marks it, and ends with an error where one is due."""

    def __init__(self, catalog: Catalog, **errors: Exception) -> None:
        self.catalog, self.errors = catalog, errors
        self.asked: list[str] = []
        self.here, self.most = 0, 0
        self.lock = threading.Lock()

    def __call__(self, video_id: str) -> None:
        with self.lock:
            self.asked.append(video_id)
            self.here += 1
            self.most = max(self.most, self.here)
        try:
            if (error := self.errors.get(video_id.replace("-", "_"))) is not None:
                raise error
            self.catalog.update([video_id], lambda row: replace(row, state=VideoState.FETCHED))
        finally:
            with self.lock:
                self.here -= 1


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return Catalog(Store(tmp_path))


def register(catalog: Catalog, *places: str) -> None:
    """Register videos such as ``a-1``: the first on the host a.org."""
    catalog.register(
        CatalogRow(place, VideoSource.of_origin(f"https://{place.partition('-')[0]}.org/{place}")) for place in places
    )


def test_everything_that_is_due_is_fetched_once_oldest_first(catalog: Catalog):
    register(catalog, "a-1", "a-2", "a-3")
    fetches = Fetches(catalog)
    fetcher = Fetcher(catalog, ONE_BY_ONE, fetches)
    assert fetcher.fetch_due() == 3
    assert fetches.asked == ["a-1", "a-2", "a-3"]
    assert fetcher.fetch_due() == 0
    assert fetcher.next_due() is None


def test_the_newest_may_come_first(catalog: Catalog):
    register(catalog, "a-1", "a-2", "a-3")
    fetches = Fetches(catalog)
    Fetcher(catalog, ONE_BY_ONE, fetches).fetch_due("newest")
    assert fetches.asked == ["a-3", "a-2", "a-1"]


@pytest.mark.parametrize("error", [DownloadRefused("429"), HostResting("later")])
def test_a_host_that_refuses_is_left_and_the_others_go_on(catalog: Catalog, error: Exception):
    register(catalog, "a-1", "b-1", "a-2", "b-2")
    fetches = Fetches(catalog, a_1=error)
    assert Fetcher(catalog, ONE_BY_ONE, fetches).fetch_due() == 3
    assert "a-2" not in fetches.asked
    assert {"b-1", "b-2"} <= set(fetches.asked)


def test_a_video_that_fails_does_not_stop_its_host(catalog: Catalog):
    register(catalog, "a-1", "a-2")
    fetches = Fetches(catalog, a_1=BrokenVideo("junk"))
    assert Fetcher(catalog, ONE_BY_ONE, fetches).fetch_due() == 2
    assert fetches.asked == ["a-1", "a-2"]


@pytest.mark.parametrize("error", [DiskFull("full"), KeyError("a fault of ours")])
def test_a_full_disk_or_a_fault_stops_everything(catalog: Catalog, error: Exception):
    register(catalog, "a-1", "a-2", "b-1", "b-2")
    fetches = Fetches(catalog, a_1=error)
    with pytest.raises(type(error)):
        Fetcher(catalog, ONE_BY_ONE, fetches).fetch_due()
    assert fetches.asked == ["a-1"]


def test_a_host_that_rests_is_not_asked_and_its_time_is_told(catalog: Catalog):
    register(catalog, "a-1", "b-1")
    until = Hosts.of(catalog.files, ONE_BY_ONE).refused("a.org", None)
    fetches = Fetches(catalog)
    fetcher = Fetcher(catalog, ONE_BY_ONE, fetches)
    assert fetcher.fetch_due() == 1
    assert fetches.asked == ["b-1"]
    assert fetcher.next_due() == datetime.fromtimestamp(until, UTC)


def test_a_video_whose_time_has_not_come_waits_and_its_time_is_told(catalog: Catalog):
    register(catalog, "a-1", "a-2")
    later = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    catalog.update(["a-1"], lambda row: replace(row, state=VideoState.RETRY, next_try=later))
    fetches = Fetches(catalog)
    fetcher = Fetcher(catalog, ONE_BY_ONE, fetches)
    assert fetcher.fetch_due() == 1
    assert fetcher.next_due() == later


def test_what_an_extractor_could_never_read_is_asked_for_but_not_waited_for(catalog: Catalog):
    register(catalog, "a-1")
    later = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    for tries, waited in ((ONE_BY_ONE.tries_max - 1, later), (ONE_BY_ONE.tries_max, None)):
        catalog.update(["a-1"], partial(replace, state=VideoState.RETRY, next_try=later, tries=tries))
        assert Fetcher(catalog, ONE_BY_ONE, Fetches(catalog)).next_due() == waited
    catalog.update(["a-1"], partial(replace, next_try=None))
    fetches = Fetches(catalog)
    Fetcher(catalog, ONE_BY_ONE, fetches).fetch_due()
    assert fetches.asked == ["a-1"]


def test_a_broken_file_of_this_machine_is_tried_once_by_one_fetcher(catalog: Catalog):
    catalog.add([VideoSource.of_origin("/films/a.mp4")])
    (key,) = catalog.video_ids()
    fetches = Fetches(catalog, **{key.replace("-", "_"): BrokenVideo("junk")})
    fetcher = Fetcher(catalog, ONE_BY_ONE, fetches)
    assert (fetcher.fetch_due(), fetcher.fetch_due(), fetcher.next_due()) == (1, 0, None)
    assert Fetcher(catalog, ONE_BY_ONE, fetches).fetch_due() == 1, "somebody may have mended it meanwhile"


def test_hosts_are_asked_side_by_side_as_far_as_that_is_allowed(catalog: Catalog):
    register(catalog, *(f"{host}-{number}" for host in "abcd" for number in range(6)))
    fetches = Fetches(catalog)
    assert Fetcher(catalog, WebSettings(interval_s=0, parallel=2, per_host=3), fetches).fetch_due() == 24
    assert sorted(fetches.asked) == sorted(set(fetches.asked)), "no video is fetched twice"
    assert fetches.most <= 2
