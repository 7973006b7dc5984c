"""Refuses requests that another site made a browser send.

``Host`` must be a name that was meant for these pages, or a name of somebody else's could be turned to this machine
once its page is open (DNS rebinding). ``Origin`` and ``Sec-Fetch-Site`` say which page sent a request; a browser sets
them and no page can. A query in a link bears neither in all browsers, so that queries come by POST alone.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

HOSTS_VARIABLE = "YOUTUBE_OCC_UI_HOSTS"
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
OWN = (None, "same-origin", "none")
"""What ``Sec-Fetch-Site`` says of our own pages, of what a person typed, and of programs that are no browser."""

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]


class SameSite:
    """ASGI middleware in front of an application.

    hosts: names under which the application may be asked, lower case, without ports.
    """

    def __init__(self, app: Application, hosts: frozenset[str]) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer 403 with the reason, or pass the request on."""
        reason = self.objection(scope) if scope["type"] in ("http", "websocket") else None
        if reason is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": reason})
        else:
            headers = [(b"content-type", b"text/plain; charset=utf-8")]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": reason.encode()})

    def objection(self, scope: Message) -> str | None:
        """Return why a request is refused, or None."""
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get("host", "")
        if _name(f"//{host}") not in self._hosts:
            return f"these pages are not called {host!r}: name that host in {HOSTS_VARIABLE} if it is yours"
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return f"the page of {origin!r} may not ask here"
        if scope["type"] == "http" and "query" in parse_qs(scope["query_string"].decode("latin-1")) and _asks(scope):
            return "queries are taken by POST, as application/json, and not from a link"
        opens_page = headers.get("sec-fetch-mode") == "navigate" and scope.get("method") == "GET"
        if headers.get("sec-fetch-site") not in OWN and not opens_page:
            return "another site may not ask here"
        return None


def _asks(scope: Message) -> bool:
    return str(scope["path"]).rstrip("/").endswith("/graphql")


def _name(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
