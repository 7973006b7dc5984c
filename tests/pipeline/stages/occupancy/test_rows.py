from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.classes import COUNTED_CLASSES, SemanticClass
from pipeline.contract.grid import GRID_SHAPE
from pipeline.contract.records import Occupancy
from pipeline.stages.occupancy.rows import append_occupancy, blank_occupancy
from pipeline.store.group_writer import GroupWriter
from pipeline.store.store import Store

VOXELS = 60 * 60 * 36


def random_grids(seed: int, n: int) -> Occupancy:
    draw = np.random.default_rng(seed)
    labels = draw.choice(np.array([int(c) for c in COUNTED_CLASSES], np.uint8), (n, *GRID_SHAPE))
    return Occupancy(labels, draw.random((n, 3), np.float32), draw.random((n, 4, 4), np.float32))


def test_grids_read_back_as_they_were_stored(tmp_path: Path):
    video, grids = Store(tmp_path).video("a"), random_grids(0, 2)
    with video.write_group("occupancy") as group:
        append_occupancy(group, grids)
        append_occupancy(group, blank_occupancy(1))
    assert np.array_equal(video.read("occupancy", "labels", slice(0, 2)), grids.labels)
    assert np.array_equal(video.read("occupancy", "origin", slice(0, 2)), grids.origin)
    assert np.array_equal(video.read("occupancy", "grid_from_world", slice(0, 2)), grids.grid_from_world)
    assert video.read("occupancy", "class_counts").shape == (3, len(COUNTED_CLASSES))


@given(st.integers(0, 1000))
@settings(max_examples=5)
def test_every_voxel_is_counted_once_under_its_class(tmp_path_factory: pytest.TempPathFactory, seed: int):
    grids = random_grids(seed, 1)
    counts = append_occupancy(GroupWriter(tmp_path_factory.mktemp("group")), grids)
    assert counts.dtype == np.int32
    assert counts.sum() == VOXELS
    assert counts[0].tolist() == [np.count_nonzero(grids.labels == c) for c in COUNTED_CLASSES]


def test_a_blank_grid_is_all_unknown_and_has_no_place(tmp_path: Path):
    blank = blank_occupancy(2)
    assert blank.labels.shape == (2, *GRID_SHAPE)
    assert (blank.labels == SemanticClass.UNKNOWN).all()
    assert not blank.origin.any()
    assert not blank.grid_from_world.any()
    counts = append_occupancy(GroupWriter(tmp_path), blank)
    assert counts[:, -1].tolist() == [VOXELS, VOXELS]
    assert not counts[:, :-1].any()
