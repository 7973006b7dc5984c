"""What a hostile host, a thief of logs or a careless link may not do."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from pipeline.contract.errors import (
    DiskFull,
    DownloadTransient,
    ForbiddenAddress,
    UnwantedVideo,
    VideoError,
)
from pipeline.contract.progress import silent
from pipeline.settings import settings_type
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.rules import SourceRules
from pipeline.sources.video_source import VideoSource, parse_source
from pipeline.sources.web.settings import WebSettings
from pipeline.stages.video.arrive import arrive
from pipeline.stages.video.fetch import fetch
from pipeline.stages.video.settings import VideoSettings
from pipeline.stages.video.transfer import NAME, download
from pipeline.store.store import Store
from tests.pipeline.sources.faulty_web import Web, serving
from tests.pipeline.videos import walk, write_video
from tests.pipeline.web_host import answering

COOKIES = "# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t2147483647\tsession\tvery-secret-cookie\n"


def quick(**web: object) -> VideoSettings:
    return VideoSettings(retries=0, timeout_s=5, free_bytes_min=0, web=WebSettings.model_validate(web))


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    film = write_video(tmp_path_factory.mktemp("film") / "film.mp4", walk(1, 6, size=(64, 48))).read_bytes()
    with serving(Web(film, count=30, listed=30)) as running:
        yield running


def redirecting(target: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/a", "data:video/mp4;base64,AAAA"])
def test_a_redirect_leads_to_nothing_but_the_web(tmp_path: Path, target: str):
    with answering(redirecting(target), []) as host, pytest.raises(VideoError):
        fetch(parse_source(f"{host}/house.mp4"), tmp_path, quick())
    assert not (tmp_path / "source.mp4").exists()


def test_a_redirect_into_a_private_network_is_refused_unless_allowed(tmp_path: Path, web: Web):
    target = f"http://127.0.0.2:{web.port}/v/0.mp4"
    with answering(redirecting(target), []) as host:
        before = len(web.asked)
        with pytest.raises(ForbiddenAddress):
            fetch(parse_source(f"{host}/house.mp4"), tmp_path, quick())
        assert len(web.asked) == before
        fetch(parse_source(f"{host}/house.mp4"), tmp_path, quick(private_addresses=True))
    assert (tmp_path / "source.mp4").read_bytes() == web.video(0)


def test_a_video_that_a_stranger_listed_may_not_lie_in_a_private_network(tmp_path: Path, web: Web):
    source = VideoSource(kind="url", origin=web.url(0), listed_by="feed https://example.org/feed")
    with pytest.raises(ForbiddenAddress):
        fetch(source, tmp_path, quick())


def test_cookies_and_proxies_are_used_and_never_shown(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    (tmp_path / "cookies.txt").write_text(COOKIES)
    heard: list[bytes] = []
    with answering(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", heard) as host:
        settings = quick(cookies_file=tmp_path / "cookies.txt")
        store, source = Store(tmp_path / "data"), parse_source(f"{host}/house.mp4")
        Catalog(store).add([source])
        with pytest.raises(DownloadTransient) as caught:
            arrive(Catalog(store), source.video_id, tmp_path / "out", settings)
    assert b"very-secret-cookie" in heard[0]
    assert (tmp_path / "cookies.txt").read_text() == COOKIES
    proxied = quick(proxy=SecretStr("http://user:proxy-secret@127.0.0.1:9"))
    with pytest.raises(VideoError) as refused:
        fetch(parse_source("http://example.org/house.mp4"), tmp_path / "proxied", proxied)
    kept = [path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file()]
    printed = capfd.readouterr()
    said = f"{caught.value}{refused.value}{printed.out}{printed.err}{caplog.text}{settings_type()(video=proxied)!r}"
    said += settings_type()(video=proxied).model_dump_json() + b"".join(kept).decode(errors="replace")
    assert "secret" not in said.replace("secret_value", "").replace("SecretStr", "")


def test_a_page_without_end_is_not_read_to_its_end(tmp_path: Path):
    page = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>" + b"a" * 300_000
    with answering(page, []) as host, pytest.raises(UnwantedVideo):
        fetch(parse_source(f"{host}/house.mp4"), tmp_path, quick(page_bytes_max=100_000))


def test_a_drip_is_not_waited_for(tmp_path: Path, web: Web):
    with pytest.raises(DownloadTransient, match="bytes a second"):
        fetch(parse_source(web.url(6)), tmp_path, quick(patience_s=0.02, bytes_per_second_min=10_000_000))


def test_rules_hold_when_the_page_is_known_and_nothing_is_fetched(tmp_path: Path, web: Web):
    before = len(web.asked)
    with pytest.raises(UnwantedVideo, match="Creative Commons"):
        fetch(parse_source(web.url(13)), tmp_path, quick(), rules=SourceRules(creative_commons=True))
    assert len(web.asked) == before + 1


def test_nothing_is_fetched_onto_a_disk_that_is_nearly_full(tmp_path: Path, web: Web):
    before = len(web.asked)
    with pytest.raises(DiskFull, match="are free"):
        fetch(parse_source(web.url(0)), tmp_path, VideoSettings(free_bytes_min=2**60))
    assert len(web.asked) == before


def test_a_video_grows_beside_a_note_of_what_it_began_with(tmp_path: Path, web: Web):
    shares: list[float] = []

    def listen(task: str, done: float, total: float, note: str = "") -> None:
        assert task == "video"
        assert note.endswith("MB")
        shares.append(done / total)

    arrival = download(parse_source(web.url(0)), tmp_path, quick(), SourceRules(), None, listen)
    assert arrival.path == tmp_path / NAME
    assert arrival.path.read_bytes() == web.video(0)
    assert shares == sorted(shares)
    assert shares[-1] == 1
    begun = json.loads((tmp_path / "begun.json").read_text())
    assert begun["length"] == len(web.video(0))


def test_a_file_that_became_another_one_meanwhile_is_not_joined_from_two_halves(tmp_path: Path, web: Web):
    # Half of the first file arrives; what the host has afterwards is another one (``faulty_web``, "changed").
    patient = VideoSettings(retries=2, timeout_s=5, free_bytes_min=0)
    arrival = download(parse_source(web.url(12)), tmp_path, patient, SourceRules(), None, silent)
    assert arrival.path.read_bytes() == web.video(12, version=1)
    assert json.loads((tmp_path / "begun.json").read_text())["etag"] == '"1"'
