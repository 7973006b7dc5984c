"""Tells whether the lens zooms during a clip, and gives every frame its own focal length where it does.

A zoom enlarges the picture as a whole, a step forwards enlarges near things more; a bundle adjustment with a focal
length a frame tells them apart. It is believed where it explains the matches better and the lens moved steadily.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import pycolmap
from numpy.typing import NDArray
from PIL import Image

from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH
from pipeline.stages.reconstruction.zoom import FEWEST_FRAMES, is_steady_zoom

BETTER = 0.975
"""Reprojection error with a focal length a frame over that with one; without a zoom it was 0.984 and more."""


class Zoom(NamedTuple):
    """What a bundle adjustment with a camera a frame found.

    model: the adjusted model where it explains the matches better, else None. asked: (n,) focal length that each frame
    asks for over the mean, 1 where nothing was found; it points the right way even where the model is stuck.
    """

    model: pycolmap.Reconstruction | None
    asked: NDArray[np.float64]


def find_zoom(model: pycolmap.Reconstruction, adjust: Callable[[pycolmap.Reconstruction], None], count: int) -> Zoom:
    """Look for a zoom in a model of some of ``count`` frames.

    model: adjusted with one camera of one focal length; left as it is. adjust: adjusts cameras and points in place.
    """
    if model.num_reg_images() < FEWEST_FRAMES:
        return Zoom(None, np.ones(count))
    freed = with_own_cameras(model)
    adjust(freed)
    order = sorted(freed.reg_image_ids(), key=lambda image_id: freed.image(image_id).name)
    focal = np.array([freed.camera(freed.image(image_id).camera_id).focal_length_x for image_id in order])
    if not is_steady_zoom(focal):
        return Zoom(None, np.ones(count))
    is_better = freed.compute_mean_reprojection_error() < BETTER * model.compute_mean_reprojection_error()
    frames = [int(freed.image(image_id).name.partition(".")[0]) for image_id in order]
    asked = np.interp(np.arange(count), frames, focal / focal.mean())
    return Zoom(freed if is_better else None, asked)


def steadied(picture: Image.Image, zoom: float) -> Image.Image:
    """Return a picture as a lens that is ``zoom`` times as long would have taken it: its middle, enlarged."""
    left, top = FRAME_WIDTH / 2 * (1 - 1 / zoom), FRAME_HEIGHT / 2 * (1 - 1 / zoom)
    middle = (left, top, FRAME_WIDTH - left, FRAME_HEIGHT - top)
    return picture.resize((FRAME_WIDTH, FRAME_HEIGHT), Image.Resampling.BICUBIC, box=middle)


def relative_focal(model: pycolmap.Reconstruction, frame_of: Mapping[int, int], count: int) -> NDArray[np.float64]:
    """Return for each of ``count`` frames its focal length over the first camera's, 1 where it has none.

    frame_of: the frame of each registered image.
    """
    relative = np.ones(count)
    first = next(iter(model.cameras.values())).focal_length_x
    for image_id, frame in frame_of.items():
        relative[frame] = model.camera(model.image(image_id).camera_id).focal_length_x / first
    return relative


def with_own_cameras(model: pycolmap.Reconstruction) -> pycolmap.Reconstruction:
    """Return the same cameras and points with a camera (one focal length, principal point central) for every image."""
    focal = next(iter(model.cameras.values())).focal_length_x
    freed = pycolmap.Reconstruction()
    for image_id in model.reg_image_ids():
        image = model.image(image_id)
        centred = [focal, FRAME_WIDTH / 2, FRAME_HEIGHT / 2]
        camera = pycolmap.Camera(
            model="SIMPLE_PINHOLE", width=FRAME_WIDTH, height=FRAME_HEIGHT, params=centred, camera_id=image_id
        )
        freed.add_camera_with_trivial_rig(camera)
        seen = pycolmap.Point2DList([pycolmap.Point2D(point.xy) for point in image.points2D])
        own = pycolmap.Image(name=image.name, points2D=seen, camera_id=image_id, image_id=image_id)
        freed.add_image_with_trivial_frame(own, image.cam_from_world())
    for point in model.points3D.values():
        freed.add_point3D(point.xyz, point.track, point.color)
    return freed
