"""Models of COLMAP's own synthesiser, adjusted in a process of its own: COLMAP and OpenCV clash in one.

Run as ``python -m tests.pipeline.stages.reconstruction.colmap.synthetic FOLDER``.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pycolmap

from pipeline.geometry.distortion import HALF_DIAGONAL
from pipeline.stages.reconstruction.colmap.adjust import (
    adjusted,
    bundle_adjust,
    focal_deviation,
    half_alone,
    held_to,
    points_of,
    poses_of,
    refined,
)
from pipeline.stages.reconstruction.colmap.cameras import with_two_focals, without_zoom
from pipeline.stages.reconstruction.colmap.lens import find_lens, hold_out
from pipeline.stages.reconstruction.colmap.lens_settings import LensSettings
from pipeline.stages.reconstruction.colmap.residuals import distances, fall_of_cost
from pipeline.stages.reconstruction.colmap.settings import SparseSettings
from pipeline.stages.reconstruction.colmap.zoom import find_zoom

FRAMES, POINTS, FOCAL, NOISE = 8, 200, 450.0, 0.3
STRETCH, LONG = 1.2, 1600.0
SEEDS = 20
LEFT_OUT = 1
"""Frames of the clip that no model holds; they come last."""


def synthesised(aspect: float = 1.0, seed: int = 0) -> pycolmap.Reconstruction:
    """Cameras about a cloud of points that all of them see, with noise on what they see."""
    pycolmap.set_random_seed(seed)
    options = pycolmap.SyntheticDatasetOptions()
    options.num_rigs, options.num_frames_per_rig, options.num_points3D = 1, FRAMES, POINTS
    options.camera_width, options.camera_height, options.num_points2D_without_point3D = 640, 480, 0
    options.camera_model_id = pycolmap.CameraModelId.PINHOLE
    options.camera_params = [FOCAL, aspect * FOCAL, 320.0, 240.0]
    return _seen(options)


def _seen(options: pycolmap.SyntheticDatasetOptions) -> pycolmap.Reconstruction:
    model = pycolmap.synthesize_dataset(options)
    for number, image_id in enumerate(sorted(model.images)):
        model.images[image_id].name = f"{number:06d}.png"
    noise = pycolmap.SyntheticNoiseOptions()
    noise.point2D_stddev = NOISE
    pycolmap.synthesize_noise(noise, model)
    return model


def with_one_focal(model: pycolmap.Reconstruction, focal: float) -> pycolmap.Reconstruction:
    """The model as mapping leaves it: one focal length, a little off."""
    camera = next(iter(model.cameras.values()))
    camera.model = pycolmap.CameraModelId.SIMPLE_PINHOLE
    camera.params = [focal, 320.0, 240.0]
    return model


def focals(model: pycolmap.Reconstruction) -> list[float]:
    camera = next(iter(model.cameras.values()))
    return [camera.focal_length_x, camera.focal_length_y]


def bends(corner: float) -> list[float]:
    """What a model says of its lens when it is adjusted without one: its coefficients, and errors held out."""
    return find_lens(bent(corner), bundle_adjust, LensSettings()).as_array().tolist()


def bent(corner: float) -> pycolmap.Reconstruction:
    """A model of bent pictures, adjusted without a lens.

    corner: by what share of its distance from the centre a lens moved a corner. The cameras are so long that the cloud
    fills their pictures.
    """
    pycolmap.set_random_seed(0)
    options = pycolmap.SyntheticDatasetOptions()
    options.num_rigs, options.num_frames_per_rig, options.num_points3D = 1, FRAMES, POINTS
    options.camera_width, options.camera_height, options.num_points2D_without_point3D = 640, 480, 0
    options.camera_model_id = pycolmap.CameraModelId.SIMPLE_RADIAL
    options.camera_params = [LONG, 320.0, 240.0, corner * (LONG / HALF_DIAGONAL) ** 2]
    model = with_one_focal(_seen(options), LONG)
    bundle_adjust(model)
    return model


def zoom_of(model: pycolmap.Reconstruction) -> tuple[bool, float]:
    """Whether a zoom is believed, and the last focal length that frames ask for over the first one."""
    found = find_zoom(model, bundle_adjust, FRAMES)
    return found.steady is not None, float(found.course[-1] / found.course[0])


def zoomed(end: float) -> pycolmap.Reconstruction:
    """A model of pictures that are enlarged more and more, adjusted with one focal length."""
    model = with_one_focal(synthesised(), FOCAL)
    images = sorted(model.reg_image_ids())
    factors = 1 / np.geomspace(1, end, FRAMES)
    enlarged = with_one_focal(without_zoom(model, dict(zip(images, factors.tolist(), strict=True))), FOCAL)
    bundle_adjust(enlarged)
    return enlarged


def behind() -> tuple[list[float], float]:
    """Distances of a model of which one point lies behind a camera, and how much worse that is."""
    model = with_one_focal(synthesised(), FOCAL)
    image = model.image(min(model.reg_image_ids()))
    pose, point = image.cam_from_world().inverse(), model.point3D(min(model.points3D))
    turned = with_one_focal(synthesised(), FOCAL)
    turned.point3D(min(model.points3D)).xyz = 2 * pose.translation - point.xyz
    return distances(turned).tolist(), fall_of_cost(turned, model)


def falls(aspect: float) -> list[float]:
    """How sure a second focal length is: of one model a seed, whose noise differs."""
    found = []
    for seed in range(SEEDS):
        square = with_one_focal(synthesised(aspect, seed), FOCAL)
        stretched = with_two_focals(square)
        for model in (square, stretched):
            bundle_adjust(model, patient=True)
        found.append(fall_of_cost(square, stretched))
    return found


def deviations() -> list[list[float]]:
    """Focal lengths that models of other noise find, and the deviation that each states of its logarithm."""
    found = []
    for seed in range(SEEDS):
        model = with_one_focal(synthesised(1.0, seed), FOCAL)
        bundle_adjust(model, patient=True)
        found.append([focals(model)[0], focal_deviation(model)])
    return found


def held_out() -> list[int]:
    """Observations of a model, of what is left of it, held out, and the fewest that a point keeps."""
    model = synthesised()
    left, held = hold_out(model, LensSettings())
    fewest = min(len(point.track.elements) for point in left.points3D.values())
    return [model.compute_num_observations(), left.compute_num_observations(), len(held.image), fewest]


def main(folder: Path) -> None:
    """Write what the functions of ``adjust`` give."""
    settings = SparseSettings()
    truth, _ = poses_of(synthesised(), FRAMES)
    refined_model = refined(with_one_focal(synthesised(), 0.97 * FOCAL), settings)
    model = adjusted(refined_model, (FRAMES, 0), FRAMES + LEFT_OUT, 20.0)
    model.save(folder / "square.npz")
    np.savez(folder / "truth.npz", poses=truth)
    found = {
        "stretched": focals(refined(with_one_focal(synthesised(STRETCH), 1.1 * FOCAL), settings)),
        "nearly square": focals(refined(with_one_focal(synthesised(1.02), FOCAL), settings)),
        "falls of square pixels": falls(1.0),
        "falls of others": falls(1.01),
        "deviations": deviations(),
        "held": focals(held_to(with_one_focal(synthesised(), FOCAL), 1.02 * FOCAL)),
        "short half": half_alone(synthesised(), truth, np.array([0, 1])),
        "half": half_alone(synthesised(), truth, np.arange(4)),
        "barrel": bends(-0.07),
        "pincushion": bends(0.03),
        "straight": bends(0.0),
        "held out": held_out(),
        "behind": behind(),
        "zooms": {
            name: zoom_of(model)
            for name, model in (
                ("in", zoomed(1.3)),
                ("out", zoomed(0.75)),
                ("none", zoomed(1.0)),
                ("barrel", bent(-0.07)),
            )
        },
    }
    moved = with_one_focal(synthesised(), 0.9 * FOCAL)
    moved.update_point_3d_errors()
    before = moved.compute_mean_reprojection_error()
    bundle_adjust(moved)
    found["errors"] = [before, moved.compute_mean_reprojection_error()]
    points, (frame, row, _) = points_of(synthesised())
    found["observations"] = [list(points.shape), np.bincount(frame).tolist(), int(row.max())]
    (folder / "found.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
