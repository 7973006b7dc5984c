"""After mapping: are pixels square, do both halves of the clip agree, and out of COLMAP's types into ours."""

import copy
import math
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
import pycolmap
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s, Int64s
from pipeline.geometry.poses import pose_errors
from pipeline.stages.reconstruction.colmap.cameras import camera_of, frame_of, with_two_focals
from pipeline.stages.reconstruction.colmap.lens import RadialFit, find_lens, is_format, radial_fit
from pipeline.stages.reconstruction.colmap.lens_settings import LensSettings
from pipeline.stages.reconstruction.colmap.residuals import fall_of_cost
from pipeline.stages.reconstruction.colmap.settings import SparseSettings
from pipeline.stages.reconstruction.colmap.sparse_model import SparseModel
from pipeline.stages.reconstruction.colmap.zoom import find_zoom
from pipeline.stages.reconstruction.first_look import LensFit

SURE = 4.0
"""F statistic, two standard errors: 6 to 10 on fine features of anamorphic clips, below 1 where it is found wrong."""


class ObservedPoints(NamedTuple):
    """Observations: frame (k,) and point (k,) int64, the row of the point; pixel (k, 2)."""

    frame: Int64s
    point: Int64s
    pixel: Float64s


STEP = 0.05
"""By so much ln(focal length) is moved to see how fast the cost rises."""


def adjusted(
    model: pycolmap.Reconstruction,
    sizes: tuple[int, ...],
    frame_count: int,
    parallax: float,
    is_focal_known: bool = False,
) -> SparseModel:
    """Return a refined model with its tests of itself.

    sizes: frames of all models the clip fell into. is_focal_known: whether the model was held to its focal length.
    """
    zoom = find_zoom(model, partial(bundle_adjust, patient=True), frame_count)
    model, unmoved = zoom.steady or model, np.ones(frame_count)
    poses, registered = poses_of(model, frame_count)
    is_held = is_focal_known and zoom.steady is None
    halves = [half_alone(model, poses, half, is_held) for half in np.array_split(np.flatnonzero(registered), 2)]
    points, seen = points_of(model)
    return SparseModel(
        intrinsics=camera_of(model).calibration_matrix(),
        zoom=unmoved if zoom.steady is None else zoom.course,
        zoom_asked=zoom.course if zoom.steady is None else unmoved,
        bent_error=zoom.bent_error,
        zoom_statistic=zoom.statistic,
        camera_to_world=poses,
        registered=registered,
        points=points,
        observed_frame=seen.frame,
        observed_point=seen.point,
        observed_pixel=seen.pixel,
        reprojection_error=model.compute_mean_reprojection_error(),
        halves_focal=np.array([focal for focal, _ in halves]),
        halves_rotation=np.array([rotation for _, rotation in halves]),
        model_sizes=sizes,
        parallax=parallax,
        prior=float("nan"),
        turns=np.full(max(frame_count - 1, 0), np.nan),
        signs={},
    )


def radial_of(model: pycolmap.Reconstruction) -> RadialFit | None:
    """Return what one coefficient makes of a refined model; None where its frames have cameras of their own."""
    return radial_fit(model, partial(bundle_adjust, patient=True)) if len(model.cameras) == 1 else None


def lens_of(model: pycolmap.Reconstruction, lens: LensSettings, zoomed: bool) -> LensFit:
    """Return what a refined model says of its lens; zoomed: whether its frames ask for different focal lengths."""
    return find_lens(model, partial(bundle_adjust, patient=True), lens, zoomed)


def with_focal(fit: LensFit, model: pycolmap.Reconstruction) -> LensFit:
    """Return a fit with what a refined model says of its focal length, where it has one camera and square pixels."""
    camera = camera_of(model)
    if len(model.cameras) != 1 or camera.focal_length_x != camera.focal_length_y:
        return fit
    return replace(fit, focal=camera.focal_length_x, deviation=focal_deviation(model))


def held_to(model: pycolmap.Reconstruction, focal: float) -> pycolmap.Reconstruction:
    """Return a copy with square pixels, adjusted with a focal length (pixels) that is known."""
    held = copy.deepcopy(model)
    camera = camera_of(held)
    camera.params = [focal, *camera.params[1:]]
    bundle_adjust(held, patient=True, is_focal_known=True)
    return held


