"""A tour is rendered, a file copied, a URL fetched: what arrives, and what is said of it."""

from pathlib import Path

import pytest

from models.errors import MissingExtra
from pipeline.contract.errors import DownloadGone, DownloadRefused, UnwantedVideo
from pipeline.contract.progress import silent
from pipeline.media import probe
from pipeline.sources.rules import SourceRules
from pipeline.sources.video_source import VideoSource, parse_source
from pipeline.stages.video.arrival import Arrival
from pipeline.stages.video.origins import FetchRequest, arrival_of
from pipeline.stages.video.settings import VideoSettings
from pipeline.tours.settings import TourSettings
from tests.fresh import run_code
from tests.pipeline.web_host import serving

SHORT = TourSettings(fps=4, rooms_max=3, indoor_shots=1, outdoor_shots=0, shot_seconds=1.0, title=False, texel=0.05)


def request(source: VideoSource, **settings: object) -> FetchRequest:
    known = {"retries": 0, "timeout_s": 5, "free_bytes_min": 0, "tour": SHORT}
    return FetchRequest(source, VideoSettings.model_validate(known | settings), SourceRules(), None)


def test_a_file_is_copied_and_called_by_its_name(tmp_path: Path):
    original = tmp_path / "My house.mp4"
    original.write_bytes(bytes(range(256)) * 10_000)
    shares: list[float] = []

    def listen(task: str, done: float, total: float, note: str = "") -> None:
        assert (task, note) == ("video", "copying")
        shares.append(done / total)

    arrival = arrival_of(request(parse_source(str(original))), tmp_path, listen)
    assert arrival == Arrival(tmp_path / "copy", "My house")
    assert arrival.path.read_bytes() == original.read_bytes()
    assert original.exists(), "the original stays where it is"
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_an_empty_file_is_copied_without_dividing_by_its_size(tmp_path: Path):
    (tmp_path / "empty.mp4").touch()
    assert arrival_of(request(parse_source(str(tmp_path / "empty.mp4"))), tmp_path, silent).path.read_bytes() == b""


def test_a_file_larger_than_accepted_is_not_copied_at_all(tmp_path: Path):
    (tmp_path / "large.mp4").write_bytes(bytes(3000))
    with pytest.raises(UnwantedVideo, match="holds 3000 bytes, more than 2048"):
        arrival_of(request(parse_source(str(tmp_path / "large.mp4")), bytes_max=2048), tmp_path, silent)
    assert not (tmp_path / "copy").exists()


def test_a_file_that_is_not_there_is_gone(tmp_path: Path):
    with pytest.raises(DownloadGone, match=r"missing\.mp4 does not exist"):
        arrival_of(request(parse_source(str(tmp_path / "missing.mp4"))), tmp_path, silent)


def test_a_folder_under_the_name_of_a_file_cannot_be_read(tmp_path: Path):
    source = VideoSource(kind="file", origin=str(tmp_path / "folder.mp4"))
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(DownloadRefused, match=r"folder\.mp4 cannot be read"):
        arrival_of(request(source), tmp_path, silent)


def test_a_tour_is_rendered_as_its_settings_say(tmp_path: Path):
    notes: list[str] = []

    def listen(task: str, done: float, total: float, note: str = "") -> None:
        del task, done, total
        notes.append(note)

    arrival = arrival_of(request(parse_source("tour://5")), tmp_path, listen)
    assert (arrival.title, arrival.uploader, arrival.licence) == ("Rendered tour 5", "pipeline.tours", "CC0-1.0")
    held = probe(arrival.path)
    assert (held.width, held.height, held.fps) == (640, 480, pytest.approx(4))
    assert notes[-1] == f"frame {held.frame_count} of {held.frame_count}"


def test_a_url_is_fetched_and_called_by_the_end_of_its_path(tmp_path: Path):
    with serving(b"whatever the host has") as host:
        arrival = arrival_of(request(parse_source(f"{host.address}/good/My%20house.mp4")), tmp_path, silent)
    assert arrival.path.read_bytes() == b"whatever the host has"
    assert arrival.title == "My house"
    assert (arrival.uploader, arrival.licence) == ("", "")


def test_without_the_packages_for_the_web_a_url_says_which_extra_to_install():
    code = """
import sys
from pathlib import Path
sys.modules["yt_dlp"] = None  # what Python itself notes of a module that cannot be imported
from tests.pipeline.stages.video.test_origins import refused
print(refused())
"""
    assert "needs the extra 'web'" in run_code(code)


def refused() -> str:
    """The message of a URL that is fetched where yt-dlp is missing."""
    try:
        arrival_of(request(parse_source("https://a.org/v.mp4")), Path(), silent)
    except MissingExtra as error:
        return str(error)
    return ""
