"""Copies of one of COLMAP's models with other cameras; poses, points and what was seen of them stay the same."""

import copy
from collections.abc import Mapping
from typing import Literal

import numpy as np
import pycolmap

from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH

LensName = Literal["SIMPLE_RADIAL", "OPENCV"]
"""COLMAP's cameras that bend, one coefficient and four."""

CENTRE = np.array([FRAME_WIDTH / 2, FRAME_HEIGHT / 2])


def camera_of(model: pycolmap.Reconstruction) -> pycolmap.Camera:
    """Return the camera that a model has, or the first of those that it has."""
    camera: pycolmap.Camera = next(iter(model.cameras.values()))
    return camera


def frame_of(image: pycolmap.Image) -> int:
    """Return which frame of the clip an image is."""
    return int(image.name.partition(".")[0])


def is_square(model: pycolmap.Reconstruction) -> bool:
    """Tell whether the camera of a model has square pixels."""
    camera = camera_of(model)
    return bool(camera.focal_length_x == camera.focal_length_y)


def square_pixels(model: pycolmap.Reconstruction) -> pycolmap.Reconstruction:
    """Return a copy whose camera has square pixels."""
    square = copy.deepcopy(model)
    camera = camera_of(square)
    one = [(camera.focal_length_x + camera.focal_length_y) / 2, camera.principal_point_x, camera.principal_point_y]
    camera.model = pycolmap.CameraModelId.SIMPLE_PINHOLE
    camera.params = one
    return square


def with_two_focals(model: pycolmap.Reconstruction) -> pycolmap.Reconstruction:
    """Return a copy whose camera may have pixels that are not square."""
    stretched = copy.deepcopy(model)
    camera = camera_of(stretched)
    focal, *centre = camera.params
    camera.model = pycolmap.CameraModelId.PINHOLE
    camera.params = [focal, focal, *centre]
    return stretched


def with_lens(model: pycolmap.Reconstruction, name: LensName) -> pycolmap.Reconstruction:
    """Return a copy whose camera may bend straight lines; pixels are square where only one coefficient says how."""
    bent = copy.deepcopy(model)
    camera = camera_of(bent)
    across, down = camera.focal_length_x, camera.focal_length_y
    centre = camera.principal_point_x, camera.principal_point_y
    one = [(across + down) / 2, *centre, 0.0]
    camera.model = getattr(pycolmap.CameraModelId, name)
    camera.params = one if name == "SIMPLE_RADIAL" else [across, down, *centre, 0.0, 0.0, 0.0, 0.0]
    return bent


def with_own_cameras(model: pycolmap.Reconstruction) -> pycolmap.Reconstruction:
    """Return a copy with a camera (one focal length, principal point central) for every image."""
    focal = camera_of(model).focal_length_x
    freed = pycolmap.Reconstruction()
    for image_id in model.reg_image_ids():
        camera = pycolmap.Camera(
            model="SIMPLE_PINHOLE", width=FRAME_WIDTH, height=FRAME_HEIGHT, params=[focal, *CENTRE], camera_id=image_id
        )
        freed.add_camera_with_trivial_rig(camera)
        _add_image(freed, model.image(image_id), image_id)
    _add_points(freed, model)
    return freed


def without_zoom(model: pycolmap.Reconstruction, zoom: Mapping[int, float]) -> pycolmap.Reconstruction:
    """Return a copy with one camera, whose pixels lie where they would if the lens had not zoomed.

    zoom: by how much the focal length of each image is longer than that of the lens that is left.
    """
    lengths = [model.camera(model.image(image_id).camera_id).focal_length_x / zoom[image_id] for image_id in zoom]
    steady = pycolmap.Reconstruction()
    params = [float(np.exp(np.mean(np.log(lengths)))), *CENTRE]
    camera = pycolmap.Camera(model="SIMPLE_PINHOLE", width=FRAME_WIDTH, height=FRAME_HEIGHT, params=params, camera_id=1)
    steady.add_camera_with_trivial_rig(camera)
    for image_id in model.reg_image_ids():
        _add_image(steady, model.image(image_id), 1, zoom[image_id])
    _add_points(steady, model)
    return steady


def _add_image(model: pycolmap.Reconstruction, image: pycolmap.Image, camera_id: int, zoom: float = 1.0) -> None:
    seen = pycolmap.Point2DList([pycolmap.Point2D(CENTRE + (point.xy - CENTRE) / zoom) for point in image.points2D])
    own = pycolmap.Image(name=image.name, points2D=seen, camera_id=camera_id, image_id=image.image_id)
    model.add_image_with_trivial_frame(own, image.cam_from_world())


def _add_points(model: pycolmap.Reconstruction, other: pycolmap.Reconstruction) -> None:
    for point in other.points3D.values():
        model.add_point3D(point.xyz, point.track, point.color)
