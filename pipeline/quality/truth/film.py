"""What a ruler has to know of a film: its shots, and exact cameras and depth of frames as the pipeline stores them."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.classes import SemanticClass
from pipeline.contract.errors import NoUpDirection
from pipeline.contract.records import (
    FRAME_HEIGHT,
    FRAME_WIDTH,
    WHOLE,
    Box,
    MetricScene,
    Reconstruction,
    Semantics,
)
from pipeline.geometry.poses import similarity_scale
from pipeline.media.pictures import cut_of
from pipeline.tours.truth import TrueClip

SOME_CLASS = SemanticClass.OBJECTS
"""Label of every surface where only depth is known: completion counts what is occupied, whatever it is called."""

HALF_A_PIXEL = 0.5
"""Published principal points have pixel centres at integers, ours at integers + 0.5."""


@dataclass(frozen=True)
class TrueShot:
    """Frames ``start`` to ``end``, exclusive, of one recording. wanted: whether it should become part of a dataset."""

    name: str
    start: int
    end: int
    wanted: bool = True


class TrueFilm(Protocol):
    """A film with its truth.

    name: for people. origin: the source that the pipeline builds it from. fps: frames a second. in_metres: whether its
    lengths are metres; else they are known up to scale. version: changes when the truth does.
    """

    @property
    def name(self) -> str: ...  # noqa: D102 - told above
    @property
    def origin(self) -> str: ...  # noqa: D102
    @property
    def shots(self) -> tuple[TrueShot, ...]: ...  # noqa: D102
    @property
    def fps(self) -> float: ...  # noqa: D102
    @property
    def in_metres(self) -> bool: ...  # noqa: D102
    @property
    def version(self) -> str: ...  # noqa: D102

    def known(self, frame_index: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell of which frames (n,) the truth is known."""
        ...

    def clip(self, frame_index: NDArray[np.int64], box: Box = WHOLE) -> TrueClip:
        """Return the truth of known frames (n,), in the pixels of what the pipeline stores of this box of the picture.

        Depth is all 0 where it is not known.
        """
        ...


@dataclass(frozen=True)
class Picture:
    """The picture of a film: width and height, square pixels, and intrinsics (3, 3) float64, centres at n + 0.5."""

    width: int
    height: int
    intrinsics: NDArray[np.float64]

    def stored(self, box: Box = WHOLE) -> NDArray[np.float32]:
        """Return the intrinsics (3, 3) of the 640x480 picture that is stored of a box."""
        cut = cut_of(self.width, self.height, box=box)
        to_stored = np.array(
            [
                [FRAME_WIDTH / cut.width, 0, -cut.left * FRAME_WIDTH / cut.width],
                [0, FRAME_HEIGHT / cut.height, -cut.top * FRAME_HEIGHT / cut.height],
                [0, 0, 1],
            ]
        )
        return (to_stored @ self.intrinsics).astype(np.float32)

    def stored_depth(self, depth: NDArray[np.floating], box: Box = WHOLE) -> NDArray[np.float32]:
        """Return depth (h, w) of the picture as (480, 640) float32 of what is stored of a box; nearest value."""
        cut = cut_of(self.width, self.height, box=box)
        columns, rows = cut.columns(FRAME_WIDTH), cut.rows(FRAME_HEIGHT)
        across, down = depth.shape[1] / self.width, depth.shape[0] / self.height
        seen = depth[(rows * down).astype(np.int64)]
        found = np.take(seen, (columns * across).astype(np.int64), axis=1, mode="clip")
        return np.where(cut.shows(columns), found, 0).astype(np.float32)


def picture_of(path: Path, intrinsics: NDArray[np.float64]) -> Picture:
    """Return the picture of a video whose published intrinsics (3, 3) have pixel centres at integers."""
    from pipeline.media.probe import probe

    found, ours = probe(path), intrinsics.astype(np.float64).copy()
    ours[:2, 2] += HALF_A_PIXEL
    return Picture(found.width, found.height, ours)


def true_clip_of_surfaces(scene: MetricScene, *, level: bool) -> TrueClip:
    """Return a clip whose surfaces have no names.

    scene: depth in metres, cameras in any world that does not move. level: turn the world upright by what the true
    depth shows, as the stage ``scene`` does, but keep its size.
    """
    scene = _levelled(scene) if level and scene.depth.any() else scene
    labels = np.where(scene.depth > 0, SOME_CLASS, SemanticClass.UNKNOWN).astype(np.uint8)
    n = len(labels)
    semantics = Semantics(labels, np.zeros(labels.shape, np.uint16))
    return TrueClip(scene, semantics, np.zeros(n, np.int64), ("indoor",) * n, np.zeros(n, np.bool_))


def _levelled(scene: MetricScene) -> MetricScene:
    from pipeline.stages.scene.metric import moved_cameras, to_metric

    found = Reconstruction(scene.intrinsics, scene.camera_to_world, scene.depth, scene.confidence, scene.registered)
    try:
        similarity = to_metric(found).world_from_reconstruction.copy()
    except NoUpDirection:
        similarity = _by_cameras(scene)
    similarity[:3] /= similarity_scale(similarity)
    return replace(scene, camera_to_world=moved_cameras(scene.camera_to_world, scene.registered, similarity))


def _by_cameras(scene: MetricScene) -> NDArray[np.float64]:
    """Return a world (4, 4) in which cameras are upright on average, and the lowest of what they see is the floor."""
    from pipeline.contract.camera import pointmap

    up = -scene.camera_to_world[:, :3, 1].astype(np.float64).mean(axis=0)
    up /= np.linalg.norm(up)
    forward = scene.camera_to_world[0, :3, 2] - up * (scene.camera_to_world[0, :3, 2] @ up)
    forward /= np.linalg.norm(forward)
    upright = np.eye(4)
    upright[:3, :3] = np.stack([np.cross(forward, up), forward, up])
    seen = [
        pointmap(depth, k, pose)[depth > 0] @ up
        for depth, k, pose in zip(scene.depth, scene.intrinsics, scene.camera_to_world, strict=True)
    ]
    upright[2, 3] = -float(np.quantile(np.concatenate(seen), 0.002))
    return upright
