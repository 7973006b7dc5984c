"""A network small enough for tests, and views to show it."""

from dataclasses import fields, replace

import torch

from models.symphonies import PRESETS, Views

TINY = replace(PRESETS["small"], channels=8, heads=2, queries=4, scale=6, fine_channels=4, layers=2)
"""Two layers over cells of 48 cm, 10 x 10 x 6 of them."""

LOOKING_ALONG_Y = torch.tensor([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
"""Rotation of a level camera: x right, y down, z forward become x, -z and y of the world."""


def views(batch: int, seed: int = 0) -> Views:
    """Return noise seen by level cameras half a metre before the grid, each a little beside the others."""
    generator = torch.Generator().manual_seed(seed)
    pose = torch.eye(4)
    pose[:3, :3] = LOOKING_ALONG_Y
    pose[:3, 3] = torch.tensor([2.4, -0.5, 1.3])
    shift = torch.rand(batch, 1, generator=generator)
    poses = pose.repeat(batch, 1, 1)
    poses[:, 0, 3] += shift[:, 0]
    return Views(
        rgb=torch.randint(0, 255, (batch, 3, 48, 64), generator=generator, dtype=torch.uint8),
        depth=torch.rand(batch, 48, 64, generator=generator) * 3 + 1,
        intrinsics=torch.tensor([[52.0, 0, 32], [0, 52, 24], [0, 0, 1]]).repeat(batch, 1, 1),
        camera_to_world=poses,
        origin=torch.zeros(batch, 3),
    )


def one_of(shown: Views, row: int) -> Views:
    """Return one picture of a batch, as a batch."""
    return Views(*(getattr(shown, field.name)[row : row + 1] for field in fields(shown)))
