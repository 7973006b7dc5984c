"""A benchmark of rendered rooms in NYUv2's format, with exact grids: one picture a room, whole houses on one side.

Houses are as various as those of hard tours. Those that are scored have furniture, patterns and plans of their own,
which neither the labelled ones nor any tour has (``pipeline.tours.held_out``).

A grid is filled by casting rays from many places of the room in all directions, so that it holds what furniture hides
from the picture's camera too, as NYUv2's annotations do. Voxels that no ray reaches are unknown.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from filelock import FileLock

from pipeline.contract.progress import Progress
from pipeline.contract.records import FrameGrid
from pipeline.store.store import Store
from pipeline.tours.grids import room_grid
from pipeline.tours.seeds import ROOM_SEEDS
from pipeline.tours.settings import TourSettings
from pipeline.tours.tour import Tour
from pipeline.tours.truth import tour_of
from pipeline.tours.variety import HARD_HOUSES, SCORED_HOUSES
from training.data import MonoSceneRooms, Sample
from training.data.export import write_room
from training.data.nyu import NyuSplit
from training.data.nyu_format import INTRINSICS
from training.data.subset import FrameSubset
from training.errors import UnusableDataset


def both_sides(folder: Path, counts: tuple[int, int], progress: Progress) -> tuple[FrameSubset, FrameSubset]:
    """Return so many rooms to learn from and to score, of different houses; those that are not there are rendered."""
    return one_side(folder, "train", counts[0], progress), one_side(folder, "test", counts[1], progress)


def one_side(folder: Path, side: NyuSplit, count: int, progress: Progress) -> FrameSubset:
    """Return so many rooms to learn from, or to score; those that are not there are rendered."""
    with alone(folder):
        for done, _ in enumerate(write_rooms(folder, side, count), start=1):
            progress(f"{side} rooms", done, count)
    return FrameSubset(read_rooms(folder, side), range(count), f"{count} rooms")


def validation_rooms(folder: Path, count: int, progress: Progress) -> FrameSubset:
    """Return so many rooms of houses that neither side of ``both_sides`` has, from a folder of their own."""
    with alone(folder):
        for done, _ in enumerate(write_rooms(folder, "train", count, ROOM_SEEDS["validation"]), start=1):
            progress("validation rooms", done, count)
    return FrameSubset(read_rooms(folder, "train"), range(count), f"{count} rooms to stop by")


def read_rooms(folder: Path, side: NyuSplit) -> MonoSceneRooms:
    """Return written rooms, from the layout whose grids need no down-sampling."""
    return MonoSceneRooms(folder, folder / "depthbin", side)


def alone(folder: Path) -> FileLock:
    """Return the lock under which one of several processes makes a folder, while the others wait for it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(folder.with_name(f"{folder.name}.lock"))


def write_rooms(folder: Path, split: NyuSplit, count: int, houses: Iterable[int] | None = None) -> Iterator[str]:
    """Write rooms until there are ``count``, house after house; yields each name. Rooms that are there stay.

    houses: seeds of theirs, by default those of the split.
    ``folder/NYU{split}.txt`` lists them once all are there, so that no house is made again to name its rooms.
    """
    listed = folder / f"NYU{split}.txt"
    names = listed.read_text().split() if listed.exists() else []
    if len(names) >= count and all(_grid(folder, split, name).exists() for name in names[:count]):
        yield from names[:count]
        return
    names, seeds = [], iter(ROOM_SEEDS[split] if houses is None else houses)
    while len(names) < count:
        for name in _write_house(folder, split, next(seeds), count - len(names)):
            names.append(name)
            yield name
    listed.write_text("\n".join(names) + "\n")


@lru_cache(maxsize=1)
def tour_behind(store: Store, video_id: str) -> Tour:
    """Return the tour that a video of a dataset was rendered from.

    Raises:
        UnusableDataset: it is no rendered tour.
    """
    tour = tour_of(store.video(video_id))
    if tour is None:
        message = f"{video_id} is no rendered tour, so that its exact labels are not known: use a dataset of tours only"
        raise UnusableDataset(message)
    return tour


def _write_house(folder: Path, split: NyuSplit, seed: int, most: int) -> Iterable[str]:
    houses = SCORED_HOUSES if split == "test" else HARD_HOUSES
    settings = one_shot_a_room().model_copy(update={"houses": houses})
    tour = replace(Tour.from_seed(seed, settings), intrinsics=INTRINSICS)
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
    """Return a frame of a tour with its exact depth and camera, and the grid of all that is in its room."""
    return exact_sample(tour, frame, name, room_grid(tour, tour.truth(frame)))


def exact_sample(tour: Tour, frame: int, name: str, grid: FrameGrid) -> Sample:
    """Return a frame of a tour with exact depth and camera, and a grid that lies about it."""
    truth = tour.truth(frame)
    return Sample(
        name=name,
        rgb=tour.picture(frame),
        depth=truth.depth,
        regions=truth.instances.astype(np.int32),
        intrinsics=truth.intrinsics,
        camera_to_world=(grid.grid_from_world @ truth.camera_to_world).astype(np.float32),
        labels=grid.labels,
        origin=grid.origin.astype(np.float32),
    )
