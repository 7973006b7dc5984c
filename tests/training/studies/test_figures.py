"""The figures of an experiment's folder: a narrower run adds to what wider ones told, and takes nothing away."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.contract.progress import silent
from pipeline.tours.seeds import ROOM_SEEDS
from tests.training.rooms import RoomFrames, stored_frames
from tests.training.studies.results import RESULTS, result
from tests.training.tiny_runs import quick
from training.data import StoredFrames
from training.data.export import with_nyu_camera, write_room
from training.errors import UnusableDataset
from training.probes.run import ProbeSettings
from training.settings import DistillSettings, FinetuneSettings
from training.studies.experiment import run
from training.studies.experiment_settings import Experiment
from training.studies.figures import FigureFile, StudyFigures, made_with
from training.studies.label_efficiency import Study

PROBE = ProbeSettings(voxels=60, ridges=(10.0,), folds=2)


def tiny(seeds: tuple[int, ...] = (0,), shares: tuple[float, ...] = (1.0,), **values: Any) -> Experiment:
    loop = quick(steps=1, batch_size=1)
    given = {
        "teacher": "efficientnet",
        "weights": "package",
        "zero_shot": (),
        "probe": PROBE,
        "controls": (),
        "train_rooms": 2,
        "validation_rooms": 1,
        "test_rooms": 2,
        "distill": DistillSettings(loop=loop, loss="pixel_cosine"),
        "study": Study(preset="tiny", shares=shares, seeds=seeds, finetune=FinetuneSettings(loop=loop)),
    }
    return Experiment.model_validate({**given, **values})


@pytest.fixture
def frames(tmp_path: Path) -> StoredFrames:
    """A dataset, and beside it an experiment's folder whose rooms are there."""
    for side, count in (("train", 2), ("test", 2), ("validation", 1)):
        names = [f"NYU{seed}_0000" for seed in list(ROOM_SEEDS[side])[:count]]
        folder, split = (tmp_path / "validation", "train") if side == "validation" else (tmp_path / "benchmark", side)
        for seed, name in enumerate(names):
            write_room(with_nyu_camera(RoomFrames(1, seed=seed)[0]), folder, split, name)
        (folder / f"NYU{split}.txt").write_text("\n".join(names))
    return stored_frames(tmp_path / "data")


def ran(experiment: Experiment, frames: StoredFrames, folder: Path) -> str:
    return run(experiment, frames.store, folder, silent, lambda _: None)


def told(folder: Path) -> tuple[set[tuple[Any, ...]], set[tuple[Any, ...]]]:
    """What is probed and fine-tuned, by start and seed."""
    probes, results = (json.loads((folder / name).read_text()) for name in ("probes.json", "results.json"))
    return tuple({(found["start"], found["seed"]) for found in files} for files in (probes, results))


def test_a_narrower_run_takes_no_figures_away(frames: StoredFrames, tmp_path: Path):
    wider = tiny(seeds=(0, 1), controls=("random_teacher",), finetuned=("random", "distilled", "random_teacher"))
    first = ran(wider, frames, tmp_path)
    probes, results = told(tmp_path)
    assert probes == {(start, seed) for start in ("random", "distilled") for seed in (0, 1)} | {
        ("random_teacher", 0),
        ("shuffled_labels", 0),
    }
    assert results == {(start, seed) for start in ("random", "distilled") for seed in (0, 1)} | {("random_teacher", 0)}
    assert ran(tiny(), frames, tmp_path) == (tmp_path / "report.md").read_text() == first
    assert told(tmp_path) == (probes, results)
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for name in ("benchmark", "validation", "distilled", "finetuned", "probes", "voxels", "figures"):
        (tmp_path / name).rename(moved / name)
    assert ran(tiny(), frames, moved) == first
    others = ran(tiny(probe=PROBE.model_copy(update={"voxels": 50})), frames, moved)
    assert "random_teacher" not in others, "probes of other settings are not compared with these"
    assert len(list((moved / "figures").glob("*.json"))) == 2
    assert ran(tiny(), frames, moved) == first, "and lose nothing"


@pytest.mark.parametrize(
    ("values", "same"),
    [
        ({"seeds": (3, 4)}, True),
        ({"shares": (0.5,)}, True),
        ({"controls": ("shuffled_regions",), "control_seeds": 2, "finetuned": ("random",)}, True),
        ({"probe": ProbeSettings(voxels=61)}, False),
        ({"weights": "another"}, False),
        ({"teacher": "san"}, False),
        ({"distill": DistillSettings(loop=quick(steps=2))}, False),
        ({"study": Study(preset="small")}, False),
    ],
)
def test_seeds_shares_and_controls_are_of_one_experiment(values: dict[str, Any], *, same: bool):
    sides = RoomFrames(1), RoomFrames(1, seed=1), RoomFrames(1, seed=2)
    assert (made_with(tiny(**values), *sides) == made_with(tiny(), *sides)) is same
    assert made_with(tiny(), *sides) != made_with(tiny(), sides[0], sides[2], sides[1])


def test_what_is_told_again_replaces_what_was_told(tmp_path: Path):
    file = FigureFile(tmp_path, "0" * 64)
    file.add(StudyFigures(results=tuple(RESULTS)))
    again = result("random", 0.1, 1, 0.9)
    found = file.add(StudyFigures(results=(again,), zero_shot={"exact": {"miou all": 0.1}}, relabelled=3))
    assert len(found.results) == len(RESULTS)
    assert [score for score in found.results if (score.start, score.share, score.seed) == ("random", 0.1, 1)] == [again]
    assert [score.seed for score in found.results] == sorted(score.seed for score in RESULTS)
    assert FigureFile(tmp_path, "0" * 64).add(StudyFigures()) == found
    more = file.add(StudyFigures(zero_shot={"pipeline": {"miou all": 0.2}}, relabelled=3))
    assert list(more.zero_shot) == ["exact", "pipeline"]
    others = file.add(StudyFigures(zero_shot={"pipeline": {"miou all": 0.2}}, relabelled=4))
    assert list(others.zero_shot) == ["pipeline"], "of other frames"


def test_a_file_that_holds_no_figures_is_named_and_stays(tmp_path: Path):
    file = FigureFile(tmp_path, "0" * 64)
    file.path.parent.mkdir()
    file.path.write_text("[]")
    with pytest.raises(UnusableDataset, match="holds no figures of an experiment"):
        file.add(StudyFigures())
    assert file.path.read_text() == "[]"
