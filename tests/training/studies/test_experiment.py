"""The experiment's report: gains paired by seed."""

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from pipeline.contract.progress import silent
from pipeline.tours.seeds import ROOM_SEEDS
from tests.training.rooms import RoomFrames, stored_frames
from tests.training.studies.results import RESULTS, result
from training.data.export import with_nyu_camera, write_room
from training.errors import UnusableDataset
from training.settings import LoopSettings
from training.studies.experiment import run
from training.studies.experiment_settings import Experiment
from training.studies.label_efficiency import Study, gains_of, length


def test_gains_are_paired_by_seed():
    gains = gains_of(RESULTS)
    assert {share: np.round(values, 9).tolist() for share, values in gains.items()} == {
        0.1: [0.03] * 3,
        1.0: [0.03] * 3,
    }


def test_a_control_is_compared_by_the_seeds_that_have_it():
    controls = [result("random_teacher", 0.1, seed, 0.15) for seed in (1, 2)]
    gains = gains_of([*RESULTS, *controls], "random_teacher")
    assert {share: np.round(values, 9).tolist() for share, values in gains.items()} == {0.1: [0.0, 0.01]}


@pytest.mark.parametrize(
    ("loop", "words"),
    [
        (LoopSettings(steps=200, batch_size=4), "200 steps of 4"),
        (LoopSettings(epochs=3, batch_size=2, accumulate=4), "3 epochs of 8"),
        (LoopSettings(epochs=3, steps=5), "5 steps of 1"),
        (LoopSettings(steps=5, patience=2), "up to 5 steps of 1"),
    ],
)
def test_the_length_of_a_training_is_said_in_words(loop: LoopSettings, words: str):
    assert length(loop) == words


def test_fine_tuning_has_a_quarter_of_the_rate_of_pre_training_and_stops_at_a_plateau():
    experiment = Experiment(weights="dinov2_small")
    distill, finetune = experiment.distill.loop, experiment.study.finetune.loop
    assert finetune.learning_rate == distill.learning_rate / 4
    assert distill.schedule == finetune.schedule == "cosine"
    assert (distill.steps, distill.batch_size, distill.patience) == (3000, 4, None)
    assert finetune.patience == 3
    assert [share * experiment.train_rooms for share in experiment.study.shares] == [4, 20, 100]
    assert len(experiment.study.seeds) == 5


@pytest.mark.parametrize("values", [{}, {"weights": "x", "train_rooms": 1}, {"weights": "x", "rooms": 3}])
def test_an_experiment_that_cannot_be_is_refused(values: dict):
    with pytest.raises(ValidationError):
        Experiment.model_validate(values)


@pytest.mark.parametrize(
    ("labelled", "scored", "message"),
    [((0, 0), (0, 1), "all labelled rooms are of the house"), ((0, 1), (0, 0), "all scored rooms are of one house")],
)
def test_rooms_of_one_house_are_refused_before_anything_is_trained(
    tmp_path: Path, labelled: tuple[int, int], scored: tuple[int, int], message: str
):
    for side, houses in (("train", labelled), ("test", scored)):
        names = [f"NYU{ROOM_SEEDS[side][house]}_{shot:04d}" for shot, house in enumerate(houses)]
        for seed, name in enumerate(names):
            write_room(with_nyu_camera(RoomFrames(1, seed=seed)[0]), tmp_path / "benchmark", side, name)
        (tmp_path / "benchmark" / f"NYU{side}.txt").write_text("\n".join(names))
    values = {"train_rooms": 2, "test_rooms": 2, "study": Study(shares=(1.0,))}
    experiment = Experiment(teacher="efficientnet", weights="package", **values)
    with pytest.raises(UnusableDataset, match=message):
        run(experiment, stored_frames(tmp_path / "data").store, tmp_path, silent, lambda _: None)
