"""What dense matching looks at: small grey pictures, their camera, and which frames help which."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s, Floats, Images
from pipeline.contract.padding import shown_share
from pipeline.contract.records import FRAME_WIDTH
from pipeline.geometry.poses import Pixel
from pipeline.stages.reconstruction.colmap.settings import SweepSettings
from pipeline.stages.reconstruction.colmap.sparse_model import SparseModel


@dataclass(frozen=True)
class ClipViews:
    """Registered frames of a clip at the resolution of depth (r views of h x w pixels), without black sides.

    grey: (r, h, w) float32 in [0, 1].
    intrinsics: (r, 3, 3) float64, pixels of these pictures.
    camera_to_world: (r, 4, 4) float64.
    sources: for every view the views it is matched with, best first.
    depth_range: (r, 2) float64, nearest and farthest depth looked for.
    beside: columns to the left and to the right of these pictures that show nothing.
    """

    grey: Floats
    intrinsics: Float64s
    camera_to_world: Float64s
    sources: tuple[tuple[int, ...], ...]
    depth_range: Float64s
    beside: tuple[int, int] = (0, 0)

    def with_sides(self, maps: NDArray[Pixel]) -> NDArray[Pixel]:
        """Return maps (r, h, w) of these pictures as maps of whole frames, zero at the sides that show nothing."""
        return np.pad(maps, ((0, 0), (0, 0), self.beside))

    def without_sides(self, maps: NDArray[Pixel]) -> NDArray[Pixel]:
        """Return maps (r, h, w, ...) of whole frames as maps of these pictures."""
        left, right = self.beside
        return maps[:, :, left : maps.shape[2] - right]

    def projection(self, view: int, source: int) -> tuple[Float64s, Float64s]:
        """Return (3, 3) H and (3,) b: a pixel u of ``view`` at depth z falls on ``H (u, 1) + b / z`` in ``source``."""
        source_from_view = np.linalg.inv(self.camera_to_world[source]) @ self.camera_to_world[view]
        turn = self.intrinsics[source] @ source_from_view[:3, :3] @ np.linalg.inv(self.intrinsics[view])
        return turn, self.intrinsics[source] @ source_from_view[:3, 3]


def views_of(rgb: Images, model: SparseModel, settings: SweepSettings) -> ClipViews:
    """Return the registered frames of ``rgb`` (n, 480, 640, 3) with their sources and depth ranges.

    Black sides are cut off: they go with the camera, so that they match each other at some depth in all frames.
    """
    frames = np.flatnonzero(model.registered)
    width, height = settings.width, settings.width * 3 // 4
    left, right = _beside(rgb, width)
    small = [
        cv2.resize(cv2.cvtColor(rgb[frame], cv2.COLOR_RGB2GRAY), (width, height), interpolation=cv2.INTER_AREA)
        for frame in frames
    ]
    scale = np.array([[width / FRAME_WIDTH, 0, -left], [0, width / FRAME_WIDTH, 0], [0, 0, 1]])
    scores = _source_scores(model, settings)[np.ix_(frames, frames)]
    return ClipViews(
        grey=np.stack(small)[:, :, left : width - right].astype(np.float32) / np.float32(255),
        intrinsics=scale @ model.frame_intrinsics()[frames],
        camera_to_world=model.camera_to_world[frames],
        sources=tuple(_best_sources(row, settings.sources) for row in scores),
        depth_range=np.array([_depth_range(model, frame, settings) for frame in frames]),
        beside=(left, right),
    )


def _beside(rgb: Images, width: int) -> tuple[int, int]:
    """Return how many of ``width`` columns at the left and at the right are black, or next to black that is smeared."""
    shown = np.flatnonzero(shown_share(rgb, width))
    left, right = int(shown[0]), width - 1 - int(shown[-1])
    return left + (left > 0), right + (right > 0)


def _source_scores(model: SparseModel, settings: SweepSettings) -> Float64s:
    """Score every pair of frames (n, n): shared points, weighted by how well their angle tells depth (as MVSNet)."""
    count = len(model.registered)
    sees = np.zeros((count, len(model.points)), bool)
    sees[model.observed_frame, model.observed_point] = True
    ray = model.points[None] - model.camera_to_world[:, None, :3, 3]
    ray /= np.linalg.norm(ray, axis=2, keepdims=True)
    scores = np.zeros((count, count))
    for frame in range(count):
        angle = np.degrees(np.arccos(np.clip(np.einsum("mi,nmi->nm", ray[frame], ray), -1, 1)))
        spread = np.where(angle < settings.best_angle, settings.best_angle / 2, settings.best_angle * 2)
        weight = np.exp(-(((angle - settings.best_angle) / spread) ** 2) / 2)
        scores[frame] = np.sum(weight * sees * sees[frame], axis=1)
        scores[frame, frame] = 0
    return scores


def _best_sources(scores: Float64s, count: int) -> tuple[int, ...]:
    order = np.argsort(-scores, kind="stable")[:count]
    return tuple(int(source) for source in order if scores[source] > 0)


def _depth_range(model: SparseModel, frame: np.int64, settings: SweepSettings) -> tuple[float, float]:
    depth = model.depths()[model.observed_frame == frame]
    near, far = np.percentile(depth[depth > 0], (2, 98)) if np.any(depth > 0) else (1.0, 10.0)
    return near * settings.nearer, far * settings.farther
