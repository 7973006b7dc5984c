"""A coloured, labelled, metric cloud of a clip, thinned to what a page can hold and packed small."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Floats, Images
from pipeline.contract.camera import pointmap
from pipeline.contract.classes import SemanticClass
from pipeline.contract.records import MetricScene, Semantics
from pipeline.geometry.poses import resize_nearest

MOST_POINTS = 200_000
STEP_M = 0.004
"""Metres between coordinates that a page tells apart: half a centimetre is below the error of any depth here."""

CELL_STEPS = 3
"""Points closer than this many steps along all axes are one."""

LARGEST = 2**16 - 1
CANDIDATES = 3
"""Points lifted for every point kept: surfaces that many frames see would otherwise be all there is."""

BITS = 16


@dataclass(frozen=True)
class Cloud:
    """Points of a clip.

    corner: (3,) float64, metres. steps: (p, 3) uint16, of ``STEP_M`` from the corner. colours: (p, 3) uint8 RGB.
    labels: (p,) uint8.
    """

    corner: NDArray[np.float64]
    steps: NDArray[np.uint16]
    colours: Images
    labels: NDArray[np.uint8]

    def points(self) -> NDArray[np.float64]:
        """Return the points (p, 3), metres in the clip's world."""
        return self.corner + self.steps * STEP_M


def cloud_of(scene: MetricScene, semantics: Semantics, pictures: Images, most: int = MOST_POINTS) -> Cloud:
    """Return at most ``most`` points of a clip's registered frames, those of what moves left out.

    They come along a curve that fills space (Morton's), so that neighbours differ little and pack well.

    pictures: (n, 480, 640, 3) uint8 RGB of the clip's frames.
    """
    points, colours, labels = _lifted(scene, semantics, pictures, most * CANDIDATES)
    if not len(points):
        return Cloud(np.zeros(3), np.empty((0, 3), np.uint16), colours, labels)
    corner = np.asarray(np.percentile(points, 0.2, axis=0) - 0.5, np.float64)
    steps = np.floor((points - corner) / STEP_M)
    inside = np.flatnonzero(((steps >= 0) & (steps <= LARGEST)).all(axis=1))
    _, first = np.unique(morton(steps[inside].astype(np.uint64) // CELL_STEPS), return_index=True)
    kept = inside[first]
    if len(kept) > most:
        kept = kept[np.sort(np.random.default_rng(0).choice(len(kept), most, replace=False))]
    return Cloud(corner, steps[kept].astype(np.uint16), colours[kept], labels[kept])


def morton(cells: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the places (p,) of cells (p, 3), each below 2**16, along Morton's curve."""
    place = np.zeros(len(cells), np.uint64)
    for bit in range(BITS):
        for axis in range(3):
            place |= (cells[:, axis] >> np.uint64(bit) & np.uint64(1)) << np.uint64(3 * bit + axis)
    return place


def _lifted(
    scene: MetricScene, semantics: Semantics, pictures: Images, most: int
) -> tuple[Floats, Images, NDArray[np.uint8]]:
    """Return points (p, 3) of all registered frames with their colours (p, 3) and labels (p,)."""
    frames = np.flatnonzero(scene.registered)
    shape = (scene.depth.shape[1], scene.depth.shape[2])
    labels = resize_nearest(semantics.labels, shape)
    held = scene.depth > 0
    if semantics.moving is not None:
        held &= ~resize_nearest(semantics.moving, shape).astype(np.bool_)
    found: list[tuple[Floats, Images, NDArray[np.uint8]]] = [
        (np.empty((0, 3), np.float32), np.empty((0, 3), np.uint8), np.empty(0, np.uint8))
    ]
    for frame in frames:
        given = np.flatnonzero(held[frame])
        given = given[:: max(1, -(-len(given) * len(frames) // most))]
        lifted = pointmap(scene.depth[frame], scene.intrinsics[frame], scene.camera_to_world[frame]).reshape(-1, 3)
        small = cv2.resize(pictures[frame], shape[::-1], interpolation=cv2.INTER_AREA).reshape(-1, 3)
        named = np.minimum(labels[frame].ravel()[given], SemanticClass.UNKNOWN).astype(np.uint8)
        found.append((lifted[given].astype(np.float32), np.asarray(small[given], np.uint8), named))
    points, colours, names = zip(*found, strict=True)
    return np.concatenate(points), np.concatenate(colours), np.concatenate(names)
