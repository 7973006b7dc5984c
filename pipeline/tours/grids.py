"""Exact grids of a tour's frames: of what the frame itself shows, or of all that is seen from all over its room."""

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.classes import SemanticClass
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH, FrameGrid, MetricScene, Semantics
from pipeline.geometry.filling import VoxelSettings, fill_grid
from pipeline.geometry.voxels import grid_origin, looking_along_y
from pipeline.tours.camera import pose, ray_directions
from pipeline.tours.frame_truth import FrameTruth
from pipeline.tours.freespace import CELL, clearance_map
from pipeline.tours.house import House
from pipeline.tours.layout import Room
from pipeline.tours.tour import Tour
from pipeline.tours.walks import obstacles

HEIGHTS_M = (0.3, 1.2, 2.1)
PLACES_APART_M = 0.8
CLEARANCE_M = 0.15
FACE_PIXELS = 96
"""Side of each of the six pictures taken at a place: 5 cm between rays at 3 m, less than a voxel."""
FACES = ((0, 0), (90, 0), (180, 0), (270, 0), (0, 89.9), (0, -89.9))
"""Yaw and pitch in degrees of the six pictures, each 90 degrees wide."""
FACE_INTRINSICS = np.array([[FRAME_WIDTH / 2, 0, FRAME_WIDTH / 2], [0, FRAME_HEIGHT / 2, FRAME_HEIGHT / 2], [0, 0, 1]])


def shown_grid(truth: FrameTruth) -> FrameGrid:
    """Return the exact grid of what a frame itself shows."""
    return _grid(truth, (_one_frame(truth), Semantics(truth.labels[None], truth.instances[None])))


def room_grid(tour: Tour, truth: FrameTruth) -> FrameGrid:
    """Return the exact grid about a frame, with what furniture hides from its camera, as NYUv2's annotations have it.

    Rays are cast in all directions from the camera and from many places of the room; what none reaches is unknown.
    """
    room = _room_of(tour.house, truth.camera_to_world)
    return _grid(truth, looked_around(tour.house, room, truth.camera_to_world))


def looked_around(house: House, room: Room, camera_to_world: NDArray[np.floating]) -> tuple[MetricScene, Semantics]:
    """Return exact depth (n, 96, 96) and labels, in six directions, from the camera and from free places of a room."""
    places = [camera_to_world[:3, 3].astype(np.float64), *_free_places(house, room)]
    cameras = np.stack(
        [pose(place, np.radians(yaw), np.radians(pitch), 0.0) for place in places for yaw, pitch in FACES]
    )
    views = [_view(house, camera) for camera in cameras]
    depth, labels = np.stack([view[0] for view in views]), np.stack([view[1] for view in views])
    intrinsics = np.repeat(FACE_INTRINSICS[None], len(cameras), axis=0).astype(np.float32)
    scene = MetricScene.known(intrinsics, cameras.astype(np.float32), depth)
    return scene, Semantics(labels, np.zeros(labels.shape, np.uint16))


def _grid(truth: FrameTruth, seen: tuple[MetricScene, Semantics]) -> FrameGrid:
    """Place the grid by what the frame shows, and fill it with what was seen from wherever; outdoors is unknown."""
    grid_from_world = looking_along_y(truth.camera_to_world)
    origin = grid_origin(_one_frame(truth), 0, grid_from_world, VoxelSettings())
    settings = VoxelSettings(ray_spacing=0)
    labels = fill_grid(*seen, origin, grid_from_world, settings, unlabelled=SemanticClass.UNKNOWN)
    return FrameGrid(labels, origin, grid_from_world)


def _one_frame(truth: FrameTruth) -> MetricScene:
    return MetricScene.known(truth.intrinsics[None], truth.camera_to_world[None], truth.depth[None])


def _view(house: House, camera: NDArray[np.float64]) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    side = (np.arange(FACE_PIXELS) + 0.5) * (2 / FACE_PIXELS)
    across, down = np.meshgrid(side * FRAME_WIDTH / 2, side * FRAME_HEIGHT / 2)
    pixels = np.stack([across.ravel(), down.ravel()], axis=-1).astype(np.float32)
    directions = ray_directions(FACE_INTRINSICS.astype(np.float32), camera, pixels)
    hits = house.caster.cast(camera[:3, 3].astype(np.float32), directions)
    depth = np.where(hits.found, hits.distance, 0).astype(np.float32)
    labels = np.where(hits.found, house.mesh.labels[np.where(hits.found, hits.triangle, 0)], 255).astype(np.uint8)
    return depth.reshape(FACE_PIXELS, FACE_PIXELS), labels.reshape(FACE_PIXELS, FACE_PIXELS)


def _free_places(house: House, room: Room) -> list[NDArray[np.float64]]:
    clear = clearance_map(room, obstacles(house, room)) >= CLEARANCE_M
    step = round(PLACES_APART_M / CELL)
    corner = np.array(room.bounds[:2])
    on_lattice = np.zeros_like(clear)
    on_lattice[step // 2 :: step, step // 2 :: step] = True
    cells = np.argwhere(clear & on_lattice)
    spots = [corner + (cell + 0.5) * CELL for cell in cells]
    low = [np.array([*spot, height]) for spot in spots for height in HEIGHTS_M if height < _ceiling_over(room, spot)]
    return low + [np.array(spot) for spot in room.form.lookouts(room)]


def _ceiling_over(room: Room, spot: NDArray[np.float64]) -> float:
    return room.form.height_over(room, (*(spot - CLEARANCE_M), *(spot + CLEARANCE_M)))


def _room_of(house: House, camera_to_world: NDArray[np.floating]) -> Room:
    """Return the room that a camera is in, or the nearest where it stands in a doorway."""
    spot = camera_to_world[:2, 3]

    def away(room: Room) -> float:
        outside = np.maximum(np.subtract(room.bounds[:2], spot), np.subtract(spot, room.bounds[2:]))
        return float(np.linalg.norm(np.maximum(outside, 0)))

    return min(house.rooms, key=away)
