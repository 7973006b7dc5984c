"""A benchmark of rendered rooms in NYUv2's format, with exact grids: one picture a room, whole houses on one side.

A grid is filled by casting rays from many places of the room in all directions, so that it holds what furniture hides
from the picture's camera too, as NYUv2's annotations do. Voxels that no ray reaches are unknown.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH, MetricScene, ScaleSource, Semantics
from pipeline.geometry.voxels import VoxelSettings, fill_grid, grid_origin, looking_along_y
from pipeline.tours.camera import pose, ray_directions
from pipeline.tours.freespace import CELL, clearance_map
from pipeline.tours.house import House
from pipeline.tours.layout import Room
from pipeline.tours.settings import EVALUATION_SEEDS_START, TourSettings
from pipeline.tours.tour import FrameTruth, Tour
from pipeline.tours.walks import obstacles
from training.data import MonoSceneRooms, Sample
from training.data.export import write_room
from training.data.nyu import NyuSplit
from training.data.nyu_format import INTRINSICS
from training.data.subset import FrameSubset
from training.scores.evaluate import Progress

FIRST_SEED = {"train": EVALUATION_SEEDS_START + 500_000, "test": EVALUATION_SEEDS_START + 600_000}
"""Houses of the two sides: evaluation seeds that nothing else is scored on."""
HEIGHTS_M = (0.3, 1.2, 2.1)
PLACES_APART_M = 0.8
CLEARANCE_M = 0.15
FACE_PIXELS = 96
"""Side of each of the six pictures taken at a place: 5 cm between rays at 3 m, less than a voxel."""
FACES = ((0, 0), (90, 0), (180, 0), (270, 0), (0, 89.9), (0, -89.9))
"""Yaw and pitch in degrees of the six pictures, each 90 degrees wide."""
FACE_INTRINSICS = np.array([[FRAME_WIDTH / 2, 0, FRAME_WIDTH / 2], [0, FRAME_HEIGHT / 2, FRAME_HEIGHT / 2], [0, 0, 1]])


def both_sides(
    folder: Path, counts: tuple[int, int], progress: Callable[[str], Progress]
) -> tuple[FrameSubset, FrameSubset]:
    """Return so many rooms to learn from and to score, of different houses; those that are not there are rendered."""
    sides: tuple[tuple[NyuSplit, int], ...] = (("train", counts[0]), ("test", counts[1]))
    with alone(folder):
        for side, count in sides:
            for done, _ in enumerate(write_rooms(folder, side, count), start=1):
                progress(f"{side} rooms")(done, count)
    train, test = (FrameSubset(read_rooms(folder, side), range(count), f"{count} rooms") for side, count in sides)
    return train, test


def read_rooms(folder: Path, side: NyuSplit) -> MonoSceneRooms:
    """Return written rooms, from the layout whose grids need no down-sampling."""
    return MonoSceneRooms(folder, folder / "depthbin", side)


def alone(folder: Path) -> FileLock:
    """Return the lock under which one of several processes makes a folder, while the others wait for it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(folder.with_name(f"{folder.name}.lock"))


def write_rooms(folder: Path, split: NyuSplit, count: int) -> Iterator[str]:
    """Write rooms until there are ``count``, house after house; yields each name. Rooms that are there stay.

    ``folder/NYU{split}.txt`` lists them once all are there, so that no house is made again to name its rooms.
    """
    listed = folder / f"NYU{split}.txt"
    names = listed.read_text().split() if listed.exists() else []
    if len(names) >= count and all(_grid(folder, split, name).exists() for name in names[:count]):
        yield from names[:count]
        return
    names, seed = [], FIRST_SEED[split]
    while len(names) < count:
        for name in _write_house(folder, split, seed, count - len(names)):
            names.append(name)
            yield name
        seed += 1
    listed.write_text("\n".join(names) + "\n")


