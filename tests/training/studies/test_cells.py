"""What cells can hold: whole cells are what most of them is, and a voxel is a cell of one."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from pipeline.contract.classes import OCCUPIED_CLASSES, SemanticClass
from pipeline.contract.overlap import overlap
from tests.training.rooms import RoomFrames
from training.data.export import with_nyu_camera, write_room
from training.errors import BrokenBenchmark
from training.studies.cells import SIDES, BestChoice, held_by_cells, in_cells, main, named_in_cells

EMPTY, CHAIR, WALL, UNKNOWN = (
    np.uint8(label) for label in (SemanticClass.EMPTY, SemanticClass.CHAIR, SemanticClass.WALL, SemanticClass.UNKNOWN)
)


def cell(*voxels: np.uint8) -> np.ndarray:
    """A cell of 2 x 2 x 2 voxels, the last of those given repeated."""
    return np.array([*voxels, *[voxels[-1]] * (8 - len(voxels))], np.uint8).reshape(2, 2, 2)


@pytest.mark.parametrize(
    ("labels", "whole", "named"),
    [
        (cell(CHAIR, CHAIR, CHAIR, EMPTY), EMPTY, cell(CHAIR, CHAIR, CHAIR, EMPTY)),
        (cell(CHAIR, CHAIR, CHAIR, CHAIR, EMPTY), EMPTY, cell(CHAIR, CHAIR, CHAIR, CHAIR, EMPTY)),
        (cell(EMPTY, EMPTY, EMPTY, CHAIR), CHAIR, cell(EMPTY, EMPTY, EMPTY, CHAIR)),
        (cell(CHAIR, CHAIR, EMPTY, UNKNOWN), CHAIR, cell(CHAIR, CHAIR, EMPTY, UNKNOWN)),
        (cell(CHAIR, WALL, WALL, EMPTY), EMPTY, cell(WALL, WALL, WALL, EMPTY)),
        (cell(UNKNOWN), UNKNOWN, cell(UNKNOWN)),
    ],
    ids=["fewer", "half", "more", "unknown voxels do not count", "two names", "unknown"],
)
def test_a_cell_is_what_most_of_it_is(labels: np.ndarray, whole: np.uint8, named: np.ndarray):
    assert (in_cells(labels, 2) == whole).all()
    assert np.array_equal(named_in_cells(labels, 2), named)


@pytest.mark.parametrize("side", SIDES)
def test_cells_are_pooled_where_they_lie(side: int):
    cells = np.random.default_rng(0).integers(0, 13, (60 // side, 60 // side, 36 // side)).astype(np.uint8)
    grid = np.kron(cells, np.ones((side, side, side), np.uint8))
    assert np.array_equal(in_cells(grid, side), grid)
    moved = np.roll(grid, 1, axis=0)
    assert np.array_equal(in_cells(moved, side), moved) is (side == 1)


def test_a_grid_of_no_whole_number_of_cells_is_refused():
    with pytest.raises(BrokenBenchmark, match="no whole number of cells of 7"):
        in_cells(np.zeros((60, 60, 36), np.uint8), 7)


def test_single_voxels_hold_everything_and_larger_cells_less():
    frames = RoomFrames(2)
    found = list(held_by_cells(frames))
    assert [held.side for held in found] == list(SIDES)
    exact = overlap(frames[0].labels, frames[0].labels) + overlap(frames[1].labels, frames[1].labels)
    assert found[0].pooled.miou == found[0].named.miou == found[0].best.mean() == exact.miou
    whole = [held.pooled.iou for held in found]
    assert whole[0] == 1 > max(whole[1:])
    assert {held.named.iou for held in found} == {1.0}, "what is occupied is given"
    assert all(held.named.miou > held.best.mean() > held.pooled.miou for held in found[1:])
    assert all((held.best >= held.pooled.class_iou[list(OCCUPIED_CLASSES)]).all() for held in found)


def test_no_choice_of_cells_is_better_than_the_best():
    rng = np.random.default_rng(0)
    labels = rng.choice([EMPTY, CHAIR, UNKNOWN], (4, 4, 4), p=(0.6, 0.3, 0.1))
    best = BestChoice(2)
    best.add(labels)
    found = []
    for choice in itertools.product([EMPTY, CHAIR], repeat=8):
        cells = np.array(choice, np.uint8).reshape(2, 2, 2)
        found.append(overlap(cells.repeat(2, 0).repeat(2, 1).repeat(2, 2), labels).class_iou[CHAIR])
    assert best.iou()[OCCUPIED_CLASSES.index(SemanticClass.CHAIR)] == pytest.approx(max(found))


def test_the_command_prints_a_table_of_every_class(tmp_path: Path):
    import typer

    write_room(with_nyu_camera(RoomFrames(1)[0]), tmp_path, "test", "NYU1_0000")
    app = typer.Typer()
    app.command()(main)
    ended = CliRunner().invoke(app, [str(tmp_path)])
    assert ended.exit_code == 0, ended.output
    rows = ended.stdout.strip().splitlines()[2:]
    assert rows[0].startswith("| cells | IoU | mIoU | ceiling | floor |")
    assert [row.split(",")[0] for row in rows[2::3]] == ["| 8 cm", "| 16 cm", "| 24 cm", "| 32 cm"]
    assert rows[2].startswith("| 8 cm, what most of each is | 100.0 | ")
