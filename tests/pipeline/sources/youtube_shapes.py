"""A host on the loopback that plays YouTube: pages faked at yt-dlp's extractor, films from a server that wants ``n``.

yt-dlp chooses clients, reads formats, solves challenges and words its errors as ever; only what YouTube itself would
answer is ours. A film whose address does not bear the solved challenge is refused, as YouTube does.
"""

import copy
import http.server
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest
from yt_dlp.extractor.youtube import YoutubeIE

from tests.pipeline.web_host import QuietHandler, QuietServer, running

CHALLENGE, SOLVED = "a1b2c3d4", "4d3c2b1a-solved"
PLAYER = """var _yt_player={};(function(g){
var window=this;
var U=function(){this.p={}};
U.prototype.set=function(k,v){this.p[k]=v};
U.prototype.get=function(k){return this.p[k]};
U.prototype.turn=function(){if(this.p.n)this.p.n=this.p.n.split("").reverse().join("")+"-solved"};
var X=function(a,b,c){var z=new U();z.set("alr","yes");if(c)z.set(b,c);return z};
})(_yt_player);"""
"""As much of a player as the solver looks for: what sets "alr", and a URL whose method solves ``n``."""

STORYBOARD = "http://127.0.0.1/sb/$L/$N.jpg|48#27#100#10#10#0#default#rs$AOn"


@dataclass
class PlayedYoutube:
    """``shapes``: what a video's player answers, by id. ``asked``: queries for films; ``clients``: who looked."""

    film: bytes
    port: int = 0
    shapes: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[dict[str, list[str]]] = field(default_factory=list)
    clients: list[str] = field(default_factory=list)

    def stream(self, kind: str, itag: int) -> dict[str, Any]:
        codecs = {"video": "avc1.4d401f", "audio": "mp4a.40.2"}[kind]
        size = {"width": 64, "height": 48, "qualityLabel": "48p"} if kind == "video" else {}
        url = f"http://127.0.0.1:{self.port}/videoplayback?n={CHALLENGE}&itag={itag}"
        return {"itag": itag, "url": url, "mimeType": f'{kind}/mp4; codecs="{codecs}"', "quality": "small", **size}

    def shape(
        self, *streams: dict[str, Any], status: str = "OK", reason: str = "", **details: object
    ) -> dict[str, Any]:
        """Return what a player answers: these streams, and still pictures where there is a film at all."""
        boards = {"playerStoryboardSpecRenderer": {"spec": STORYBOARD}} if status == "OK" else {}
        return {
            "playabilityStatus": {"status": status, "reason": reason},
            "videoDetails": {"title": "A house", "lengthSeconds": "10", "author": "Ann", **details},
            "streamingData": {"adaptiveFormats": list(streams)},
            "storyboards": boards,
        }


@contextmanager
def playing_youtube(film: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[PlayedYoutube]:
    played = PlayedYoutube(film)

    def answer(_: YoutubeIE, client: str, video_id: str, *_given: object, **_named: object) -> dict[str, Any]:
        played.clients.append(client)
        details = {"videoId": video_id, **played.shapes[video_id]["videoDetails"]}
        shape = copy.deepcopy({**played.shapes[video_id], "videoDetails": details})
        if client in YoutubeIE._DEFAULT_JSLESS_CLIENTS:  # to who runs no scripts YouTube tells no addresses
            for stream in shape["streamingData"]["adaptiveFormats"]:
                del stream["url"]
        return shape

    with running(_Films(played)) as port, monkeypatch.context() as patched:
        played.port = port
        player = "https://www.youtube.com/s/player/0123abcd/player_ias.vflset/en_US/base.js"
        for name, given in (
            ("_download_initial_webpage", None),
            ("_download_initial_data", {}),
            ("_download_ytcfg", {}),
            ("_download_player_url", player),
            ("_load_player", PLAYER),
        ):
            patched.setattr(YoutubeIE, name, lambda *_, _given=given, **__: _given)
        patched.setattr(YoutubeIE, "_extract_player_response", answer)
        yield played


class _Films(QuietServer):
    def __init__(self, played: PlayedYoutube) -> None:
        super().__init__(("127.0.0.1", 0), _FilmHandler)
        self.played = played


class _FilmHandler(QuietHandler):
    def do_GET(self) -> None:  # noqa: N802 - the name that http.server gives it
        played, query = cast("_Films", self.server).played, parse_qs(urlsplit(self.path).query)
        played.asked.append(query)
        is_solved = query.get("n") == [SOLVED]
        body = played.film if is_solved else b""
        self.send_response(http.HTTPStatus.OK if is_solved else http.HTTPStatus.FORBIDDEN)
        self.send_header("Content-Type", "video/mp4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
