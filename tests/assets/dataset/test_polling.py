"""A real ``dagster dev`` on a feed that grows: the schedule polls, the sensor makes partitions and asks for runs."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from urllib.error import URLError

import dagster as dg
import pytest

from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import VideoState
from tests.assets.workplace import LONGEST_RUN_S, Workplace, free_port, graphql
from tests.pipeline.sources.faulty_web import Web, serving
from tests.pipeline.videos import walk, write_video


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    film = write_video(tmp_path_factory.mktemp("film") / "film.mp4", walk(1, 6, size=(64, 48))).read_bytes()
    with serving(Web(film, count=9, listed=1)) as running:
        yield running


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory, web: Web) -> Workplace:
    folder = tmp_path_factory.mktemp("polling")
    sources = folder / "sources.yaml"
    sources.write_text(json.dumps({"sources": [{"feed": f"http://127.0.0.1:{web.port}/feed.rss"}]}))
    place = Workplace(folder, str(sources))
    polite = {"interval_s": 0, "pause_s": 0, "retry_s": 0, "private_addresses": True}
    settings = {
        "video": {"web": polite, "free_bytes_min": 0, "duplicates": {"enabled": False}},
        "dataset": {"poll_cron": "* * * * *"},
    }
    place.settings_file.write_text(json.dumps(settings))
    return place


@pytest.fixture(scope="module")
def dev(workplace: Workplace) -> Iterator[int]:
    port = free_port()
    server = workplace.start("dev", "-h", "127.0.0.1", "-p", str(port))
    try:
        wait_until(lambda: served(port))
        for kind, name in (("Schedule", "poll_sources"), ("Sensor", "new_videos")):
            place = {"repositoryLocationName": "assets", "repositoryName": "__repository__"}
            selector = {**place, f"{kind.lower()}Name": name}
            graphql(port, START.replace("Kind", kind).replace("kind", kind.lower()), selector=selector)
        yield port
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.communicate()


def test_what_a_feed_lists_becomes_partitions_and_runs(workplace: Workplace, dev: int):
    del dev
    wait_until(lambda: states(workplace) == [VideoState.FETCHED])
    with workplace.instance as instance:
        wait_until(lambda: len(instance.get_dynamic_partitions("videos")) > 0)
        found = Catalog(workplace.store).table(["video_id"])["video_id"].to_pylist()
        assert instance.get_dynamic_partitions("videos") == found


def test_what_the_feed_lists_later_follows_and_nothing_is_fetched_twice(workplace: Workplace, web: Web, dev: int):
    del dev
    before = [asked.name for asked in web.asked if asked.name.startswith("/v/0")]
    web.listed = 4
    wait_until(lambda: states(workplace) == [VideoState.FETCHED] * 2)
    assert [asked.name for asked in web.asked if asked.name.startswith("/v/0")] == before
    with workplace.instance as instance:
        wait_until(lambda: len(instance.get_materialized_partitions(dg.AssetKey("video"))) == 2)
        assert sorted(instance.get_dynamic_partitions("videos")) == sorted(
            Catalog(workplace.store).table(["video_id"])["video_id"].to_pylist()
        )


def states(workplace: Workplace) -> list[str]:
    return list(Catalog(workplace.store).table(["state"])["state"].to_pylist())


def served(port: int) -> bool:
    try:
        found = graphql(port, "{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }")
    except (URLError, ConnectionError, TimeoutError):
        return False
    return bool(found["repositoriesOrError"].get("nodes"))


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONGEST_RUN_S
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.5)


START = """mutation ($selector: KindSelector!) { startKind(kindSelector: $selector) { __typename
  ... on PythonError { message } } }"""
