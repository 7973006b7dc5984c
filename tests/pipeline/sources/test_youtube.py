"""YouTube's shapes, through yt-dlp's own extractor: films, pictures alone, premieres, streams, what costs money."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.contract.errors import BrokenVideo, DownloadGone, ExtractorTrouble, NotYet, VideoError
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import CatalogRow, VideoState
from pipeline.sources.due import due
from pipeline.sources.video_source import YOUTUBE_WATCH, VideoSource
from pipeline.sources.web.hosts import Hosts
from pipeline.sources.web.settings import WebSettings
from pipeline.stages.video.arrive import arrive
from pipeline.stages.video.settings import VideoSettings
from pipeline.store.store import Store
from tests.pipeline.sources.youtube_shapes import SOLVED, PlayedYoutube, playing_youtube
from tests.pipeline.videos import walk, write_video

ID = "dQw4w9WgXcQ"
COOKIES = "".join(
    f".youtube.com\tTRUE\t/\tTRUE\t2147483647\t{name}\tvery-secret\n"
    for name in ("LOGIN_INFO", "SAPISID", "__Secure-1PAPISID", "__Secure-3PAPISID")
)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_video(tmp_path_factory.mktemp("film") / "film.mp4", walk(1, 6, size=(64, 48))).read_bytes()


@pytest.fixture
def youtube(film: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[PlayedYoutube]:
    with playing_youtube(film, monkeypatch) as played:
        yield played


class Guest:
    """One who asks for one video, with a catalog."""

    def __init__(self, folder: Path, **web: Any) -> None:
        self.folder = folder / "download"
        self.folder.mkdir()
        self.catalog = Catalog(Store(folder / "data"))
        self.catalog.register([CatalogRow(ID, VideoSource.of_origin(f"{YOUTUBE_WATCH}{ID}"))])
        self.web = WebSettings.model_validate({"interval_s": 0, "private_addresses": True, "jitter": 0, **web})

    def ask(self) -> None:
        arrive(self.catalog, ID, self.folder, VideoSettings(retries=0, free_bytes_min=0, web=self.web))

    @property
    def row(self) -> CatalogRow:
        return self.catalog.row(ID)

    @property
    def refusals(self) -> int:
        return Hosts.of(self.catalog.files, self.web).state("youtube.com").refusals


@pytest.mark.parametrize("has_cookies", [False, True])
def test_a_film_arrives_since_its_challenge_is_solved_here(tmp_path: Path, youtube: PlayedYoutube, has_cookies: bool):
    cookies = tmp_path / "cookies.txt"
    cookies.write_text(f"# Netscape HTTP Cookie File\n{COOKIES if has_cookies else ''}")
    youtube.shapes[ID] = youtube.shape(youtube.stream("video", 136), youtube.stream("audio", 140))
    guest = Guest(tmp_path, cookies_file=cookies)
    guest.ask()
    assert (guest.folder / "source.mp4").read_bytes() == youtube.film
    assert {query["n"][0] for query in youtube.asked} == {SOLVED}
    assert ("web_embedded" in youtube.clients) == has_cookies, "with cookies other clients are asked"


def test_pictures_alone_are_the_extractors_trouble_and_say_why(tmp_path: Path, youtube: PlayedYoutube):
    youtube.shapes[ID] = youtube.shape(youtube.stream("video", 136), youtube.stream("audio", 140))
    guest = Guest(tmp_path, js_runtimes=(), tries_max=1)
    with pytest.raises(ExtractorTrouble, match=r"^YouTube gives pictures only: no JavaScript runtime") as told:
        guest.ask()
    assert "No supported JavaScript runtime could be found" in str(told.value), "yt-dlp's own words reach the text"
    assert (guest.row.state, guest.row.last_error) == (VideoState.RETRY, "ExtractorTrouble")
    assert guest.refusals == 1


def test_a_solver_that_dies_is_the_extractors_trouble(tmp_path: Path, youtube: PlayedYoutube):
    broken = tmp_path / "deno"
    broken.write_text("#!/bin/sh\ncase $1 in --version) echo deno 2.9.8;; *) exit 7;; esac\n")
    broken.chmod(0o755)
    youtube.shapes[ID] = youtube.shape(youtube.stream("video", 136))
    with pytest.raises(ExtractorTrouble, match="YouTube gives pictures only: its scripts could not be solved"):
        Guest(tmp_path, js_runtimes=(f"deno:{broken}",)).ask()


def test_sound_without_a_picture_is_final(tmp_path: Path, youtube: PlayedYoutube):
    youtube.shapes[ID] = youtube.shape(youtube.stream("audio", 140))
    guest = Guest(tmp_path)
    with pytest.raises(BrokenVideo, match="sound and no picture"):
        guest.ask()
    assert guest.row.state is VideoState.REJECTED
    assert guest.refusals == 0


def test_no_formats_at_all_are_the_extractors_trouble(tmp_path: Path, youtube: PlayedYoutube):
    youtube.shapes[ID] = {**youtube.shape(), "storyboards": {}}
    with pytest.raises(ExtractorTrouble, match="YouTube gives no formats"):
        Guest(tmp_path).ask()


@pytest.mark.parametrize(
    "reason",
    [
        "This video requires payment to watch.",
        "This video is available to this channel's members on level: Gold (or any higher level).",
        "Join this channel to get access to members-only content like this video, and other exclusive perks.",
        "This video is only available to Music Premium members",
        "This video is available for purchase",
    ],
)
def test_what_costs_money_is_final(tmp_path: Path, youtube: PlayedYoutube, reason: str):
    youtube.shapes[ID] = youtube.shape(status="UNPLAYABLE", reason=reason)
    guest = Guest(tmp_path)
    with pytest.raises(DownloadGone):
        guest.ask()
    assert (guest.row.state, guest.refusals) == (VideoState.GONE, 0)


def test_what_only_its_own_player_can_play_is_final(tmp_path: Path, youtube: PlayedYoutube):
    protected = {**youtube.stream("video", 136), "drmFamilies": ["WIDEVINE"]}
    youtube.shapes[ID] = youtube.shape(protected)
    guest = Guest(tmp_path)
    with pytest.raises(DownloadGone, match="DRM"):
        guest.ask()
    assert guest.row.state is VideoState.GONE


def announced(youtube: PlayedYoutube, begins: str | None) -> dict[str, Any]:
    shape = youtube.shape(status="LIVE_STREAM_OFFLINE", reason="Premieres in 3 hours", isUpcoming=True)
    details = {"startTimestamp": begins} if begins else {}
    return {**shape, "microformat": {"playerMicroformatRenderer": {"liveBroadcastDetails": details}}}


@pytest.mark.parametrize(
    ("begins", "seconds"), [("2099-01-02T03:04:05+00:00", None), ("2001-01-01T00:00:00+00:00", 86400), (None, 86400)]
)
def test_a_premiere_is_due_at_its_release_else_a_day_later(
    tmp_path: Path, youtube: PlayedYoutube, begins: str | None, seconds: float | None
):
    youtube.shapes[ID] = announced(youtube, begins)
    guest = Guest(tmp_path)
    with pytest.raises(NotYet) as told:
        guest.ask()
    if seconds is None:
        assert f"{guest.row.next_try:%Y-%m-%dT%H:%M:%S}" == "2099-01-02T03:04:05"
    else:
        assert told.value.until - time.time() == pytest.approx(seconds, abs=120)
    assert (guest.row.state, guest.row.tries, guest.refusals) == (VideoState.NOT_YET, 0, 0)
    assert list(due(guest.catalog, guest.web, "oldest")) == []


@pytest.mark.parametrize("running", [{"isLive": True}, {"isPostLiveDvr": True}])
def test_a_stream_waits_until_it_is_a_recording_and_then_arrives(
    tmp_path: Path, youtube: PlayedYoutube, running: dict[str, bool]
):
    youtube.shapes[ID] = youtube.shape(youtube.stream("video", 136), isLiveContent=True, **running)
    guest = Guest(tmp_path)
    with pytest.raises(NotYet) as told:
        guest.ask()
    assert told.value.until - time.time() == pytest.approx(6 * 3600, abs=120)
    assert (guest.row.state, guest.row.tries) == (VideoState.NOT_YET, 0)
    youtube.shapes[ID] = youtube.shape(youtube.stream("video", 136), isLiveContent=True)
    with pytest.raises(VideoError, match="not due before"):
        guest.ask()
    guest.catalog.update([ID], lambda row: CatalogRow(ID, row.source, state=row.state))
    guest.ask()
    assert (guest.folder / "source.mp4").read_bytes() == youtube.film
