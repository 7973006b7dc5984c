"""Starts of an experiment with their controls, from pre-training to probes, on rooms that take no time."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.progress import silent
from tests.training.probes.test_voxels import Houses
from tests.training.rooms import stored_frames
from tests.training.tiny_runs import NumberedFeatures, quick
from training.checkpoints import describe
from training.errors import UnusableDataset
from training.probes.run import ProbeSettings
from training.settings import DistillSettings, FinetuneSettings
from training.studies.experiment_report import verdict
from training.studies.experiment_settings import Experiment
from training.studies.label_efficiency import Study
from training.studies.starts import SHUFFLED_LABELS, probed, starts_of
from training.teachers.controls import RandomFeatures


def tiny(**values: object) -> Experiment:
    given = {
        "teacher": "efficientnet",
        "weights": "package",
        "probe": ProbeSettings(voxels=150, ridges=(0.1, 10.0), folds=2),
        "distill": DistillSettings(loop=quick(steps=2, batch_size=1), loss="pixel_cosine"),
        "study": Study(preset="tiny", shares=(0.5, 1.0), seeds=(0, 1), finetune=FinetuneSettings(loop=quick())),
    }
    return Experiment.model_validate({**given, **values})


def test_every_seed_has_a_network_of_its_own_and_the_first_has_controls(tmp_path: Path):
    frames, said = stored_frames(tmp_path / "data"), []
    starts = {seed: starts_of(tiny(), seed, frames, tmp_path, silent) for seed in (0, 1)}
    assert list(starts[0]) == ["random", "distilled", "random_teacher", "shuffled_regions"]
    assert list(starts[1]) == ["random", "distilled"]
    made = {name: describe(place).settings for name, place in starts[0].items() if place}
    assert made["shuffled_regions"]["pairs"] == "shuffled"
    assert "pairs" not in made["distilled"]
    assert made["random_teacher"]["teacher"] == f"random_0_for_{made['distilled']['teacher']}"
    assert describe(starts[1]["distilled"]).settings["loop"]["seed"] == 1
    sides = (Houses(4, 0), Houses(2, 1))
    scores = []
    for seed, of_seed in starts.items():
        scores += probed(tiny(), seed, of_seed, sides, tmp_path, silent, said.append)
    assert len(scores) == len(said) == 6 * 2 + 1
    assert {score.rooms for score in scores if score.start == SHUFFLED_LABELS} == {4}
    assert verdict(scores).startswith("**Controls score like the real arm"), "two steps teach nothing"
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "probes").iterdir()}
    assert len(kept) == len(scores)
    assert probed(tiny(), 0, starts[0], sides, tmp_path, silent, said.append) == scores[:9]
    assert kept == {path: path.stat().st_mtime_ns for path in (tmp_path / "probes").iterdir()}


def test_labels_of_one_house_cannot_be_probed(tmp_path: Path):
    one = tiny(study=Study(preset="tiny", shares=(0.25,), seeds=(0,)))
    with pytest.raises(UnusableDataset, match="all labelled rooms are of the house"):
        probed(one, 0, {"random": None}, (Houses(4, 0), Houses(2, 1)), tmp_path, silent, str)


def test_a_share_larger_than_the_set_is_refused(tmp_path: Path):
    more = tiny(study=Study(preset="tiny", shares=(1.5,), seeds=(0,)))
    with pytest.raises(UnusableDataset, match=r"a share of 1\.5 of 4 samples"):
        probed(more, 0, {"random": None}, (Houses(4, 0), Houses(2, 1)), tmp_path, silent, str)


def test_a_random_teacher_says_the_same_of_a_frame_and_nothing_of_its_picture():
    real = NumberedFeatures()
    control = RandomFeatures(real, 3)
    assert control[1].shape == real[1].shape
    assert control[1].dtype == np.float16
    assert np.array_equal(control[1], control[1])
    assert abs(np.corrcoef(control[1].ravel(), real[1].ravel())[0, 1]) < 0.2
    assert not np.array_equal(control[1], RandomFeatures(real, 4)[1])
    assert control.group != real.group
