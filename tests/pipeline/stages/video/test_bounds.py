"""Files that claim more than is accepted: refused with the setting's name, before they take memory or time."""

import resource
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from pipeline.contract.errors import BrokenVideo, UnwantedVideo
from pipeline.media import iterate
from pipeline.sources.video_source import parse_source
from pipeline.stages.video.bounds import check_bounds
from pipeline.stages.video.fetch import fetch
from pipeline.stages.video.settings import VideoSettings
from tests.paths import ROOT
from tests.pipeline.stages.video.hostile_files import growing, large, with_samples
from tests.pipeline.videos import walk, write_video

FETCH = """
import resource, sys
from pathlib import Path
from pipeline.contract.errors import PipelineError
from pipeline.sources.video_source import parse_source
from pipeline.stages.video.fetch import fetch
from pipeline.stages.video.settings import VideoSettings
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    fetch(parse_source(sys.argv[1]), Path(sys.argv[2]), VideoSettings(probe_bytes_max=64 * 2**20))
    print("accepted", end=" ")
except PipelineError as error:
    print(error.code, end=" ")
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def refusal(path: Path, **settings: Any) -> str:
    with pytest.raises(UnwantedVideo) as caught:
        check_bounds(path, VideoSettings.model_validate(settings))
    return str(caught.value)


def test_a_film_of_a_telephone_is_accepted(tmp_path: Path):
    check_bounds(write_video(tmp_path / "film.mp4", walk(3, 60, size=(64, 48)), fps=240), VideoSettings())


def test_a_picture_of_too_many_pixels_a_side(tmp_path: Path):
    wide = large(tmp_path / "wide.mp4", 8192, 16)
    assert "video.side_max" in refusal(wide)
    check_bounds(wide, VideoSettings(side_max=8192))


def test_pixels_that_are_wider_than_they_are_high_count_as_shown(tmp_path: Path):
    path = write_video(tmp_path / "flat.mkv", walk(3, 3, size=(640, 48)), pixel_aspect=Fraction(10))
    assert "6400 a side" in refusal(path)


def test_too_many_frames_a_second(tmp_path: Path):
    path = write_video(tmp_path / "fast.mp4", walk(3, 20, size=(64, 48)), fps=500)
    assert "video.fps_max" in refusal(path)


def test_too_many_packets(tmp_path: Path):
    path = write_video(tmp_path / "film.mp4", walk(3, 20, size=(64, 48)))
    assert "video.packets_max" in refusal(path, packets_max=19)
    check_bounds(path, VideoSettings(packets_max=20))


def test_frames_that_lie_hours_apart(tmp_path: Path):
    path = write_video(tmp_path / "slow.mkv", walk(3, 3, size=(64, 48)), ticks=[0, 10, 10 * 3601])
    assert "video.duration_max_s" in refusal(path)


def test_what_is_no_video_is_broken(tmp_path: Path):
    (tmp_path / "a.mp4").write_text("no video")
    with pytest.raises(BrokenVideo):
        check_bounds(tmp_path / "a.mp4", VideoSettings())


def test_a_file_beyond_the_bounds_does_not_arrive(tmp_path: Path):
    source = parse_source(str(large(tmp_path / "wide.mp4", 8192, 16)))
    with pytest.raises(UnwantedVideo, match=r"video\.side_max"):
        fetch(source, tmp_path / "out", VideoSettings())
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.skipif(sys.platform != "linux", reason="memory is bounded on Linux alone")
def test_a_small_file_with_a_vast_index_takes_no_more_memory_than_looking_at_it_may(tmp_path: Path):
    """Opened without a bound, its 2.6 kB take 430 MB."""
    path = with_samples(tmp_path / "vast.mp4", 6_000_000)
    command = [sys.executable, "-c", FETCH, str(path), str(tmp_path / "out")]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    code, grown = ended.stdout.split()
    assert code in ("UnwantedVideo", "BrokenVideo"), ended.stderr
    assert int(grown) < 80
    assert resource.getrlimit(resource.RLIMIT_DATA)[0] == resource.RLIM_INFINITY


def test_a_stream_may_not_grow_without_bound_while_it_is_decoded(tmp_path: Path):
    grown = growing(tmp_path / "grown.ts", [(64, 48), (2048, 2048)])
    assert sum(1 for _ in iterate(growing(tmp_path / "same.ts", [(64, 48), (128, 96)]), 48)) == 124
    with pytest.raises(BrokenVideo):
        list(iterate(grown, 48))
