"""The stage ``occupancy``: what it declares, and the grids of a room whose furniture is known."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.classes import COUNTED_CLASSES, OCCUPIED_CLASSES, SemanticClass
from pipeline.contract.errors import StageMissing
from pipeline.contract.grid import voxel_index
from pipeline.geometry.filling import VoxelSettings
from pipeline.geometry.voxels import voxelize
from pipeline.stages.occupancy.settings import OccupancySettings
from pipeline.stages.occupancy.stage import occupancy
from pipeline.store.outputs import GroupOutput
from pipeline.store.rows import read_labels, read_scene
from pipeline.store.store import Store
from pipeline.store.video import VideoStore
from tests.pipeline.stages.filling import filled, replaced, workbench_of
from tests.pipeline.stored_room import FRAMES, ROOM

ALL = slice(0, FRAMES)


def test_it_reads_frames_scene_and_labels_and_writes_grids():
    assert (occupancy.name, occupancy.settings) == ("occupancy", OccupancySettings)
    assert occupancy.inputs == ("indoor_clips", "scene", "semantics")
    assert occupancy.output == GroupOutput("occupancy")
    assert [check.__name__ for check in occupancy.checks] == ["grid_shape"]


def test_grids_are_those_of_the_stored_scene_and_labels(own_room: VideoStore):
    result = filled(occupancy, workbench_of(own_room))
    expected = voxelize(read_scene(own_room, ALL), read_labels(own_room, ALL), VoxelSettings(occupied_by="rays"))
    assert np.array_equal(own_room.read("occupancy", "labels"), expected.labels)
    counts = own_room.read("occupancy", "class_counts")
    totals = counts.sum(axis=0) / counts.sum()
    assert result.counts["frames"] == FRAMES
    assert result.counts["share_unknown"] == pytest.approx(totals[-1])
    assert result.counts["share_occupied"] == pytest.approx(totals[1:-1].sum())


def test_the_bed_stands_where_it_stands(own_room: VideoStore):
    filled(occupancy, workbench_of(own_room))
    bed = next(box for box in ROOM.boxes if box.label == SemanticClass.BED)
    top = np.array([(bed.low[0] + bed.high[0]) / 2, bed.low[1] + 0.1, bed.high[2] - 0.01, 1.0])
    labels, to_grid = own_room.read("occupancy", "labels")[0], own_room.read("occupancy", "grid_from_world")[0]
    index = voxel_index((to_grid.astype(float) @ top)[:3], own_room.read("occupancy", "origin")[0])
    assert labels[tuple(index)] == SemanticClass.BED
    above = index + np.array([0, 0, 4])
    assert labels[tuple(above)] == SemanticClass.EMPTY, "0.32 m above it is air that was looked through"


def test_frames_without_a_camera_have_a_blank_grid_and_do_not_count(own_room: VideoStore):
    whole = filled(occupancy, workbench_of(own_room)).counts
    registered = np.arange(FRAMES) != 2
    replaced(own_room, "scene", registered=registered)
    result = filled(occupancy, workbench_of(own_room))
    assert result.counts["frames"] == FRAMES - 1
    assert (own_room.read("occupancy", "labels", slice(2, 3)) == SemanticClass.UNKNOWN).all()
    assert result.counts["share_occupied"] == pytest.approx(whole["share_occupied"], rel=0.1)


def test_a_clip_in_which_no_camera_was_found_is_all_unknown(own_room: VideoStore):
    replaced(own_room, "scene", registered=np.zeros(FRAMES, np.bool_))
    result = filled(occupancy, workbench_of(own_room))
    assert result.counts == {"frames": 0, "share_occupied": 0, "share_unknown": 0}
    counts = own_room.read("occupancy", "class_counts")
    assert (counts[:, len(COUNTED_CLASSES) - 1] == counts.sum(axis=1)).all()


def test_what_nothing_labelled_is_occupied_without_a_name(own_room: VideoStore):
    before = filled(occupancy, workbench_of(own_room)).counts
    labels = own_room.read("semantics", "labels")
    replaced(own_room, "semantics", labels=np.full_like(labels, SemanticClass.UNKNOWN))
    after = filled(occupancy, workbench_of(own_room)).counts
    assert after == pytest.approx(before), "labels decide nothing on what is occupied"
    counts = own_room.read("occupancy", "class_counts")
    assert not counts[:, list(OCCUPIED_CLASSES)].any()
    assert (counts[:, SemanticClass.UNNAMED] > 1000).all()


def test_what_moves_fills_nothing(own_room: VideoStore):
    moving = own_room.read("semantics", "labels") == SemanticClass.BED
    assert filled(occupancy, workbench_of(own_room)).counts
    with_bed = own_room.read("occupancy", "class_counts")[:, SemanticClass.BED].sum()
    replaced(own_room, "semantics", moving=moving)
    filled(occupancy, workbench_of(own_room))
    assert with_bed > 0
    assert own_room.read("occupancy", "class_counts")[:, SemanticClass.BED].sum() == 0


def test_what_was_not_labelled_cannot_be_filled_in(own_room: VideoStore, tmp_path: Path):
    own_room.set_aside("scene.zarr/semantics")
    with pytest.raises(StageMissing, match="semantics"):
        filled(occupancy, workbench_of(own_room))
    with pytest.raises(StageMissing, match="frames"):
        filled(occupancy, workbench_of(Store(tmp_path).video("a")))
