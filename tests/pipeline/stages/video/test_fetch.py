import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from pipeline.contract import errors
from pipeline.sources.video_source import VideoSource, parse_source
from pipeline.stages.video.fetch import DRAFTS, fetch, read_source
from pipeline.stages.video.settings import VideoSettings
from tests.paths import ROOT
from tests.pipeline.small_files import files_limited_to
from tests.pipeline.videos import walk, write_video
from tests.pipeline.web_host import Host, serving

QUICK = VideoSettings(retries=0, timeout_s=5)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("download") / "film.mp4", walk(3, 40, step=3.0))


@pytest.fixture
def host(film: Path) -> Iterator[Host]:
    with serving(film.read_bytes()) as running:
        yield running


def video_at(host: Host, what: str) -> VideoSource:
    return parse_source(f"{host.address}/{what}/house.mp4")


def assert_nothing_arrived(folder: Path) -> None:
    assert not (folder / "source.mp4").exists()
    assert not (folder / "source.json").exists()


def test_a_local_file_arrives_whole_and_described(film: Path, tmp_path: Path) -> None:
    source = fetch(parse_source(str(film)), tmp_path, QUICK)
    assert (tmp_path / "source.mp4").read_bytes() == film.read_bytes()
    assert source.sha256 == hashlib.sha256(film.read_bytes()).hexdigest()
    assert (source.width, source.height, source.title) == (320, 240, "film")
    assert source.duration_s == pytest.approx(4.0)
    assert json.loads((tmp_path / "source.json").read_text()) == json.loads(json.dumps(asdict(source)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source.json", "source.mp4"]


def test_a_local_file_that_was_replaced_after_a_killed_process_had_copied_it_is_copied_again(
    film: Path, tmp_path: Path
) -> None:
    origin = tmp_path / "house.mp4"
    origin.write_bytes(film.read_bytes())
    first = fetch(parse_source(str(origin)), tmp_path / "draft", QUICK)
    write_video(origin, walk(4, 40, step=3.0))
    second = fetch(parse_source(str(origin)), tmp_path / "draft", QUICK)
    assert second.sha256 == hashlib.sha256(origin.read_bytes()).hexdigest() != first.sha256
    assert (tmp_path / "draft" / "source.mp4").read_bytes() == origin.read_bytes()
    origin.unlink()
    assert fetch(parse_source(str(origin)), tmp_path / "draft", QUICK) == second, "what is whole stays of use"


def test_a_url_arrives_byte_for_byte_with_its_title(host: Host, film: Path, tmp_path: Path) -> None:
    shares: list[float] = []

    def progress(task: str, done: float, total: float, note: str = "") -> None:
        del task, note
        shares.append(done / total)

    source = fetch(video_at(host, "good"), tmp_path, QUICK, progress)
    assert (tmp_path / "source.mp4").read_bytes() == film.read_bytes()
    assert source.title == "house"
    assert shares[-1] == 1


def test_what_is_there_is_not_fetched_again_but_what_was_damaged_is(host: Host, film: Path, tmp_path: Path) -> None:
    first = fetch(video_at(host, "good"), tmp_path, QUICK)
    asked = len(host.requests)
    assert fetch(video_at(host, "good"), tmp_path, QUICK) == first
    assert len(host.requests) == asked
    (tmp_path / "source.mp4").write_bytes(film.read_bytes()[:-1] + b"!")
    assert read_source(tmp_path) is None
    assert fetch(video_at(host, "good"), tmp_path, QUICK) == first
    assert read_source(tmp_path) == first


@pytest.mark.parametrize(
    ("what", "error"),
    [
        ("404", errors.DownloadGone),
        ("410", errors.DownloadGone),
        ("403", errors.DownloadRefused),
        ("429", errors.DownloadRefused),
        ("500", errors.DownloadTransient),
        ("503", errors.DownloadTransient),
        ("reset", errors.DownloadTransient),
        ("page", errors.BrokenVideo),
        ("disguised", errors.BrokenVideo),
    ],
)
def test_every_way_a_host_can_fail_has_its_error(
    host: Host, tmp_path: Path, what: str, error: type[errors.VideoError]
) -> None:
    with pytest.raises(error):
        fetch(video_at(host, what), tmp_path, QUICK)
    assert_nothing_arrived(tmp_path)


def test_a_host_that_nobody_answers_at_may_answer_later(tmp_path: Path) -> None:
    with pytest.raises(errors.DownloadTransient):
        fetch(parse_source("http://127.0.0.1:9/house.mp4"), tmp_path, QUICK)


def test_a_broken_transfer_is_taken_up_where_it_stopped(host: Host, film: Path, tmp_path: Path) -> None:
    fetch(video_at(host, "halves"), tmp_path, VideoSettings(retries=2, timeout_s=5))
    assert (tmp_path / "source.mp4").read_bytes() == film.read_bytes()
    ranges = [wanted for _, wanted in host.requests if wanted is not None]
    assert any(0 < int(wanted.removeprefix("bytes=").split("-")[0]) <= film.stat().st_size // 2 for wanted in ranges)


def test_a_missing_file_is_gone(tmp_path: Path) -> None:
    with pytest.raises(errors.DownloadGone):
        fetch(parse_source(str(tmp_path / "missing.mp4")), tmp_path / "out", QUICK)


@pytest.mark.parametrize("content", [b"", b"not a video\n" * 50])
def test_a_file_that_is_no_video_leaves_nothing_behind(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "fake.mp4").write_bytes(content)
    folder = tmp_path / "out"
    with pytest.raises(errors.BrokenVideo):
        fetch(parse_source(str(tmp_path / "fake.mp4")), folder, QUICK)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    "settings",
    [VideoSettings(bytes_max=2048), VideoSettings(duration_max_s=2), VideoSettings(duration_min_s=10)],
)
def test_videos_beyond_the_bounds_are_refused(host: Host, film: Path, tmp_path: Path, settings: VideoSettings) -> None:
    for source in (parse_source(str(film)), video_at(host, "good")):
        with pytest.raises(errors.BrokenVideo):
            fetch(source, tmp_path, settings)
        assert_nothing_arrived(tmp_path)


def test_a_full_disk_is_told_and_nothing_half_written_stays(host: Host, film: Path, tmp_path: Path) -> None:
    for source in (parse_source(str(film)), video_at(host, "good")):
        with files_limited_to(film.stat().st_size // 2), pytest.raises(errors.DiskFull):
            fetch(source, tmp_path, QUICK)
        assert list(tmp_path.iterdir()) == []
    assert fetch(video_at(host, "good"), tmp_path, QUICK).size_bytes == film.stat().st_size


def test_a_killed_fetch_is_taken_up_and_arrives_byte_for_byte(host: Host, film: Path, tmp_path: Path) -> None:
    source = video_at(host, "dripping")
    program = (
        "import sys; from pathlib import Path; from pipeline.sources.video_source import parse_source\n"
        "from pipeline.stages.video.fetch import fetch; from pipeline.stages.video.settings import VideoSettings\n"
        "fetch(parse_source(sys.argv[1]), Path(sys.argv[2]), VideoSettings())"
    )
    root = ROOT
    process = subprocess.Popen([sys.executable, "-c", program, source.origin, str(tmp_path)], cwd=root)
    part = tmp_path / DRAFTS / "download.part"
    deadline = time.monotonic() + 120
    while not (part.exists() and part.stat().st_size > 0):
        assert time.monotonic() < deadline, "the transfer never began"
        assert process.poll() is None, "the transfer ended before it could be killed"
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert_nothing_arrived(tmp_path)
    fetch(source, tmp_path, QUICK)
    assert (tmp_path / "source.mp4").read_bytes() == film.read_bytes()
    assert any(wanted and wanted != "bytes=0-" for _, wanted in host.requests)


def test_what_a_page_says_of_itself_is_kept_on_one_line(film: Path, tmp_path: Path) -> None:
    odd = tmp_path / "odd.mp4"
    odd.write_bytes(film.read_bytes())
    moved = odd.rename(tmp_path / ("a\u202eb\u0007c" + "x" * 200 + ".mp4"))
    title = fetch(VideoSource(kind="file", origin=str(moved)), tmp_path / "out", QUICK).title
    assert title.isprintable()
    assert len(title) <= 300
