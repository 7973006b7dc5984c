"""Does the lens bend straight lines? A bundle adjustment that may bend must foretell observations it has not seen.

A share of the observations is held out. The camera as it was found, one with COLMAP's ``SIMPLE_RADIAL`` and then one
with ``OPENCV`` are adjusted to the others; a richer lens is kept only where the held-out ones lie nearer to where it
says, by more than chance explains. The measure is their reprojection error in pixels, each counted as ``WORST`` at
most, so that mismatches count alike for all. What is kept is adjusted to all observations.
"""

import copy
from dataclasses import dataclass

import numpy as np
import pycolmap

from pipeline.contract.arrays import Float64s, Int64s
from pipeline.geometry.distortion import HALF_DIAGONAL, Distortion
from pipeline.stages.reconstruction.colmap.cameras import (
    LensName,
    camera_of,
    is_square,
    square_pixels,
    with_lens,
    with_own_cameras,
)
from pipeline.stages.reconstruction.colmap.lens_settings import LensSettings
from pipeline.stages.reconstruction.colmap.residuals import distances, fall_of_cost, is_surely_less, projected
from pipeline.stages.reconstruction.colmap.zoom import Adjust
from pipeline.stages.reconstruction.first_look import UNTOLD, LensFit

WORST = 4.0
"""Pixels, COLMAP's own bound of an inlier."""

FEWEST = 60
"""Held-out observations at least; with fewer nothing is told."""

STRETCHED = 0.1
"""By so much pixels are not square for a reason of their own; less is also what a bend looks like (0.02 to 0.09)."""

DECENTRED = 0.005
"""Tangential coefficient, shares of the half diagonal, above which no lens of a camera is: what was fitted is wrong."""

STRONGEST, STRONG = -0.35, -0.045
"""Bends of wide cameras; on anamorphic clips of RealEstate10K a bend of -0.02 to -0.04 stands for their pixels."""

SURE = 16.0
"""F statistic of four standard errors: 19 to 24,000 on bent tours, below 6 on clips of straight lenses."""

CLEARLY = 1.5
"""By so much more must a bend explain than pixels that are not square."""

MOST_SQUEEZED, MOST_STRETCHED = 0.67, 1.5
"""Vertical over horizontal focal length of the formats that exist: 0.69 (upright 16:9 PAL) to 1.46 (16:9 PAL)."""


@dataclass(frozen=True)
class HeldOut:
    """Observations that an adjustment does not see.

    image: ids (k,) int64 of their images. pixel: (k, 2), pixels. seen: (k, 2) int64, image id and number there of an
    observation of the same point that was left in the model, by which the point is known whatever its id.
    """

    image: Int64s
    pixel: Float64s
    seen: Int64s

    def errors(self, model: pycolmap.Reconstruction) -> Float64s:
        """Return their reprojection errors (k,) in a model, pixels, each ``WORST`` at most."""
        points = [model.image(image_id).points2D[number].point3D_id for image_id, number in self.seen.tolist()]
        position = np.array([model.point3D(point).xyz for point in points])
        errors = np.zeros(len(self.image))
        for image_id in np.unique(self.image):
            own = self.image == image_id
            place, depth = projected(model, int(image_id), position[own])
            off = np.linalg.norm(place - self.pixel[own], axis=1)
            errors[own] = np.where((depth > 0) & (off < WORST), off, WORST)
        return errors


@dataclass(frozen=True)
class RadialFit:
    """What one coefficient makes of a model, with square pixels.

    lens: as it is found. fall: by how much the cost falls (F), stretched: by how much it falls for pixels that are not
    square instead, 0 where the model has square ones. plain, fitted: mean reprojection errors without and with it,
    each observation's ``WORST`` at most, pixels. observations: how many.
    """

    lens: Distortion
    fall: float
    stretched: float
    plain: float
    fitted: float
    observations: int

    @property
    def asked(self) -> float:
        """How strong a bend is surely asked for: by a wrong model, or by a right one whose lens bends unknown to it."""
        return abs(self.lens.k1) if self.fall > SURE else 0.0


def radial_fit(model: pycolmap.Reconstruction, adjust: Adjust) -> RadialFit:
    """Adjust a model with one camera anew, with square pixels and one coefficient; the model stays as it is."""
    square = square_pixels(model)
    adjust(square)
    bent = _adjusted(square, "SIMPLE_RADIAL", adjust)
    plain, fitted = (float(np.minimum(distances(each), WORST).mean()) for each in (square, bent))
    return RadialFit(
        lens=_lens_of(camera_of(bent)),
        fall=fall_of_cost(square, bent),
        stretched=0.0 if is_square(model) else fall_of_cost(square, model),
        plain=plain,
        fitted=fitted,
        observations=bent.compute_num_observations(),
    )


