"""Which requests Dagster's pages answer; ``test___main__`` asks the real ones."""

import asyncio

import pytest

from assets.ui.guard import LOOPBACK_NAMES, Message, SameSite


async def passed_on(scope: Message, *_: object) -> None:
    scope["passed"] = True


def answer(scope: Message) -> list[Message]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {}

    asyncio.run(SameSite(passed_on, LOOPBACK_NAMES | {"pages.example"})(scope, receive, send))
    return sent


def scope(path: str = "/graphql", method: str = "POST", query: str = "", kind: str = "http", **headers: str) -> Message:
    given = {"host": "127.0.0.1:3000"} | {name.replace("_", "-"): value for name, value in headers.items()}
    raw = [(name.encode(), value.encode()) for name, value in given.items()]
    return {"type": kind, "method": method, "path": path, "query_string": query.encode(), "headers": raw}


@pytest.mark.parametrize(
    "request_",
    [
        scope(),
        scope(host="localhost:3000", origin="http://localhost:3000", sec_fetch_site="same-origin"),
        scope(host="[::1]:3000"),
        scope(host="PAGES.example"),
        scope("/runs", "GET", sec_fetch_site="cross-site", sec_fetch_mode="navigate"),
        scope("/runs", "GET", "query=x", sec_fetch_site="none"),
        scope(kind="websocket", origin="http://127.0.0.1:3000"),
        {"type": "lifespan"},
    ],
)
def test_own_pages_and_programs_are_answered(request_: Message):
    assert answer(request_) == []
    assert request_["passed"]


@pytest.mark.parametrize(
    "request_",
    [
        scope(host="evil.example:3000"),
        scope(host=""),
        scope(host="[::"),
        scope(origin="https://evil.example"),
        scope(origin="null"),
        scope(origin="http://127.0.0.1:8000"),
        scope(sec_fetch_site="cross-site"),
        scope(sec_fetch_site="same-site"),
        scope(sec_fetch_site="cross-site", sec_fetch_mode="navigate"),
        scope(method="GET", query="query=%7Bversion%7D"),
        scope(method="GET", query="query=%7Bversion%7D", sec_fetch_site="cross-site", sec_fetch_mode="navigate"),
        scope(query="query=mutation", content_type="text/plain"),
        scope("/logs", "GET", sec_fetch_site="cross-site", sec_fetch_mode="no-cors"),
    ],
)
def test_what_another_site_sends_is_refused_with_a_reason(request_: Message):
    start, body = answer(request_)
    assert start["status"] == 403
    assert len(body["body"]) > 10
    assert "passed" not in request_


def test_a_socket_of_another_site_is_closed():
    (closed,) = answer(scope(kind="websocket", origin="https://evil.example"))
    assert (closed["type"], closed["code"]) == ("websocket.close", 1008)
