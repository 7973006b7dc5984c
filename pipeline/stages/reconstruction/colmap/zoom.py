"""Tells whether the lens zooms during a clip, and by how much each of its frames is enlarged.

A zoom enlarges the picture as a whole, a step forwards enlarges near things more; a bundle adjustment with a focal
length a frame tells them apart. What it finds is also what a bent picture asks for, and what noise does in a short
clip. So a zoom is believed where a steady course of it, two numbers, explains the matches: far beyond noise, and each
of the two more than the bend of a lens does. A sudden one, in and out again within the clip or from one frame to the
next, follows no such course: it is taken out of the pictures where each frame's own focal length explains as much
beyond noise as each number of a course must, and all of them together more than a bend does.
"""

import copy
import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pycolmap
from PIL import Image

from pipeline.contract.arrays import Float64s
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH
from pipeline.stages.reconstruction.colmap.cameras import (
    frame_of,
    is_square,
    with_lens,
    with_own_cameras,
    without_zoom,
)
from pipeline.stages.reconstruction.colmap.residuals import fall_of_cost
from pipeline.stages.reconstruction.zoom import FEWEST_FRAMES, LEAST_ZOOM, is_steady_zoom

COURSE = 2
"""Degree of the polynomial that the logarithm of the focal length follows: one move, which may start or end slowly."""

SURE = 50.0
"""F statistic of each number of the course: 320 of a zoom by 1.3 in a hard tour, up to 40 without zoom and bend."""

SUDDEN = 1.06
"""Longest over shortest focal length from which on every frame may have its own: sharp clips without a zoom differ by a
hundredth, and a sudden zoom by 1.12 is told."""

Adjust = Callable[[pycolmap.Reconstruction], None]
"""Adjusts cameras and points of a model in place, until hardly anything moves."""


class Zoom(NamedTuple):
    """What a bundle adjustment with a camera a frame found.

    steady: where a zoom explains the matches, the model with its pixels where they would lie without it, adjusted; else
    None. course: (n,) focal length of every frame over the mean, 1 where there is no zoom; where it is asked for and
    not believed, it points the right way even where the model is stuck. bent_error: reprojection error of what a lens
    that bends makes of the matches instead, pixels; nan where no zoom is asked for. statistic: F of each number of the
    course, 1 where it explains no more than noise; 0 where no zoom is asked for.
    """

    steady: pycolmap.Reconstruction | None
    course: Float64s
    bent_error: float = math.nan
    statistic: float = 0.0


def find_zoom(model: pycolmap.Reconstruction, adjust: Adjust, count: int) -> Zoom:
    """Look for a zoom in a model of some of ``count`` frames that has one camera; it is left as it is."""
    nothing = Zoom(None, np.ones(count))
    if model.num_reg_images() < FEWEST_FRAMES:
        return nothing
    freed = with_own_cameras(model)
    adjust(freed)
    images = [freed.image(image_id) for image_id in _in_order(freed)]
    focal = np.array([freed.camera(image.camera_id).focal_length_x for image in images])
    is_steady = is_steady_zoom(focal)
    if not is_steady and focal.max() < SUDDEN * focal.min():
        return nothing
    plain, bent = copy.deepcopy(model), with_lens(model, "SIMPLE_RADIAL" if is_square(model) else "OPENCV")
    adjust(plain)
    adjust(bent)
    rivals, found = _Rivals(plain, bent, freed), Zoom(None, np.ones(len(images)))
    frames = np.array([frame_of(image) for image in images])
    if is_steady:
        course = steady_course(frames, focal, np.array([image.num_points3D for image in images]))
        found = _followed(rivals, course, adjust)
    if _is_sudden(rivals, found.steady, focal):
        # the model may be stuck far from what its frames ask for: all begins anew from pictures without the zoom
        statistic = fall_of_cost(plain, freed) / (len(focal) - 1)
        own = np.asarray(focal / np.exp(np.log(focal).mean()))
        found = Zoom(None, own, bent.compute_mean_reprojection_error(), statistic)
    return found._replace(course=np.interp(np.arange(count), frames, found.course))


class _Rivals(NamedTuple):
    """A model with one camera, with one whose lens bends, and with a camera a frame, each adjusted."""

    plain: pycolmap.Reconstruction
    bent: pycolmap.Reconstruction
    freed: pycolmap.Reconstruction


def _followed(rivals: _Rivals, course: Float64s, adjust: Adjust) -> Zoom:
    """Return what a steady course (m,) of focal lengths makes of a model."""
    steady = without_zoom(rivals.freed, dict(zip(_in_order(rivals.freed), course.tolist(), strict=True)))
    adjust(steady)
    bend = fall_of_cost(rivals.plain, rivals.bent) / (1 if is_square(rivals.plain) else 4)
    statistic = fall_of_cost(rivals.plain, steady) / COURSE
    if course.max() > LEAST_ZOOM * course.min() and statistic > max(SURE, bend):
        return Zoom(steady, course)
    return Zoom(None, course, rivals.bent.compute_mean_reprojection_error(), statistic)


def _is_sudden(rivals: _Rivals, steady: pycolmap.Reconstruction | None, focal: Float64s) -> bool:
    """Tell whether focal lengths (m,) of frames explain what neither a steady course, if there is one, nor a bend does.

    steady: the model that follows such a course.
    """
    further = len(focal) - 1 - (0 if steady is None else COURSE)
    left = fall_of_cost(steady or rivals.plain, rivals.freed) / further
    in_all, by_bend = (fall_of_cost(rivals.plain, other) for other in (rivals.freed, rivals.bent))
    return bool(focal.max() > SUDDEN * focal.min() and left > SURE and in_all > by_bend)


def _in_order(model: pycolmap.Reconstruction) -> list[int]:
    """Return the images that have a camera, in the order of their frames."""
    return sorted(model.reg_image_ids(), key=lambda image_id: model.image(image_id).name)


def steady_course(frames: Float64s, focal: Float64s, points: Float64s) -> Float64s:
    """Return focal lengths (m,) of some frames (m,) as a lens that moves once has them, over their mean.

    points: (m,) that each frame sees, which say how far its focal length is to be trusted.
    """
    place = (frames - frames.mean()) / max(float(np.ptp(frames)) / 2, 1.0)
    logarithm = np.polyval(np.polyfit(place, np.log(focal), COURSE, w=np.sqrt(points)), place)
    return np.asarray(np.exp(logarithm - logarithm.mean()))


def steadied(picture: Image.Image, zoom: float) -> Image.Image:
    """Return a picture as a lens that is ``zoom`` times as long would have taken it: its middle, enlarged."""
    left, top = FRAME_WIDTH / 2 * (1 - 1 / zoom), FRAME_HEIGHT / 2 * (1 - 1 / zoom)
    middle = (left, top, FRAME_WIDTH - left, FRAME_HEIGHT - top)
    return picture.resize((FRAME_WIDTH, FRAME_HEIGHT), Image.Resampling.BICUBIC, box=middle)