def find_lens(model: pycolmap.Reconstruction, adjust: Adjust, settings: LensSettings, zoomed: bool = False) -> LensFit:
    """Look for a lens in an adjusted model with one camera, square or not; the model stays as it is.

    adjust: adjusts until hardly anything moves; a bend is found slowly. zoomed: whether the frames ask for a lens that
    zooms, as those of a bent picture do too; then the lens must foretell more than a focal length a frame does.
    """
    left, held = hold_out(model, settings)
    if len(held.image) < FEWEST or len(model.cameras) != 1:
        return UNTOLD
    base, aspect = held.errors(_adjusted(left, None, adjust)), _lens_of(camera_of(model)).aspect
    least = base
    chosen: LensName | None = None
    modest = settings.least_gain if abs(aspect - 1) < STRETCHED else settings.least_gain_rich
    models: tuple[tuple[LensName, float], ...]
    models = (("SIMPLE_RADIAL", modest), ("OPENCV", settings.least_gain_rich))
    for name, gain in models:
        errors = held.errors(_adjusted(left, name, adjust))
        if is_surely_less(least, errors, gain, settings.least_sure):
            least, chosen = errors, name
        elif aspect == 1:  # then the richer one has little to add; else only the richer one may be right
            break
    if chosen is None:
        return LensFit(_lens_of(camera_of(model)), float(base.mean()), float(base.mean()), len(base))
    if zoomed:
        freed = with_own_cameras(left)
        adjust(freed)
        if not least.mean() < held.errors(freed).mean():
            return UNTOLD
    lens = _lens_of(camera_of(_adjusted(model, chosen, adjust)))
    if max(abs(lens.p1), abs(lens.p2)) > DECENTRED or not is_format(lens.aspect):
        return UNTOLD
    bends = abs(lens.k1 + lens.k2) > settings.least_bend
    return LensFit(
        lens if bends else Distortion(aspect=lens.aspect), float(base.mean()), float(least.mean()), len(base)
    )


def strong_bend(found: RadialFit | None, settings: LensSettings) -> LensFit | None:
    """Return a bend that is too strong to be anything else; None where there is none, or nothing to tell by.

    One coefficient takes most of what a strong bend does to cameras back. It is believed where it explains more than
    noise does, and more than pixels that are not square do, whose place a weak bend may take.
    """
    if found is None or not STRONGEST < found.lens.k1 < STRONG or found.fall < max(SURE, CLEARLY * found.stretched):
        return None
    return LensFit(found.lens, found.plain, found.fitted, int(settings.held_out * found.observations))


def is_format(aspect: float) -> bool:
    """Tell whether films are stored with pixels of that shape: vertical over horizontal focal length."""
    return MOST_SQUEEZED < aspect < MOST_STRETCHED


def hold_out(model: pycolmap.Reconstruction, settings: LensSettings) -> tuple[pycolmap.Reconstruction, HeldOut]:
    """Return a copy of a model without some observations, and those; every point keeps three."""
    left, generator = copy.deepcopy(model), np.random.default_rng(0)
    image, pixel, seen = [], [], []
    for point_id in sorted(model.points3D):
        elements = model.point3D(point_id).track.elements
        drawn = generator.permutation(len(elements))
        count = min(int(settings.held_out * len(elements) + generator.random()), len(elements) - 3)
        stays = elements[int(drawn[-1])]
        for number in drawn[: max(count, 0)]:
            element = elements[int(number)]
            image.append(element.image_id)
            pixel.append(model.image(element.image_id).points2D[element.point2D_idx].xy)
            seen.append((stays.image_id, stays.point2D_idx))
            left.delete_observation(element.image_id, element.point2D_idx)
    kept = np.array(seen, np.int64).reshape(-1, 2)
    return left, HeldOut(np.array(image, np.int64), np.array(pixel, np.float64).reshape(-1, 2), kept)


def _adjusted(model: pycolmap.Reconstruction, name: LensName | None, adjust: Adjust) -> pycolmap.Reconstruction:
    freed = copy.deepcopy(model) if name is None else with_lens(model, name)
    adjust(freed)
    return freed


def _lens_of(camera: pycolmap.Camera) -> Distortion:
    """Return the coefficients of a camera for lengths in half diagonals instead of focal lengths."""
    unit = HALF_DIAGONAL / camera.focal_length_x
    given = camera.params[camera.extra_params_idxs()] if len(camera.extra_params_idxs()) else [0.0]
    k1, k2, p1, p2 = [*given, 0.0, 0.0, 0.0][:4]
    aspect = camera.focal_length_y / camera.focal_length_x
    return Distortion(float(k1 * unit**2), float(k2 * unit**4), float(p1 * unit), float(p2 * unit), float(aspect))
