"""The camera's path from above, over the points it saw."""

from itertools import product

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from pipeline.contract.arrays import Floats, Images
from pipeline.pictures.layout import INK, PAPER, below, beside, caption, px, scale_bar

KNEE_HEIGHT, HEAD_HEIGHT = 0.1, 2.2
"""Metres above the floor between which points are drawn: no floor, no ceiling, so that walls show as lines."""

PATH = (214, 38, 40)
VIEW = (30, 119, 181)


def floor_plan(points: Floats, colours: Images, camera_to_world: NDArray[np.floating], side: int = 420) -> Image.Image:
    """Return points from above, x to the right and y up, with the cameras' path (red) and views (blue).

    Args:
        points: (p, 3) world points, metres, z up, floor at z = 0.
        colours: (p, 3) uint8 RGB of the points.
        camera_to_world: (n, 4, 4) poses of the frames, in order.
        side: of the plan, pixels.
    """
    side = px(side)
    drawn = (points[:, 2] > KNEE_HEIGHT) & (points[:, 2] < HEAD_HEIGHT)
    low, extent = _extent(points[drawn, :2], camera_to_world[:, :2, 3])
    scale = (side - 20) / extent
    plan = _splat(_to_plan(points[drawn, :2], low, scale, side), colours[drawn], points[drawn, 2], side)
    _draw_path(ImageDraw.Draw(plan), camera_to_world, low, scale, side)
    words = caption(f"{len(camera_to_world)} cameras from above; the plan is {extent:.1f} m wide", 12)
    return below(plan, beside(scale_bar(scale), words))


def _extent(points: NDArray[np.floating], centres: NDArray[np.floating]) -> tuple[NDArray[np.float64], float]:
    """Return the corner and side of a square that holds every camera and all points but the farthest."""
    nearly_all = np.percentile(points, [0.5, 99.5], axis=0) if len(points) else np.empty((0, 2))
    bounds = np.concatenate([nearly_all, centres])
    low, high = bounds.min(axis=0), bounds.max(axis=0)
    extent = float(max(*(high - low), 1.0))
    return (low + high - extent) / 2, extent


def _to_plan(xy: NDArray[np.floating], low: NDArray[np.float64], scale: float, side: int) -> NDArray[np.int64]:
    pixels = (xy - low) * scale + 10
    return np.stack([pixels[..., 0], side - pixels[..., 1]], axis=-1).astype(np.int64)


def _splat(pixels: NDArray[np.int64], colours: Images, heights: Floats, side: int) -> Image.Image:
    dot = px(2)
    inside = ((pixels >= 0) & (pixels <= side - dot)).all(axis=1)
    order = np.argsort(heights[inside], kind="stable")
    plan = np.full((side, side, 3), PAPER, np.uint8)
    columns, rows = pixels[inside][order].T
    for row, column in product(range(dot), range(dot)):
        plan[rows + row, columns + column] = colours[inside][order]
    return Image.fromarray(plan)


def _draw_path(
    draw: ImageDraw.ImageDraw,
    camera_to_world: NDArray[np.floating],
    low: NDArray[np.float64],
    scale: float,
    side: int,
) -> None:
    centres = _to_plan(camera_to_world[:, :2, 3], low, scale, side)
    ahead = _to_plan(camera_to_world[:, :2, 3] + 0.4 * camera_to_world[:, :2, 2], low, scale, side)
    for centre, tip in zip(centres.tolist(), ahead.tolist(), strict=True):
        draw.line([tuple(centre), tuple(tip)], VIEW, px(1))
    draw.line([tuple(centre) for centre in centres.tolist()], PATH, px(3))
    for x, y in centres[[0, -1]].tolist():
        draw.ellipse((x - px(4), y - px(4), x + px(4), y + px(4)), PATH, INK)
