"""The benchmark of rendered rooms: exact grids, in both layouts, rendered once."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.classes import SemanticClass
from pipeline.tours.seeds import ROOM_SEEDS
from training.data import MonoSceneRooms, NyuRooms, Sample
from training.data.nyu_format import INTRINSICS
from training.scores.metrics import Evaluation, depth_surface
from training.studies.rooms import write_rooms


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rooms")
    assert list(write_rooms(folder, "test", 2)) == [f"NYU{ROOM_SEEDS['test'][0]}_000{number}" for number in range(2)]
    return folder


@pytest.fixture(scope="module")
def room(rooms: Path) -> Sample:
    return NyuRooms(rooms / "depthbin", "test")[0]


def test_rooms_read_back_the_same_in_both_layouts(rooms: Path, room: Sample):
    other = MonoSceneRooms(rooms, rooms / "depthbin", "test")[0]
    assert np.array_equal(room.labels, other.labels)
    assert np.array_equal(room.intrinsics, INTRINSICS)
    assert np.allclose(room.camera_to_world, other.camera_to_world)


def test_an_exact_grid_holds_what_the_picture_shows_and_what_it_does_not(room: Sample):
    evaluation = Evaluation("surface")
    evaluation.add(depth_surface(room), room)
    surface = evaluation.depth_surface
    assert surface.total("visible").precision > 0.9, "what the depth map shows is occupied"
    assert surface.total("visible").recall > 0.9
    assert surface.total().recall < 0.8, "furniture hides voxels that the grid knows of"
    present = set(np.unique(room.labels).tolist())
    assert {SemanticClass.EMPTY, SemanticClass.FLOOR, SemanticClass.WALL, SemanticClass.UNKNOWN} <= present


def test_rooms_that_are_there_are_not_rendered_again(rooms: Path):
    pictures = sorted((rooms / "depthbin" / "NYUtest").glob("*.jpg"))
    made = [path.stat().st_mtime_ns for path in pictures]
    assert len(list(write_rooms(rooms, "test", 2))) == len(pictures) == 2
    assert [path.stat().st_mtime_ns for path in pictures] == made
    assert (rooms / "NYUtest.txt").read_text().split() == [path.stem.removesuffix("_color") for path in pictures]


def test_a_room_that_is_gone_is_rendered_again(rooms: Path):
    gone = min((rooms / "base" / "NYUtest").glob("*.pkl"))
    content = gone.read_bytes()
    gone.unlink()
    assert len(list(write_rooms(rooms, "test", 2))) == 2
    assert gone.read_bytes() == content
