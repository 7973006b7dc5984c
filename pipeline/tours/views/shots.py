"""Frames of plain tours' shots as small views, with their exact truth: what networks are checked against."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.contract.classes import SemanticClass
from pipeline.contract.records import MetricScene, Semantics
from pipeline.tours.light import Lighting
from pipeline.tours.painter import title_card
from pipeline.tours.timeline import TourShot
from pipeline.tours.tour import Tour
from pipeline.tours.truth import TrueClip
from pipeline.tours.views import Cameras, RenderedViews, ViewRenderer, light_house


@dataclass(frozen=True)
class ShotViews:
    """Evenly spaced frames of one shot, and whether it was filmed indoors."""

    views: RenderedViews
    indoor: bool


def tour_shots(seed: int, frames: int, height: int, width: int, *, garden: bool) -> list[ShotViews]:
    """Return ``frames`` frames of every shot that a tour films of its house; without ``garden``, of its rooms alone."""
    tour = Tour.from_seed(seed)
    things = tuple(item for item in tour.house.things if garden or item.label != SemanticClass.UNKNOWN)
    lit = light_house(things, tour.house.rooms, np.random.default_rng((seed, 2)), Lighting(spacing=0.4, rays=6), 0.02)
    renderer = ViewRenderer(lit)
    intrinsics = tour.intrinsics * np.array([[width / tour.width], [height / tour.height], [1]], np.float32)
    return [
        ShotViews(renderer.render(_cameras(tour, shot, frames, intrinsics, (height, width))), shot.kind == "indoor")
        for shot in tour.shots
        if shot.kind == "indoor" or (garden and shot.kind == "outdoor")
    ]


def true_clip_of(shot: ShotViews) -> TrueClip:
    """Return what is true of a shot's views as the quality report has it of a stored clip."""
    views, count = shot.views, len(shot.views)
    cameras = views.intrinsics.numpy(), views.camera_to_world.float().numpy()
    scene = MetricScene.known(*cameras, views.depth.numpy())
    semantics = Semantics(views.labels.numpy(), views.instances.numpy().astype(np.uint16))
    kind = "indoor" if shot.indoor else "outdoor"
    return TrueClip(scene, semantics, np.zeros(count, np.int64), (kind,) * count, np.zeros(count, np.bool_))


def title_view(rng: np.random.Generator, text: str) -> torch.Tensor:
    """Return a title card as a picture (3, 480, 640) uint8."""
    return torch.from_numpy(title_card(rng, text).astype(np.uint8)).permute(2, 0, 1)


def _cameras(
    tour: Tour, shot: TourShot, frames: int, intrinsics: NDArray[np.float32], size: tuple[int, int]
) -> Cameras:
    walk = tour.walks[shot.shot_id]
    if walk is None:
        raise ValueError(f"shot {shot.shot_id} shows a title card, no house")
    poses = np.stack([walk.at(float(share) * walk.duration) for share in np.linspace(0.05, 0.95, frames)])
    return Cameras(torch.from_numpy(np.stack([intrinsics] * frames)), torch.from_numpy(poses), *size)