def _write_house(folder: Path, split: NyuSplit, seed: int, most: int) -> Iterable[str]:
    tour = replace(Tour.from_seed(seed, one_shot_a_room()), intrinsics=INTRINSICS)
    shots = [shot for shot in tour.shots if shot.kind == "indoor"][:most]
    for shot in shots:
        name = f"NYU{seed}_{shot.shot_id:04d}"
        if not _grid(folder, split, name).exists():
            frame = sum(tour.timeline.on_screen(shot)) // 2
            write_room(room_sample(tour, frame, name), folder, split, name)
        yield name


def _grid(folder: Path, split: NyuSplit, name: str) -> Path:
    return folder / "base" / f"NYU{split}" / f"{name}.pkl"


def one_shot_a_room() -> TourSettings:
    """Return the settings of the benchmark's tours: every room is filmed once, nothing else."""
    return TourSettings(indoor_shots=None, outdoor_shots=0, title=False, cut_share=1, shot_seconds=1)


def room_sample(tour: Tour, frame: int, name: str) -> Sample:
    """Return a frame of a tour with its exact depth, camera and grid."""
    camera_to_world = tour.truth(frame).camera_to_world
    room = _room_of(tour.house, camera_to_world)
    return exact_sample(tour, frame, name, looked_around(tour.house, room, camera_to_world))


def exact_sample(tour: Tour, frame: int, name: str, seen: tuple[MetricScene, Semantics]) -> Sample:
    """Return a frame of a tour with exact depth and camera, and the grid of what was ``seen`` from wherever."""
    truth = tour.truth(frame)
    grid_from_world = looking_along_y(truth.camera_to_world)
    origin = grid_origin(as_scene(truth), 0, grid_from_world, VoxelSettings())
    return Sample(
        name=name,
        rgb=tour.picture(frame),
        depth=truth.depth,
        regions=truth.instances.astype(np.int32),
        intrinsics=truth.intrinsics,
        camera_to_world=(grid_from_world @ truth.camera_to_world).astype(np.float32),
        labels=fill_grid(*seen, origin, grid_from_world, VoxelSettings(ray_spacing=0)),
        origin=origin.astype(np.float32),
    )


def looked_around(house: House, room: Room, camera_to_world: NDArray[np.floating]) -> tuple[MetricScene, Semantics]:
    """Return exact depth (n, 96, 96) and labels, in six directions, from the camera and from free places of a room."""
    places = [camera_to_world[:3, 3].astype(np.float64), *_free_places(house, room)]
    cameras = np.stack(
        [pose(place, np.radians(yaw), np.radians(pitch), 0.0) for place in places for yaw, pitch in FACES]
    )
    views = [_view(house, camera) for camera in cameras]
    depth, labels = np.stack([view[0] for view in views]), np.stack([view[1] for view in views])
    scene = MetricScene(
        intrinsics=np.repeat(FACE_INTRINSICS[None], len(cameras), axis=0).astype(np.float32),
        camera_to_world=cameras.astype(np.float32),
        depth=depth,
        confidence=(depth > 0).astype(np.float32),
        registered=np.ones(len(cameras), np.bool_),
        ceiling_height=room.ceiling_height,
        up_confidence=1.0,
        scale_source=ScaleSource.NONE,
        world_from_reconstruction=np.eye(4),
    )
    return scene, Semantics(labels, np.zeros(labels.shape, np.uint16))


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
    return [np.array([*(corner + (cell + 0.5) * CELL), height]) for cell in cells for height in HEIGHTS_M]


def _room_of(house: House, camera_to_world: NDArray[np.floating]) -> Room:
    x, y = camera_to_world[:2, 3]
    inside = [
        room for room in house.rooms if room.bounds[0] <= x <= room.bounds[2] and room.bounds[1] <= y <= room.bounds[3]
    ]
    return inside[0]


def as_scene(truth: FrameTruth) -> MetricScene:
    """Return a frame's truth as a clip of one frame."""
    return MetricScene(
        intrinsics=truth.intrinsics[None],
        camera_to_world=truth.camera_to_world[None],
        depth=truth.depth[None],
        confidence=(truth.depth > 0).astype(np.float32)[None],
        registered=np.ones(1, np.bool_),
        ceiling_height=float("nan"),
        up_confidence=1.0,
        scale_source=ScaleSource.NONE,
        world_from_reconstruction=np.eye(4),
    )