def focal_deviation(model: pycolmap.Reconstruction) -> float:
    """Return the standard deviation of ln(focal length) of an adjusted model with one camera and square pixels.

    The cost is a parabola about its least value: what it rises by (F) where the focal length is held ``STEP`` further
    is (STEP / deviation)^2, were all errors of pixels independent.
    """
    held = held_to(model, camera_of(model).focal_length_x * math.exp(STEP))
    rise = fall_of_cost(held, model)
    return STEP / math.sqrt(rise) if rise > 0 else math.inf


def refined(model: pycolmap.Reconstruction, settings: SparseSettings) -> pycolmap.Reconstruction:
    """Adjust with one focal length and with two, and keep two where they fit better and clearly differ.

    Videos are often stored with pixels that are not square; with one focal length their geometry comes out sheared.
    A camera that never tips says little of it: the second focal length is found slowly, and wrongly where it explains
    no more than noise.
    """
    square, stretched = copy.deepcopy(model), with_two_focals(model)
    bundle_adjust(square)
    bundle_adjust(stretched, patient=True)
    camera = camera_of(stretched)
    aspect = camera.focal_length_y / camera.focal_length_x
    differ = abs(aspect - 1) > settings.aspect_step and is_format(aspect)
    return stretched if differ and fall_of_cost(square, stretched) > SURE else square


def bundle_adjust(model: pycolmap.Reconstruction, patient: bool = False, is_focal_known: bool = False) -> None:
    """Adjust cameras, points and the focal length of ``model`` in place; patient: until hardly anything moves."""
    options = pycolmap.BundleAdjustmentOptions()
    options.refine_focal_length = not is_focal_known
    options.ceres.loss_function_type = pycolmap.LossFunctionType.HUBER
    options.ceres.solver_options.max_num_iterations = 300 if patient else 50
    options.ceres.solver_options.function_tolerance = 1e-8 if patient else 1e-6
    pycolmap.bundle_adjustment(model, options)
    model.update_point_3d_errors()


def half_alone(
    model: pycolmap.Reconstruction, poses: Float64s, half: Int64s, is_focal_known: bool = False
) -> tuple[float, float]:
    """Adjust the frames ``half`` alone, starting from ``model``.

    Returns the focal length they ask for, and the largest change of a relative rotation among them, degrees; nan
    and nan for fewer than three frames.
    """
    if len(half) < 3:
        return float("nan"), float("nan")
    alone = copy.deepcopy(model)
    for image_id in model.reg_image_ids():
        if frame_of(model.image(image_id)) not in half:
            alone.deregister_frame(model.image(image_id).frame_id)
    bundle_adjust(alone, is_focal_known=is_focal_known)
    moved, _ = poses_of(alone, len(poses))
    return camera_of(alone).focal_length_x, float(pose_errors(moved[half], poses[half]).rotation.max())


def poses_of(model: pycolmap.Reconstruction, frame_count: int) -> tuple[Float64s, NDArray[np.bool_]]:
    """Return camera_to_world (n, 4, 4), zeros where not registered, and registered (n,)."""
    poses, registered = np.zeros((frame_count, 4, 4)), np.zeros(frame_count, bool)
    for image in model.images.values():
        if image.has_pose:
            camera_from_world = np.vstack([image.cam_from_world().matrix(), (0, 0, 0, 1)])
            poses[frame_of(image)] = np.linalg.inv(camera_from_world)
            registered[frame_of(image)] = True
    return poses, registered


def points_of(model: pycolmap.Reconstruction) -> tuple[Float64s, ObservedPoints]:
    """Return points (m, 3), and who sees them where."""
    points = list(model.points3D.values())
    tracks = [[(element.image_id, element.point2D_idx) for element in point.track.elements] for point in points]
    rows = np.repeat(np.arange(len(points)), [len(track) for track in tracks])
    ids = {image_id for track in tracks for image_id, _ in track}
    places = {image_id: [point.xy for point in model.image(image_id).points2D] for image_id in ids}
    frames = {image_id: frame_of(model.image(image_id)) for image_id in ids}
    frame = np.array([frames[image_id] for track in tracks for image_id, _ in track], np.int64)
    pixel = np.array([places[image_id][number] for track in tracks for image_id, number in track])
    positions = np.array([point.xyz for point in points]).reshape(-1, 3)
    return positions, ObservedPoints(frame, rows, pixel.reshape(-1, 2))
