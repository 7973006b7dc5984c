"""yt-dlp under guard: every hop is checked, takes its turn, and is read no longer than it should."""

import io
import urllib.request
from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import SecretStr
from yt_dlp.networking.exceptions import NoSupportingHandlers

from pipeline.contract.errors import DownloadTransient, ForbiddenAddress, HostResting, UnwantedVideo
from pipeline.sources.web.client import BLOCK_BYTES, WebClient, _BoundedBody, _proxy_authority
from pipeline.sources.web.explain import explained
from pipeline.sources.web.hosts import Hosts
from pipeline.sources.web.settings import WebSettings
from tests.pipeline.web_host import answering

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nConnection: close\r\n\r\n<rss/>"
QUICK = {"interval_s": 0.0}


def client(url: str = "", hosts: Hosts | None = None, **web: object) -> WebClient:
    return WebClient({}, WebSettings.model_validate(QUICK | web), (url,) if url else (), hosts)


def test_a_page_is_read_from_a_host_that_the_user_named():
    heard: list[bytes] = []
    with answering(OK, heard) as url, client(url) as asking, asking.open_page(url) as page:
        assert page.read() == b"<rss/>"
    assert heard[0].startswith(b"GET / HTTP/1.1")


def test_a_private_host_that_nobody_named_is_not_even_connected_to():
    heard: list[bytes] = []
    with answering(OK, heard) as url, client() as asking, pytest.raises(NoSupportingHandlers) as refused:
        asking.open_page(url)
    assert heard == []
    reason = explained(refused.value, url)
    assert isinstance(reason, ForbiddenAddress)
    assert "private_addresses" in str(reason), "the message says how to allow it"


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://a.org/", "http://user:secret@a.org/", "feed"])
def test_anything_but_a_web_address_is_refused(url: str):
    with client() as asking, pytest.raises(ForbiddenAddress):
        asking.open_page(url)


def test_every_request_takes_its_hosts_turn(tmp_path: Path):
    hosts = Hosts(tmp_path, WebSettings(interval_s=0.01, jitter=0))
    with answering(OK, []) as url:
        name = url.removeprefix("http://")
        with client(url, hosts) as asking:
            turns = []
            for _ in range(3):
                asking.open_page(url).close()
                turns.append(hosts.state(name).turn_at)
    assert all(later - earlier >= 0.01 - 1e-6 for earlier, later in pairwise(turns))


def test_a_host_that_rests_is_not_asked(tmp_path: Path):
    heard: list[bytes] = []
    hosts = Hosts(tmp_path, WebSettings(interval_s=0, pause_s=1000))
    with answering(OK, heard) as url:
        hosts.refused(url.removeprefix("http://"), None)
        with client(url, hosts) as asking, pytest.raises(NoSupportingHandlers) as refused:
            asking.open_page(url)
    assert heard == []
    assert isinstance(explained(refused.value, url), HostResting)


def test_cookies_are_read_from_a_copy_and_sent(tmp_path: Path):
    written = "# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t2147483647\tsession\tcookie-of-mine\n"
    (tmp_path / "cookies.txt").write_text(written)
    heard: list[bytes] = []
    with answering(OK, heard) as url, client(url, cookies_file=tmp_path / "cookies.txt") as asking:
        asking.open_page(url).close()
    assert b"session=cookie-of-mine" in heard[0]
    assert (tmp_path / "cookies.txt").read_text() == written


def test_a_proxy_that_the_user_named_may_lie_in_a_private_network():
    heard: list[bytes] = []
    with (
        answering(OK, heard) as proxy,
        client(proxy=SecretStr(proxy)) as asking,
        asking.open_page("http://example.org/feed") as page,
    ):
        assert page.read() == b"<rss/>"
    assert heard[0].startswith(b"GET http://example.org/feed")


@pytest.mark.parametrize(
    ("written", "authority"),
    [
        ("http://proxy.org", ("proxy.org", 80)),
        ("https://proxy.org", ("proxy.org", 443)),
        ("socks5://user:secret@proxy.org", ("proxy.org", 1080)),
        ("proxy.org:3128", ("proxy.org", 3128)),
        ("http://10.0.0.1:8080/", ("10.0.0.1", 8080)),
    ],
)
def test_a_proxy_is_known_by_its_host_and_port(written: str, authority: tuple[str, int]):
    assert _proxy_authority(written) == authority


def test_nothing_that_ytdlp_says_is_printed(capfd: pytest.CaptureFixture[str]):
    with client() as asking:
        asking.report_warning("a warning")
        asking.to_screen("news")
        asking.write_debug("details")
    assert capfd.readouterr() == ("", "")


def body(content: bytes, **web: object) -> _BoundedBody:
    return _BoundedBody(io.BytesIO(content), WebSettings.model_validate(web))


def test_a_body_is_read_to_its_end_or_by_the_piece():
    content = bytes(range(256)) * 1000
    assert len(content) > BLOCK_BYTES
    assert body(content).read() == content
    assert body(content).read(None) == content
    part = body(content)
    assert (part.read(10), part.read(5)) == (content[:10], content[10:15])
    assert body(b"").read() == b""


def test_a_page_longer_than_allowed_is_given_up_and_a_film_read_by_the_piece_is_not():
    flood = body(bytes(5000), page_bytes_max=4096)
    with pytest.raises(UnwantedVideo, match="more than 4096 bytes"):
        flood.read()
    film = body(bytes(5000), page_bytes_max=4096)
    assert sum(len(film.read(1000)) for _ in range(5)) == 5000


def test_a_drip_is_given_up_once_the_patience_is_over():
    drip = body(bytes(100), patience_s=1e-9, bytes_per_second_min=10**12)
    with pytest.raises(DownloadTransient, match="bytes a second"):
        drip.read(1)
    patient = body(bytes(100), patience_s=3600, bytes_per_second_min=10**12)
    assert patient.read(100) == bytes(100)
    undemanding = body(bytes(100), patience_s=1e-9, bytes_per_second_min=0)
    assert [undemanding.read(50), undemanding.read(50)] == [bytes(50), bytes(50)]


def test_closing_a_body_closes_what_it_reads_from():
    inner = io.BytesIO(b"x")
    _BoundedBody(inner, WebSettings()).close()
    assert inner.closed


def test_proxies_of_the_environment_are_trusted_as_if_the_user_had_named_them(monkeypatch: pytest.MonkeyPatch):
    heard: list[bytes] = []
    with answering(OK, heard) as proxy:
        monkeypatch.setenv("http_proxy", proxy)
        assert "http" in urllib.request.getproxies()
        with client() as asking, asking.open_page("http://example.org/feed") as page:
            assert page.read() == b"<rss/>"
    assert len(heard) == 1
