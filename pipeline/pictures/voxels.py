"""A grid as an isometric picture of coloured blocks: every visible face is painted, far ones first."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from pipeline.contract.classes import SemanticClass, palette
from pipeline.pictures.layout import PAPER, px

SIDES = {
    "top": ((0, 0, 1), np.array([(0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)]), 1.0),
    "left": ((-1, 0, 0), np.array([(0, 0, 0), (0, 1, 0), (0, 1, 1), (0, 0, 1)]), 0.84),
    "right": ((0, -1, 0), np.array([(0, 0, 0), (1, 0, 0), (1, 0, 1), (0, 0, 1)]), 0.68),
}
"""The three sides of a voxel that the viewer sees: the neighbour that would hide it, its corners, its brightness."""

RISE = 1.1
"""Length of a vertical edge on the picture, in units of half a voxel's width."""

OUTLINE = 0.86
"""Brightness of a face's edge relative to the face: enough to tell blocks apart."""

SHADOW = 0.055
"""Darkening of a top face by each of its eight neighbours that rises above it."""

OVERSAMPLING = 2
NEAR, SKIRTING = 6, 3
"""Voxels from the viewer's sides within which walls are cut, and the height that is left of them."""

WALLS = (SemanticClass.WALL, SemanticClass.WINDOW)
NEAR_CUT = (*WALLS, SemanticClass.UNNAMED)
"""What is cut low near the viewer; what has no name there may be a wall."""

ROOF = 26
"""Level, 2.03 m above the floor, from which voxels without a name are not drawn: they may be the ceiling."""

CUT_AWAY = (SemanticClass.EMPTY, SemanticClass.UNKNOWN, SemanticClass.CEILING)


class Face(NamedTuple):
    """One side of a voxel: index of the voxel (3,), corners (4, 3) relative to it, RGB colour."""

    voxel: NDArray[np.int64]
    corners: NDArray[np.int64]
    colour: tuple[int, int, int]


def isometric(labels: NDArray[np.uint8], width: int = 640) -> Image.Image:
    """Return a grid seen from behind the camera and above, without its ceiling and with its near walls cut low.

    The viewer stands to the left of the camera or to its right: where fewer walls are in the way.

    Args:
        labels: (X, Y, Z) uint8, ``labels[x, y, z]``; empty and unknown voxels are not drawn, nor nameless ones 2 m up.
        width: of the picture, pixels.
    """
    width = px(width)
    high = (labels == SemanticClass.UNNAMED) & (np.arange(labels.shape[2]) >= ROOF)
    labels = np.where(high, np.uint8(SemanticClass.EMPTY), labels)
    walls, half = np.isin(labels, WALLS), len(labels) // 2
    if walls[:half].sum() > walls[half:].sum():
        labels = np.rot90(labels, -1)
    canvas = _painted(_opened(_occupied_box(labels)), width * OVERSAMPLING)
    return canvas.resize((width, max(1, canvas.height // OVERSAMPLING)), Image.Resampling.LANCZOS)


def _occupied_box(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    occupied = np.argwhere(_solid(labels))
    if len(occupied) == 0:
        return labels
    low, high = occupied.min(axis=0), occupied.max(axis=0) + 1
    return labels[low[0] : high[0], low[1] : high[1], low[2] : high[2]]


def _opened(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Cut the walls on the viewer's sides down to a skirting, as one opens a doll's house."""
    near = np.zeros(labels.shape, np.bool_)
    near[: min(NEAR, len(labels) // 4), :, SKIRTING:] = True
    near[:, : min(NEAR, labels.shape[1] // 4), SKIRTING:] = True
    return np.where(near & np.isin(labels, NEAR_CUT), np.uint8(SemanticClass.EMPTY), labels)


def _painted(labels: NDArray[np.uint8], width: int) -> Image.Image:
    size_x, size_y, size_z = labels.shape
    unit = width / (size_x + size_y)
    height = int(unit * ((size_x + size_y) / 2 + size_z * RISE)) + 2
    canvas = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(canvas)
    for face in _faces(labels):
        x, y, z = (face.corners + face.voxel).T
        columns, rows = (x - y + size_y) * unit, height - ((x + y) / 2 + z * RISE) * unit
        edge = tuple(int(value * OUTLINE) for value in face.colour)
        draw.polygon(np.stack([columns, rows], axis=1).ravel().tolist(), face.colour, edge)
    return canvas


def _faces(labels: NDArray[np.uint8]) -> Iterator[Face]:
    solid = np.pad(_solid(labels), 1)
    voxels = np.argwhere(solid[1:-1, 1:-1, 1:-1])
    for voxel in voxels[np.argsort(voxels @ (-1, -1, 1), kind="stable")]:
        x, y, z = voxel + 1
        colour = palette()[labels[tuple(voxel)]]
        for side, (towards, corners, brightness) in SIDES.items():
            if solid[x + towards[0], y + towards[1], z + towards[2]]:
                continue
            rising = solid[x - 1 : x + 2, y - 1 : y + 2, z + 1].sum() if side == "top" else 0
            shade = brightness * (1 - SHADOW * rising)
            yield Face(voxel, corners, (int(colour[0] * shade), int(colour[1] * shade), int(colour[2] * shade)))


def _solid(labels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return ~np.isin(labels, CUT_AWAY)
