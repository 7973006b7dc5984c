"""The study's tables and gains, and the benchmark of rendered rooms it runs on."""

from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from pipeline.contract.classes import SemanticClass
from tests.training.rooms import RoomFrames
from tests.training.tiny_runs import quick
from training.checkpoints import describe
from training.data import MonoSceneRooms, NyuRooms, Sample
from training.data.nyu_format import INTRINSICS
from training.scores.metrics import Evaluation, depth_surface
from training.settings import FinetuneSettings
from training.studies.experiment import gains_of
from training.studies.label_efficiency import FinetunedScore, Study, label_efficiency, plot, spread, table
from training.studies.rooms import FIRST_SEED, write_rooms


def result(start: str, share: float, seed: int, miou: float) -> FinetunedScore:
    return FinetunedScore(start=start, share=share, seed=seed, figures={"miou all": miou, "iou all": 2 * miou})


RESULTS = [
    result(start, share, seed, base + share / 10 + seed / 100)
    for start, base in (("random", 0.1), ("distilled", 0.13))
    for share in (0.1, 1.0)
    for seed in (0, 1, 2)
]


def test_mean_and_deviation_over_seeds_by_share_and_start():
    lines = table(RESULTS).splitlines()
    assert lines[0] == "| labels | random: mIoU | random: IoU | distilled: mIoU | distilled: IoU |"
    assert lines[2] == "| 10% | 12.00 ± 1.00 | 24.00 ± 2.00 | 15.00 ± 1.00 | 30.00 ± 2.00 |"
    assert spread([0.5]) == "50.00 (1 seed)"
    assert plot(RESULTS).startswith(b"\x89PNG")


def test_gains_are_paired_by_seed():
    gains = gains_of(RESULTS)
    assert {share: np.round(values, 9).tolist() for share, values in gains.items()} == {
        0.1: [0.03] * 3,
        1.0: [0.03] * 3,
    }


def test_a_network_that_another_process_is_at_is_left_to_the_end(tmp_path: Path):
    frames = RoomFrames(2)
    study = Study(seeds=(0, 1), shares=(0.5,), finetune=FinetuneSettings(loop=quick(steps=3, batch_size=1)))
    other = FileLock(tmp_path / "random-50-0.lock")
    other.acquire()
    results = label_efficiency(study, frames, frames, {"random": None}, tmp_path)
    assert next(results).seed == 1
    other.release()
    assert [result.seed for result in results] == [0]
    again = label_efficiency(study, frames, frames, {"random": None}, tmp_path)
    assert {result.seed for result in again} == {0, 1}
    assert describe(tmp_path / "random-50-0").steps == 3, "as asked for, whatever the share"


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rooms")
    assert list(write_rooms(folder, "test", 2)) == [f"NYU{FIRST_SEED['test']}_000{number}" for number in range(2)]
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
