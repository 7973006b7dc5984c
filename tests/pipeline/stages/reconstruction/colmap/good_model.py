"""A model that passes every check: six cameras step sideways before a cloud of points."""

from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from pipeline.stages.reconstruction.colmap.sparse_model import SparseModel

FRAMES, POINTS = 6, 50


def good_model() -> SparseModel:
    poses = np.tile(np.eye(4), (FRAMES, 1, 1))
    poses[:, 0, 3] = np.linspace(0, 1, FRAMES)
    return SparseModel(
        intrinsics=np.array([[500.0, 0, 320], [0, 500, 240], [0, 0, 1]]),
        zoom=np.ones(FRAMES),
        zoom_asked=np.ones(FRAMES),
        bent_error=float("nan"),
        zoom_statistic=0.0,
        camera_to_world=poses,
        registered=np.ones(FRAMES, bool),
        points=np.random.default_rng(0).uniform((-1, -1, 2), (2, 1, 4), (POINTS, 3)),
        observed_frame=np.repeat(np.arange(FRAMES), POINTS),
        observed_point=np.tile(np.arange(POINTS), FRAMES),
        observed_pixel=np.full((FRAMES * POINTS, 2), 240.0),
        reprojection_error=0.5,
        halves_focal=np.array([490.0, 510.0]),
        halves_rotation=np.array([0.1, 0.2]),
        model_sizes=(FRAMES,),
        parallax=20.0,
        prior=0.6,
        turns=np.zeros(FRAMES - 1),
        signs={"contradicted": 0.0, "epipolar": 0.5, "rim": 1.0, "apart": 0.3},
    )


def turning(model: SparseModel, degrees: float) -> SparseModel:
    """The model with cameras that roll by so much a step, which leaves what they see before them."""
    angles = np.radians(degrees) * np.arange(len(model.registered))
    poses = model.camera_to_world.copy()
    poses[:, :3, :3] = Rotation.from_rotvec(angles[:, None] * np.array([0, 0, 1])).as_matrix()
    return replace(model, camera_to_world=poses)
