"""A dataset in a folder is what its files hold: not where it lies, nor how the folder is spelled."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.progress import silent
from tests.training.data.copies import copied
from tests.training.occscannet_writer import write_occscannet
from tests.training.rooms import RoomFrames
from tests.training.tiny_runs import quick
from training.checkpoints import DESCRIPTION, describe, new_network
from training.data import Frames, MonoSceneRooms, NyuRooms, OccScanNetFrames, fraction
from training.data.content import content_of, sample_content
from training.data.pictures import write_picture
from training.data.subset import FrameSubset
from training.errors import BrokenBenchmark, WrongCheckpoint
from training.probes.voxels import voxel_rows
from training.runs import finetune
from training.settings import FinetuneSettings
from training.studies.label_efficiency import Study, label_efficiency

TUNING = FinetuneSettings(loop=quick(steps=1, batch_size=1))
SPELLINGS: dict[str, Callable[[Path], Path]] = {
    "the same": lambda folder: folder,
    "another spelling": lambda folder: folder / ".." / folder.name,
    "relative": lambda folder: Path(os.path.relpath(folder)),
    "moved": lambda folder: folder.rename(folder.with_name("moved")),
    "copied": lambda folder: copied(folder, folder.with_name("elsewhere")),
}
OTHERS = {
    "labels": "base/NYUtrain/{}.pkl",
    "depth": "depthbin/NYUtrain/{}.png",
    "picture": "depthbin/NYUtrain/{}_color.jpg",
}


def rooms(folder: Path) -> MonoSceneRooms:
    return MonoSceneRooms(folder, folder / "depthbin", "train")


def take_files_of_another(folder: Path, what: str) -> None:
    """Give the first room what the second one has, under its own name."""
    first, second = (folder / OTHERS[what].format(name) for name in ("NYU0001_0000", "NYU0002_0000"))
    shutil.copy(second, first)


@pytest.fixture
def benchmark(exported: Path, tmp_path: Path) -> Path:
    return copied(exported, tmp_path / "benchmark")


def read(kind: str, folder: Path) -> Frames:
    if kind == "occscannet":
        return OccScanNetFrames(folder, "train", "official")
    return rooms(folder) if kind == "monoscene" else NyuRooms(folder / "depthbin", "train")


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("kind", ["monoscene", "nyu", "occscannet"])
def test_a_benchmark_is_the_same_wherever_it_lies(benchmark: Path, tmp_path: Path, kind: str, spelling: str):
    folder = benchmark
    if kind == "occscannet":
        folder = tmp_path / "occscannet"
        write_occscannet(folder, RoomFrames(2))
    before = content_of(read(kind, folder))
    assert content_of(read(kind, SPELLINGS[spelling](folder))) == before


@pytest.mark.parametrize("changed", OTHERS)
def test_a_room_that_holds_something_else_is_another(benchmark: Path, changed: str):
    before = [sample_content(rooms(benchmark), index) for index in range(2)]
    take_files_of_another(benchmark, changed)
    after = [sample_content(rooms(benchmark), index) for index in range(2)]
    assert (before[0] == after[0], before[1] == after[1]) == (False, True)


def test_names_readings_and_choice_of_rooms_tell_datasets_apart(benchmark: Path):
    found = rooms(benchmark)
    kinds = [found, NyuRooms(benchmark / "depthbin", "train"), FrameSubset(found, [0], "one"), RoomFrames(2)]
    assert len({content_of(frames) for frames in kinds}) == len(kinds)
    assert content_of(FrameSubset(found, range(2), "called anything")) == content_of(found)
    assert content_of(fraction(found, 0.5, 0)) != content_of(fraction(found, 1.0, 0))
    assert content_of(RoomFrames(2)) != content_of(RoomFrames(2, seed=1))


def test_files_are_read_once_however_often_they_are_asked_for(benchmark: Path):
    found = rooms(benchmark)
    before = content_of(found)
    shutil.rmtree(benchmark)
    assert content_of(fraction(found, 1.0, 3)) == before
    assert sample_content(FrameSubset(found, [1], "one"), 0) == found.content(1)


def test_a_room_without_its_picture_is_named(benchmark: Path):
    (benchmark / "depthbin" / "NYUtrain" / "NYU0001_0000_color.jpg").unlink()
    with pytest.raises(BrokenBenchmark, match=r"NYU0001_0000_color\.jpg cannot be read"):
        content_of(rooms(benchmark))


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_what_was_trained_on_a_benchmark_goes_on_wherever_it_lies(benchmark: Path, tmp_path: Path, spelling: str):
    made = tmp_path / "made"
    first = finetune(rooms(benchmark), "tiny", None, TUNING, made, silent, rooms(benchmark))
    again = rooms(SPELLINGS[spelling](benchmark))
    assert finetune(again, "tiny", None, TUNING, made, silent, again) == first


@pytest.mark.parametrize("changed", OTHERS)
@pytest.mark.parametrize("role", ["learned from", "stopped by"])
def test_other_rooms_under_the_same_names_are_other_data(benchmark: Path, tmp_path: Path, changed: str, role: str):
    other = rooms(copied(benchmark, tmp_path / "other"))
    sides = {"learned from": rooms(benchmark), "stopped by": other}
    finetune(sides["learned from"], "tiny", None, TUNING, tmp_path / "made", silent, sides["stopped by"])
    folder = benchmark if role == "learned from" else tmp_path / "other" / "copy"
    take_files_of_another(folder, changed)
    sides[role] = rooms(folder)
    with pytest.raises(WrongCheckpoint, match="other data or settings"):
        finetune(sides["learned from"], "tiny", None, TUNING, tmp_path / "made", silent, sides["stopped by"])


@pytest.mark.parametrize(("changed", "goes_on"), [(False, True), (True, False)], ids=["moved", "other rooms"])
def test_a_training_that_was_killed_goes_on_with_the_rooms_it_began_with(
    benchmark: Path, tmp_path: Path, *, changed: bool, goes_on: bool
):
    def dying(*said: object) -> None:
        if said[1] == 1:
            raise KeyboardInterrupt

    tuning = FinetuneSettings(loop=quick(steps=2, batch_size=1, checkpoint_every=1))
    with pytest.raises(KeyboardInterrupt):
        finetune(rooms(benchmark), "tiny", None, tuning, tmp_path / "made", dying)
    moved = benchmark.rename(tmp_path / "moved")
    if not changed:
        assert finetune(rooms(moved), "tiny", None, tuning, tmp_path / "made").steps == 2
    else:
        take_files_of_another(moved, "labels")
        with pytest.raises(WrongCheckpoint, match="run on other data"):
            finetune(rooms(moved), "tiny", None, tuning, tmp_path / "made")
    assert (tmp_path / "made" / DESCRIPTION).exists() is goes_on


def test_a_network_of_an_earlier_release_is_known_by_its_place(benchmark: Path, tmp_path: Path):
    made = tmp_path / "made"
    first = finetune(rooms(benchmark), "tiny", None, TUNING, made)
    earlier = first.model_copy(update={"settings": {k: v for k, v in first.settings.items() if k != "content"}})
    assert earlier != first
    (made / DESCRIPTION).write_text(earlier.model_dump_json())
    assert finetune(rooms(benchmark), "tiny", None, TUNING, made) == earlier
    with pytest.raises(WrongCheckpoint, match="other data or settings"):
        finetune(rooms(benchmark.rename(tmp_path / "moved")), "tiny", None, TUNING, made)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_voxels_are_kept_for_the_same_rooms_wherever_they_lie(benchmark: Path, tmp_path: Path, spelling: str):
    network, kept = new_network("tiny", 12), tmp_path / "voxels"
    first = voxel_rows(network, rooms(benchmark), 50, 0, kept)
    files = set(kept.rglob("*.npz"))
    again = voxel_rows(network, rooms(SPELLINGS[spelling](benchmark)), 50, 0, kept)
    assert set(kept.rglob("*.npz")) == files
    assert len(files) == 2
    assert np.array_equal(first.features, again.features)


@pytest.mark.parametrize("changed", OTHERS)
def test_voxels_of_a_changed_room_are_asked_for_again(benchmark: Path, tmp_path: Path, changed: str):
    network = new_network("tiny", 12)
    voxel_rows(network, rooms(benchmark), 50, 0, tmp_path / "voxels")
    take_files_of_another(benchmark, changed)
    kept = voxel_rows(network, rooms(benchmark), 50, 0, tmp_path / "voxels")
    anew = voxel_rows(network, rooms(benchmark), 50, 0, tmp_path / "others")
    assert np.array_equal(kept.features, anew.features)
    assert np.array_equal(kept.labels, anew.labels)
    assert len(list((tmp_path / "voxels").rglob("*.npz"))) == 3, "that of the other room stands"


@pytest.mark.parametrize(("changed", "same"), [(False, True), (True, False)], ids=["moved", "other rooms"])
def test_scores_are_those_of_the_rooms_that_are_there(benchmark: Path, tmp_path: Path, *, changed: bool, same: bool):
    study, train = Study(preset="tiny", shares=(1.0,), seeds=(0,), finetune=TUNING), RoomFrames(1)
    starts, folder = {"random": None}, tmp_path / "tuned"
    (first,) = label_efficiency(study, train, rooms(benchmark), starts, folder)
    moved = benchmark.rename(tmp_path / "moved")
    if changed:
        path = moved / "depthbin" / "NYUtrain" / "NYU0001_0000.png"
        write_picture(path, np.full((480, 640), 9000, np.uint16))
    (again,) = label_efficiency(study, train, rooms(moved), starts, folder)
    (anew,) = label_efficiency(study, train, rooms(moved), starts, tmp_path / "anew")
    assert again.figures == anew.figures
    assert (again.figures == first.figures) is same
    assert describe(folder / "random-100-0").data == train.origin + ", 100% of the labels (seed 0)"
