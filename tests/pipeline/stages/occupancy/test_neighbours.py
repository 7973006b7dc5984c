"""Grids of pieces of one shot, filled by the pieces beside them: each frame once, and no clip of another world."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.classes import FILLED_LABELS, SemanticClass
from pipeline.contract.records import DepthSource, MetricScene, Semantics
from pipeline.geometry.filling import VoxelSettings
from pipeline.geometry.guesses import with_guesses
from pipeline.geometry.voxels import voxelize
from pipeline.quality.measures import labels_of, rows_of
from pipeline.stages.occupancy.neighbours import Neighbours
from pipeline.stages.occupancy.settings import OccupancySettings
from pipeline.stages.occupancy.stage import occupancy
from pipeline.stages.scene.rows import append_scene
from pipeline.stages.semantics.rows import append_semantics
from pipeline.store.store import Store
from pipeline.store.video import VideoStore
from tests.pipeline.box_room import film, looking
from tests.pipeline.stages.filling import filled, workbench_of
from tests.pipeline.stored_room import ROOM

TURN = [looking((1.2, 1.0, 1.5), (1.2 + np.sin(a), 1.0 + np.cos(a), 1.2)) for a in np.arange(8) * 0.35]
PIECES = (range(3), range(2, 5), range(4, 7), range(7, 8))
"""Frames of three pieces of one turn, each beginning with the last one of the piece before, and of another shot."""
WORLDS = (0, 0, 0, 3)
BY_RAYS = VoxelSettings(occupied_by="rays")
"""As of the default profile."""


def piece(frames: range) -> tuple[MetricScene, Semantics]:
    return film(ROOM, [TURN[n] for n in frames], (48, 64))


def store(folder: Path, worlds: tuple[int, ...] = WORLDS) -> VideoStore:
    video = Store(folder).video("a")
    with video.write_group("frames") as group:
        for clip_id, numbers in enumerate(PIECES):
            group.append("clip_id", np.full(len(numbers), clip_id, np.int32))
            group.append("frame_index", np.array(numbers))
    with video.write_group("scene") as group:
        for numbers, world in zip(PIECES, worlds, strict=True):
            append_scene(group, replace(piece(numbers)[0], world_id=world))
    with video.write_group("semantics") as group:
        for numbers in PIECES:
            append_semantics(group, piece(numbers)[1], 0)
    return video


def grids(video: VideoStore, beside: int, rule: str = "rays") -> np.ndarray:
    filled(occupancy, workbench_of(video, occupancy={"clips_beside": beside, "occupied_by": rule}))
    return np.asarray(video.read("occupancy", "labels"))


@pytest.mark.parametrize(("beside", "shot"), [(1, range(5)), (2, range(7))])
def test_a_clips_grids_are_those_of_one_long_clip_of_all_that_lie_beside_it(tmp_path: Path, beside: int, shot: range):
    made = grids(store(tmp_path), beside)
    scene, semantics = piece(shot)
    scene = replace(scene, depth=scene.depth.astype(np.float16).astype(np.float32))
    assert np.array_equal(made[:3], voxelize(scene, semantics, BY_RAYS).labels[:3])


def test_clips_of_another_world_or_of_none_fill_nothing(tmp_path: Path):
    assert np.array_equal(grids(store(tmp_path / "one"), 5)[-1], grids(store(tmp_path / "two"), 0)[-1])
    alone = grids(store(tmp_path / "three", (-1, -1, -1, -1)), 5)
    assert np.array_equal(alone, grids(store(tmp_path / "four"), 0))


def test_a_clip_of_another_shot_counts_as_beside_whatever_lies_between_them(tmp_path: Path):
    near = grids(store(tmp_path / "one", (0, 1, 0, 3)), 1)
    scene, semantics = film(ROOM, [TURN[n] for n in (*PIECES[0], *PIECES[2])], (48, 64))
    scene = replace(scene, depth=scene.depth.astype(np.float16).astype(np.float32))
    assert np.array_equal(near[:3], voxelize(scene, semantics, BY_RAYS).labels[:3])


def test_more_is_occupied_and_nothing_that_was_known_is_unknown(tmp_path: Path):
    alone, together = (grids(store(tmp_path / str(beside)), beside, "points") for beside in (0, 2))
    assert not ((together == SemanticClass.UNKNOWN) & (alone != SemanticClass.UNKNOWN)).any()
    occupied = [((one != SemanticClass.EMPTY) & (one != SemanticClass.UNKNOWN)).sum() for one in (alone, together)]
    assert occupied[1] > 1.05 * occupied[0]


def test_it_holds_no_more_clips_than_lie_beside(tmp_path: Path):
    neighbours = Neighbours(store(tmp_path), 1)
    for place, held in enumerate(({0, 1}, {0, 1, 2}, {1, 2}, {3})):
        neighbours.of(place)
        assert set(neighbours._held) == held


def test_a_voxel_that_a_clip_beside_measured_is_not_guessed():
    scene, semantics = piece(range(3))
    first, second = np.array([True, False, False]), np.array([False, True, True])
    guessed = replace(rows_of(scene, first), guessed=np.ones((1, 48, 64), np.bool_))
    other = rows_of(scene, second)
    whole = voxelize(guessed, labels_of(semantics, first), beside=[(other, labels_of(semantics, second))])
    alone, beside = with_guesses(guessed, whole).guessed, with_guesses(guessed, whole, beside=[other]).guessed
    assert alone is not None
    assert beside is not None
    assert 0 < beside.sum() < alone.sum()


def test_grids_of_one_clip_stand_and_another_number_of_clips_beside_is_written_down():
    assert "clips_beside" not in OccupancySettings().decisive()
    assert OccupancySettings(clips_beside=0).decisive()["clips_beside"] == 0
    assert [OccupancySettings().as_made(version).clips_beside for version in ("1", "2", "3", "4")] == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("whose", "is_guessed"),
    [
        (DepthSource.MATCHED, False),
        (DepthSource.CARRIED, False),
        (DepthSource.NETWORK, True),
        (DepthSource.PLANE, True),
        (None, False),
    ],
)
def test_voxels_are_guessed_that_a_network_or_a_plane_filled(
    tmp_path: Path, whose: DepthSource | None, is_guessed: bool
):
    video = store(tmp_path)
    if whose is not None:
        with video.write_group("reconstruction") as group:
            for numbers in PIECES:
                source = np.full((len(numbers), 48, 64), DepthSource.MATCHED, np.uint8)
                source[:, :, 32:] = whose
                group.append("depth_source", source)
    labels = grids(video, 1)
    guessed, occupied = video.read("occupancy", "guessed"), np.isin(labels, FILLED_LABELS)
    assert guessed.any() == is_guessed
    assert not (guessed & ~occupied).any()
    assert not (guessed == occupied).all()
