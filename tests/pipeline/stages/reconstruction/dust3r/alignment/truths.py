"""Analytic pairs as the alignment holds them: observations, and the state that explains them exactly."""

import numpy as np
import torch

from pipeline.stages.reconstruction.dust3r.alignment.graph import video_pairs
from pipeline.stages.reconstruction.dust3r.alignment.observations import Observations, sample
from pipeline.stages.reconstruction.dust3r.alignment.settings import AlignmentSettings
from pipeline.stages.reconstruction.dust3r.alignment.state import State
from tests.pipeline.analytic_pairs import HEIGHT, WIDTH, Scene, make_scene

SETTINGS = AlignmentSettings(pixels_per_image=64)
CENTRE = (WIDTH / 2, HEIGHT / 2)


def chain(count: int, noise: float = 0.0, seed: int = 0) -> Scene:
    """A scene of which every image is paired with its two neighbours, both ways."""
    return make_scene(video_pairs(count, window=1, strides=(), complete_up_to=2), count, noise, seed)


def observed(scene: Scene, settings: AlignmentSettings = SETTINGS) -> Observations:
    return sample(scene.predictions, CENTRE, settings)


def true_state(scene: Scene) -> State:
    """Cameras, scales of pairs and focal lengths of the truth; exact where the scene has no noise."""
    first = scene.predictions.edges[:, 0]
    ratio = scene.depth[first] / scene.predictions.points1[..., 2]
    return State(
        torch.from_numpy(scene.camera_to_world),
        torch.from_numpy(np.log(np.median(ratio, axis=(1, 2)))),
        torch.from_numpy(np.log(scene.focal)),
    )


def shaken(state: State, size: float = 0.02, seed: int = 0) -> State:
    """A state some way off, the first camera excepted."""
    draw = torch.Generator().manual_seed(seed)
    twist = size * torch.randn(len(state.log_focal), 6, dtype=torch.float64, generator=draw)
    twist[0] = 0
    scale = size * torch.randn(len(state.log_scale), dtype=torch.float64, generator=draw)
    return state.moved(twist, scale, torch.full_like(state.log_focal, size))
