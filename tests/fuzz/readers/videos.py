"""Video files, by way of everything that a video meets when it arrives, within the memory that it is allowed."""

from pathlib import Path

import numpy as np

from pipeline.contract.errors import BrokenVideo, UnwantedVideo
from pipeline.media import frames_at, frames_near, iterate
from pipeline.sources.rules import SourceRules
from pipeline.sources.video_source import VideoSource
from pipeline.stages.video.arrival import Arrival
from pipeline.stages.video.fetch import _verified
from pipeline.stages.video.origins import FetchRequest
from pipeline.stages.video.settings import VideoSettings
from tests.fuzz.reader import Reader
from tests.pipeline.videos import walk, write_video

SETTINGS = VideoSettings(duration_min_s=0.1, probe_bytes_max=256 * 2**20)
SIZE = (64, 48)


def _make(folder: Path) -> None:
    frames = walk(3, 12, size=SIZE)
    write_video(folder / "a.mp4", frames)
    write_video(folder / "turned.mp4", frames, rotation=90)
    write_video(folder / "streamed.mp4", frames, options={"movflags": "frag_keyframe+empty_moov"})
    write_video(folder / "a.mkv", frames)
    write_video(folder / "a.webm", frames, codec="libvpx")
    write_video(folder / "a.avi", frames, codec="mpeg4")
    write_video(folder / "a.mpg", walk(3, 30, size=SIZE), fps=25, codec="mpeg2video")


def _read(folder: Path, name: str) -> object:
    path = folder / name
    request = FetchRequest(VideoSource.of_origin("https://example.org/a.mp4"), SETTINGS, SourceRules(), None)
    described = _verified(request, Arrival(path, "A tour"))
    shown = sum(1 for _ in iterate(path, 24))
    pictures = sum(1 for _ in frames_at(path, np.arange(min(shown, 3))))
    return described, shown, pictures, sum(1 for _ in frames_near(path, np.array([0.1, 0.6])))


OF_THE_FILM = (BrokenVideo, UnwantedVideo)
"""That the machine is short of something is a violation: reading a film of some kilobytes takes nothing away."""

READERS = (Reader("videos", _make, _read, 0.08, allowed=OF_THE_FILM, may_die=True),)
