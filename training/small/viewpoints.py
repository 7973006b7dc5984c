"""Where training pictures are taken from: wherever a person could stand with a camera and see something."""

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.tours.camera import pose
from pipeline.tours.freespace import CELL, clearance_map
from pipeline.tours.layout import Room, house_bounds
from pipeline.tours.raycast import RayCaster
from pipeline.tours.views import Cameras, ViewRenderer
from pipeline.tours.walks import obstacles
from training.settings import LoopSettings
from training.small.houses import VariedHouse
from training.small.settings import ViewpointSettings

Poses = NDArray[np.float64]

PROBES = np.stack(np.meshgrid(np.linspace(-0.5, 0.5, 9), np.linspace(-0.375, 0.375, 7)), axis=-1).reshape(-1, 2)
"""Rays (63, 2) across a picture of 90 degrees by which it is told whether there is something to see."""

BELOW_CEILING = 0.2
"""Metres that a camera overhead is kept from the ceiling."""

MOST_TRIES = 30
"""Tries a pose after which any is taken: a house of tiny rooms may have nothing far enough away."""


def renderer_of(house: VariedHouse, loop: LoopSettings) -> ViewRenderer:
    """Return what takes pictures of a house, where the network is trained."""
    on_gpu = loop.accelerator == "cuda" or (loop.accelerator == "auto" and torch.cuda.is_available())
    return ViewRenderer(house.lit, "cuda" if on_gpu else "cpu")


def room_poses(rng: np.random.Generator, house: VariedHouse, count: int, chosen: ViewpointSettings) -> Poses:
    """Draw ``count`` poses (count, 4, 4) in the rooms of a house, about as many in each."""
    floors = [_free_floor(house, room, chosen.clearance) for room in house.plan.rooms]
    found: list[NDArray[np.float64]] = []
    tries = 0
    while len(found) < count:
        tries += 1
        number = int(rng.integers(len(floors)))
        spots = floors[number]
        spot = spots[int(rng.integers(len(spots)))] + rng.uniform(-CELL / 2, CELL / 2, 2)
        yaw = float(rng.uniform(0, 2 * np.pi))
        unusual = chosen.unusual > 0 and rng.random() < chosen.unusual
        held = _unusual(house, house.plan.rooms[number], chosen) if unusual else chosen
        camera = looking(rng, house, spot, yaw, held)
        if tries > MOST_TRIES * count or sees_enough(house.lit.caster, camera, chosen.median_depth_min):
            found.append(camera)
    return np.stack(found)


def looking(
    rng: np.random.Generator, house: VariedHouse, spot: Poses, yaw: float, chosen: ViewpointSettings
) -> NDArray[np.float64]:
    """Return the pose (4, 4) of somebody who stands at ``spot`` (2,) of the plan and looks along ``yaw``."""
    position = np.array([*(spot * house.stretch[:2]), rng.uniform(*chosen.eye_height)])
    roll = np.radians(rng.uniform(-chosen.roll, chosen.roll))
    return pose(position, yaw, float(np.radians(rng.uniform(*chosen.pitch))), float(roll))


def _unusual(house: VariedHouse, room: Room, chosen: ViewpointSettings) -> ViewpointSettings:
    """Return the heights and pitches of cameras that are held as few are in a room."""
    lowest, highest = chosen.unusual_height
    highest = max(min(highest, float(room.ceiling_height * house.stretch[2]) - BELOW_CEILING), lowest)
    return chosen.model_copy(update={"eye_height": (lowest, highest), "pitch": chosen.unusual_pitch})


def garden_poses(rng: np.random.Generator, house: VariedHouse, count: int, chosen: ViewpointSettings) -> Poses:
    """Draw ``count`` poses (count, 4, 4) around a house, most of them looking towards it."""
    x0, y0, x1, y1 = house_bounds(house.plan.rooms)
    centre, reach = np.array([(x0 + x1) / 2, (y0 + y1) / 2]), float(np.hypot(x1 - x0, y1 - y0)) / 2
    found = []
    for angle in rng.uniform(0, 2 * np.pi, count):
        spot = centre + (reach + rng.uniform(3, 9)) * np.array([np.cos(angle), np.sin(angle)])
        away = np.pi if rng.random() < 0.25 else 0
        found.append(looking(rng, house, spot, float(angle + np.pi + away + rng.normal(0, 0.35)), chosen))
    return np.stack(found)


def cameras_at(rng: np.random.Generator, poses: Poses, chosen: ViewpointSettings, *, one_lens: bool = False) -> Cameras:
    """Give every pose (n, 4, 4) a lens, or all of them the same one."""
    angle = np.radians(rng.uniform(*chosen.field_of_view, 1 if one_lens else len(poses)))
    focal = chosen.width / 2 / np.tan(angle / 2)
    intrinsics = np.zeros((len(poses), 3, 3), np.float32)
    intrinsics[:, 0, 0] = intrinsics[:, 1, 1] = focal
    intrinsics[:, :, 2] = (chosen.width / 2, chosen.height / 2, 1)
    return Cameras(torch.from_numpy(intrinsics), torch.from_numpy(poses), chosen.height, chosen.width)


def sees_enough(caster: RayCaster, camera: NDArray[np.float64], median_depth_min: float) -> bool:
    """Tell whether a camera is not just before a wall."""
    rays = np.concatenate([PROBES, np.ones((len(PROBES), 1))], axis=1) @ camera[:3, :3].T
    distance = caster.cast(camera[:3, 3].astype(np.float32), rays.astype(np.float32)).distance
    return bool(np.median(distance) >= median_depth_min)


def _free_floor(house: VariedHouse, room: Room, clearance: float) -> NDArray[np.float64]:
    """Return floor points (n, 2) of the plan with so much space around them."""
    clear = clearance_map(room, obstacles(house.plan, room))
    cells = np.argwhere(clear >= min(clearance, float(clear.max())))
    return np.asarray(np.array(room.bounds[:2]) + (cells + 0.5) * CELL)
