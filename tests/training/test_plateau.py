"""A training stops where what is held out says so, keeps its best weights, and goes on from a kill to the same ones."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from pipeline.contract.progress import silent
from tests.training.rooms import RoomFrames
from tests.training.tiny_runs import quick, roots
from training.batches import EpochBatches
from training.checkpoints import describe, load_network
from training.errors import WrongCheckpoint
from training.loop import Training, fabric_for, train
from training.plateau import BEST
from training.runs import finetune
from training.settings import FinetuneSettings, LoopSettings

RISING_THEN_NOT = {2: 0.1, 4: 0.3, 6: 0.2, 8: 0.3, 10: 0.9}


def judged(folder: Path, scores: dict[int, float], settings: LoopSettings, died_at: int = 0):
    """Train a task of one weight; its score at a step is as given, and it may die when it comes to a step."""
    seen: list[float] = []

    def score(task: torch.nn.Module) -> dict[str, float]:
        seen.append(float(task.weight))
        return {"held out": scores[steps[-1]]}

    steps: list[int] = []

    def progress(*said: object) -> None:
        if died_at == said[1]:
            raise KeyboardInterrupt

    class Counted(EpochBatches):
        def starting_at(self, step: int, *arguments: Any) -> Iterator[list[Any]]:
            for number, batches in enumerate(super().starting_at(step, *arguments), start=step + 1):
                steps.append(number)
                yield batches

    plain = roots({0: 1.0, 1: 4.0})
    training = Training(plain.task, Counted(plain.batches._samples, plain.batches._collate), {}, score, "held out")
    return train(training, settings, folder, fabric_for(settings, folder), progress), seen


def settings(**values: object) -> LoopSettings:
    return quick(steps=10, score_every=2, checkpoint_every=1, **values)


def test_it_stops_when_patience_is_over_and_keeps_the_first_of_the_best(tmp_path: Path):
    trained, seen = judged(tmp_path, RISING_THEN_NOT, settings(patience=2))
    assert trained.steps == 8
    assert float(trained.task.weight) == seen[1] != seen[3]


def test_without_patience_it_goes_on_and_keeps_the_last(tmp_path: Path):
    trained, seen = judged(tmp_path, RISING_THEN_NOT, settings())
    assert (trained.steps, float(trained.task.weight)) == (10, seen[-1])
    assert not (tmp_path / BEST).exists()


@pytest.mark.parametrize("died_at", [3, 4, 5, 8])
def test_a_kill_anywhere_changes_nothing(tmp_path: Path, died_at: int):
    whole, _ = judged(tmp_path / "whole", RISING_THEN_NOT, settings(patience=2))
    with pytest.raises(KeyboardInterrupt):
        judged(tmp_path / "killed", RISING_THEN_NOT, settings(patience=2), died_at)
    resumed, _ = judged(tmp_path / "killed", RISING_THEN_NOT, settings(patience=2))
    assert resumed.steps == whole.steps
    assert float(resumed.task.weight) == float(whole.task.weight)


def test_best_weights_that_are_damaged_are_named(tmp_path: Path):
    with pytest.raises(KeyboardInterrupt):
        judged(tmp_path, RISING_THEN_NOT, settings(patience=2), died_at=8)
    (tmp_path / BEST).write_bytes(b"none")
    with pytest.raises(WrongCheckpoint, match=BEST):
        judged(tmp_path, RISING_THEN_NOT, settings(patience=2))


def test_fine_tuning_is_judged_by_rooms_to_stop_by(tmp_path: Path):
    loop = quick(steps=4, batch_size=1, score_every=1, patience=1, learning_rate=1e-9)
    tuning = FinetuneSettings(loop=loop)
    made = finetune(RoomFrames(2), "tiny", None, tuning, tmp_path / "a", silent, RoomFrames(1, seed=1))
    assert made.steps == 2, "nothing is learned at such a rate"
    assert made.settings["validation"] == "analytic room, seed 1"
    assert describe(tmp_path / "a") == made
    load_network(tmp_path / "a")
    assert not (tmp_path / "a" / BEST).exists()
    with pytest.raises(WrongCheckpoint, match="other data or settings"):
        finetune(RoomFrames(2), "tiny", None, tuning, tmp_path / "a", silent, RoomFrames(1, seed=2))
