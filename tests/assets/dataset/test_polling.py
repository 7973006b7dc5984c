"""What ``make ui`` starts, on a feed that grows: the schedule polls, the sensor makes partitions and asks for runs.

Two of the runs are killed: one of them alone, the other with everything that ``make ui`` had started.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from signal import SIGKILL, SIGSTOP
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import dagster as dg
import psutil
import pytest

from pipeline.contract.errors import VideoLocked
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import VideoState
from pipeline.sources.video_source import VideoSource
from tests.assets.workplace import LONGEST_RUN_S, Workplace, free_port, graphql
from tests.pipeline.sources.faulty_web import Web, serving
from tests.pipeline.videos import walk, write_video


class Dev:
    """All processes that ``make ui`` starts."""

    def __init__(self, workplace: Workplace) -> None:
        self.workplace = workplace
        self.port = free_port()

    def start(self) -> None:
        self.server = self.workplace.start("-p", str(self.port), module="assets.ui")
        threading.Thread(target=lambda: [*(self.server.stdout or ())], daemon=True).start()
        wait_until(lambda: served(self.port))

    def kill(self) -> None:
        """Kill everything at once, as a machine that is switched off does."""
        if self.server.poll() is not None:
            return
        everything = [psutil.Process(self.server.pid)]
        everything += everything[0].children(recursive=True)
        for signal in (SIGSTOP, SIGKILL):  # so that none sees the other die
            for process in everything:
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(signal)
        self.server.wait()
        psutil.wait_procs(everything)


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    film = write_video(tmp_path_factory.mktemp("film") / "film.mp4", walk(1, 6, size=(64, 48))).read_bytes()
    with serving(Web(film, count=20, listed=1)) as running:
        yield running


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory, web: Web) -> Workplace:
    folder = tmp_path_factory.mktemp("polling")
    sources = folder / "sources.yaml"
    sources.write_text(json.dumps({"sources": [{"feed": f"http://127.0.0.1:{web.port}/feed.rss"}]}))
    place = Workplace(folder, str(sources))
    polite = {"interval_s": 0, "pause_s": 0, "retry_s": 0, "private_addresses": True}
    settings = {
        # A host that keeps a run waiting must do so until the run is killed, however busy the machine is.
        "video": {"web": polite, "timeout_s": 600, "free_bytes_min": 0, "duplicates": {"enabled": False}},
        "dataset": {"poll_cron": "* * * * *"},
    }
    place.settings_file.write_text(json.dumps(settings))
    return place


@pytest.fixture(scope="module")
def dev(workplace: Workplace) -> Iterator[Dev]:
    running = Dev(workplace)
    running.start()
    start(running.port, "Schedule", "poll_sources")
    start(running.port, "Sensor", "new_videos")
    yield running
    running.kill()


def test_what_a_feed_lists_becomes_partitions_and_runs(workplace: Workplace, dev: Dev):
    del dev
    wait_until(lambda: states(workplace) == [VideoState.FETCHED])
    with workplace.instance as instance:
        wait_until(lambda: len(instance.get_dynamic_partitions("videos")) > 0)
        found = Catalog(workplace.store).table(["video_id"])["video_id"].to_pylist()
        assert instance.get_dynamic_partitions("videos") == found


def test_what_the_feed_lists_later_follows_and_nothing_is_fetched_twice(workplace: Workplace, web: Web, dev: Dev):
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


@pytest.fixture(scope="module")
def held(workplace: Workplace, web: Web, dev: Dev) -> Iterator[list[str]]:
    """Two videos whose hosts keep their runs waiting; the sources are polled no more."""
    stop_polling(workplace, dev.port)
    web.held |= {"/v/6.mp4", "/v/9.mp4"}
    urls = [web.url(index) for index in (6, 9)]
    sources = workplace.folder / "sources.yaml"
    sources.write_text(json.dumps({"sources": [{"feed": f"http://127.0.0.1:{web.port}/feed.rss"}, *urls]}))
    yield Catalog(workplace.store).add([VideoSource(kind="url", origin=url) for url in urls])
    web.held.clear()


@pytest.fixture(scope="module")
def killed_alone(workplace: Workplace, held: list[str]) -> tuple[str, str]:
    """The run of the first video, which is killed, and the one that follows."""
    first = waiting_run(workplace, held[0])
    with workplace.instance as instance:
        (pid,) = pids(instance, first)
    psutil.Process(pid).kill()
    return first, waiting_run(workplace, held[0], after=first)


@pytest.fixture(scope="module")
def killed_together(
    workplace: Workplace, web: Web, dev: Dev, held: list[str], killed_alone: tuple[str, str]
) -> list[str]:
    """The runs of both videos, which are killed with everything that ``make ui`` had started, and then goes on."""
    runs = [killed_alone[1], waiting_run(workplace, held[1])]
    dev.kill()
    assert [status(workplace, run) for run in runs] == [dg.DagsterRunStatus.STARTED] * 2
    web.held.clear()
    dev.start()
    return runs


def test_a_video_whose_run_was_killed_is_requested_again_and_its_death_remembered(
    workplace: Workplace, held: list[str], killed_alone: tuple[str, str]
):
    assert status(workplace, killed_alone[0]) == dg.DagsterRunStatus.FAILURE
    wait_until(lambda: failure_code(workplace, held[0]) == "ProcessDied")


def test_runs_that_were_killed_with_everything_else_are_closed_and_their_videos_requested_again(
    workplace: Workplace, held: list[str], killed_together: list[str]
):
    for video_id in held:
        wait_until(lambda wanted=video_id: is_fetched(workplace, wanted))  # type: ignore[misc]
    assert [status(workplace, run) for run in killed_together] == [dg.DagsterRunStatus.FAILURE] * 2


def test_the_pages_answer_no_other_site(dev: Dev):
    query = b'{"query": "{ version }"}'
    plain = {"Content-Type": "application/json"}
    assert asked(dev.port, query, plain) == 200
    assert asked(dev.port, query, {**plain, "Origin": f"http://127.0.0.1:{dev.port}"}) == 200
    assert asked(dev.port, query, {**plain, "Origin": "https://evil.example"}) == 403
    assert asked(dev.port, query, {**plain, "Host": "evil.example"}) == 403
    assert asked(dev.port, query, {**plain, "Sec-Fetch-Site": "cross-site"}) == 403
    assert asked(dev.port, None, {}, "?query=%7Bversion%7D") == 403
    assert asked(dev.port, b"", {"Content-Type": "text/plain"}, "?query=%7Bversion%7D") == 403


def test_the_pages_listen_on_the_loopback_alone(dev: Dev):
    listening = [
        connection.laddr.ip
        for process in (psutil.Process(dev.server.pid), *psutil.Process(dev.server.pid).children(recursive=True))
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert set(listening) == {"127.0.0.1"}


def asked(port: int, body: bytes | None, headers: dict[str, str], query: str = "") -> int:
    try:
        with urlopen(Request(f"http://127.0.0.1:{port}/graphql{query}", body, headers), timeout=600) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


def waiting_run(workplace: Workplace, video_id: str, after: str = "") -> str:
    """Wait for a run of a video that has begun to fetch it, other than ``after``; return its id."""
    found: list[str] = []

    def begun() -> bool:
        with workplace.instance as instance:
            runs = instance.get_runs(dg.RunsFilter(tags={"dagster/partition": video_id}))
            found[:] = [r.run_id for r in runs if r.status == dg.DagsterRunStatus.STARTED and r.run_id != after]
            return bool(found) and bool(pids(instance, found[0]))

    wait_until(begun)
    wait_until(lambda: is_locked(workplace, video_id))
    return found[0]


def is_locked(workplace: Workplace, video_id: str) -> bool:
    try:
        with workplace.store.video(video_id).locked():
            return False
    except VideoLocked:
        return True


def pids(instance: dg.DagsterInstance, run_id: str) -> list[int]:
    events = instance.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
    noted = [event.dagster_event.engine_event_data.metadata for event in events if event.dagster_event]
    return [int(str(m["pid"].value)) for m in noted if "step_keys" in m and "pid" in m]


def status(workplace: Workplace, run_id: str) -> dg.DagsterRunStatus:
    with workplace.instance as instance:
        found = instance.get_run_by_id(run_id)
    assert found is not None
    return found.status


def failure_code(workplace: Workplace, video_id: str) -> str | None:
    failure = workplace.failure(video_id)
    return failure["code"] if failure else None


def is_fetched(workplace: Workplace, video_id: str) -> bool:
    row = Catalog(workplace.store).rows([video_id]).get(video_id)
    return row is not None and row.state is VideoState.FETCHED


def states(workplace: Workplace) -> list[str]:
    return list(Catalog(workplace.store).table(["state"])["state"].to_pylist())


def start(port: int, kind: str, name: str) -> None:
    place = {"repositoryLocationName": "assets", "repositoryName": "__repository__"}
    selector = {**place, f"{kind.lower()}Name": name}
    graphql(port, START.replace("Kind", kind).replace("kind", kind.lower()), selector=selector)


def stop_polling(workplace: Workplace, port: int) -> None:
    with workplace.instance as instance:
        (state,) = [found for found in instance.all_instigator_state() if found.instigator_name == "poll_sources"]
    graphql(port, STOP, origin=state.instigator_origin_id, selector=state.selector_id)


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

STOP = """mutation ($origin: String!, $selector: String!) {
  stopRunningSchedule(scheduleOriginId: $origin, scheduleSelectorId: $selector) { __typename
  ... on PythonError { message } } }"""
