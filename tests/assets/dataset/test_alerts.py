"""Somebody is told of a host that keeps refusing, once a rest."""

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from assets.dataset.alerts import refusing_hosts
from assets.resources import PipelineResource
from pipeline.sources.web.hosts import Hosts


@pytest.fixture
def hook() -> Iterator[tuple[str, list[str]]]:
    told: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", told
        server.shutdown()


def test_a_host_that_refuses_again_and_again_is_told_once_a_rest(tmp_path: Path, hook: tuple[str, list[str]]):
    url, told = hook
    web = {"alert_url": url, "alert_after": 2, "pause_s": 0, "jitter": 0}
    pipeline = PipelineResource(data=str(tmp_path), overrides={"video": {"web": web}})
    hosts = Hosts.of(pipeline.store(), pipeline.settings().video.web)
    cursor = _look(pipeline, None)
    hosts.refused("a.org", None)
    cursor = _look(pipeline, cursor)
    assert told == []
    hosts.refused("a.org", None)
    cursor = _look(pipeline, cursor)
    cursor = _look(pipeline, cursor)
    assert len(told) == 1
    assert told[0].startswith("a.org refused 2 times")
    hosts.refused("a.org", None)
    _look(pipeline, cursor)
    assert len(told) == 2


def test_pages_without_films_are_told_of_at_once_in_their_own_words(tmp_path: Path, hook: tuple[str, list[str]]):
    url, told = hook
    pipeline = PipelineResource(data=str(tmp_path), overrides={"video": {"web": {"alert_url": url, "alert_after": 5}}})
    text = "YouTube gives pictures only: no JavaScript runtime"
    Hosts.of(pipeline.store(), pipeline.settings().video.web).refused("youtube.com", None, text)
    _look(pipeline, _look(pipeline, None))
    assert told == [text]


def test_a_hook_that_nobody_answers_at_stops_nothing(tmp_path: Path):
    web = {"alert_url": "http://127.0.0.1:9/", "alert_after": 1, "pause_s": 0}
    pipeline = PipelineResource(data=str(tmp_path), overrides={"video": {"web": web}})
    Hosts.of(pipeline.store(), pipeline.settings().video.web).refused("a.org", None)
    assert json.loads(_look(pipeline, None) or "{}").keys() == {"a.org"}


def _look(pipeline: PipelineResource, cursor: str | None) -> str | None:
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance, cursor=cursor, resources={"pipeline": pipeline})
        refusing_hosts(context)
        return context.cursor
