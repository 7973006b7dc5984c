"""Films whose frames have a camera, and perhaps a depth map, each: what readers of published sequences return."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.contract.errors import BrokenVideo
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH, WHOLE, Box, MetricScene
from pipeline.media.probe import probe
from pipeline.quality.truth.film import Picture, TrueShot, true_clip_of_surfaces
from pipeline.tours.truth import TrueClip

NO_DEPTH = (FRAME_HEIGHT // 20, FRAME_WIDTH // 20)
"""Shape of a depth map of which nothing is known."""


@dataclass(frozen=True)
class TrueDepth:
    """A file with a depth map (h, w) uint16, 0 = none, and how many of its steps a metre has."""

    path: Path
    steps_a_metre: float

    def read(self) -> NDArray[np.float64]:
        """Return z-depth (h, w), metres; raises ``BrokenVideo``."""
        steps = cv2.imread(str(self.path), cv2.IMREAD_UNCHANGED)
        if steps is None or steps.ndim != 2:
            raise BrokenVideo(f"{self.path} is no depth map that can be read: fetch the sequence again")
        return np.asarray(steps, np.float64) / self.steps_a_metre


@dataclass(frozen=True)
class PosedFilm:
    """One recording with known cameras.

    video: the file that is built. picture: its picture; or one for each known frame where the focal length changes.
    cameras: camera_to_world (4, 4) float64 by frame of the video. depth: by frame of the video, for none or all of
    those. level: whether the world has to be turned upright.
    """

    name: str
    video: Path
    pictures: Mapping[int, Picture]
    cameras: Mapping[int, NDArray[np.float64]]
    depth: Mapping[int, TrueDepth]
    level: bool = True

    @property
    def origin(self) -> str:
        """The file."""
        return str(self.video)

    @property
    def in_metres(self) -> bool:
        """Depth is published in metres; cameras alone are known up to scale."""
        return bool(self.depth)

    @cached_property
    def _length(self) -> tuple[float, int]:
        found = probe(self.video)
        return found.fps, found.frame_count

    @property
    def fps(self) -> float:
        """Frames a second of the file."""
        return self._length[0]

    @property
    def shots(self) -> tuple[TrueShot, ...]:
        """All of it is one shot."""
        return (TrueShot("", 0, self._length[1]),)

    @property
    def version(self) -> str:
        """Of the cameras and of the depth files' sizes."""
        digest = hashlib.sha256()
        for frame in sorted(self.cameras):
            digest.update(np.int64(frame).tobytes() + self.cameras[frame].tobytes())
            digest.update(self.pictures[frame].intrinsics.tobytes())
            if frame in self.depth:
                digest.update(str(self.depth[frame].path.stat().st_size).encode())
        return digest.hexdigest()[:16]

    def known(self, frame_index: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which frames have a camera."""
        return np.isin(frame_index, list(self.cameras))

    def clip(self, frame_index: NDArray[np.int64], box: Box = WHOLE) -> TrueClip:
        """Return cameras and depth of known frames (n,)."""
        frames = [int(frame) for frame in frame_index]
        depth = np.stack([self._depth(frame, box) for frame in frames])
        intrinsics = np.stack([self.pictures[frame].stored(box) for frame in frames])
        cameras = np.stack([self.cameras[frame] for frame in frames]).astype(np.float32)
        return true_clip_of_surfaces(MetricScene.known(intrinsics, cameras, depth), level=self.level)

    def _depth(self, frame: int, box: Box) -> NDArray[np.float32]:
        if frame not in self.depth:
            return np.zeros(NO_DEPTH, np.float32)
        return self.pictures[frame].stored_depth(self.depth[frame].read(), box)


@dataclass(frozen=True)
class UnwantedFilm:
    """A film of which no clip belongs into a dataset: filmed outdoors, or pictures that do not overlap."""

    name: str
    video: Path
    in_metres: bool = False
    version: str = "1"

    @property
    def origin(self) -> str:
        """The file."""
        return str(self.video)

    @property
    def fps(self) -> float:
        """Frames a second of the file."""
        return probe(self.video).fps

    @property
    def shots(self) -> tuple[TrueShot, ...]:
        """All of it is one shot that is not wanted."""
        return (TrueShot("", 0, probe(self.video).frame_count, wanted=False),)

    def known(self, frame_index: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Nothing is known of any frame."""
        return np.zeros(len(frame_index), np.bool_)

    def clip(self, frame_index: NDArray[np.int64], box: Box = WHOLE) -> TrueClip:
        """There is no truth to return (``ValueError``)."""
        raise ValueError(f"nothing is known of frames {frame_index} of {self.name} in {box}")
