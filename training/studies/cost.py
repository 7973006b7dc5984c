"""What an experiment would train, and what that costs, said before anything is begun."""

from dataclasses import dataclass

from training.settings import LoopSettings
from training.studies.experiment_settings import Experiment

TFLOP_A_PICTURE = {"paper": 2.19}
"""Forward and backward of a network on one picture; 1 multiply-add = 2 FLOP."""
SECONDS_A_PICTURE = {"small": 0.25}
"""Of a processor's core, in batches of four, reading included (docs/results/training_speed.md)."""
HOUR_S = 3600


@dataclass(frozen=True)
class Trainings:
    """Trainings of a kind: how many, and of how many pictures at most together."""

    kind: str
    count: int
    pictures: int


def trainings_of(experiment: Experiment) -> list[Trainings]:
    """Return what an experiment trains; fine-tuning may stop earlier."""
    study, seeds = experiment.study, len(experiment.study.seeds)
    distilled = seeds + min(seeds, experiment.control_seeds) * len(experiment.controls)
    finetuned = 2 * len(study.shares) * seeds
    return [
        _trainings("pre-training", distilled, experiment.distill.loop),
        _trainings("fine-tuning, at most", finetuned, study.finetune.loop),
        _trainings("zero-shot, at most", 2, study.finetune.loop),
    ]


def cost_table(experiment: Experiment) -> str:
    """Return what an experiment trains and costs, as Markdown."""
    trainings, preset = trainings_of(experiment), experiment.study.preset
    trainings.append(Trainings("together", sum(t.count for t in trainings), sum(t.pictures for t in trainings)))
    tflop, seconds = TFLOP_A_PICTURE.get(preset), SECONDS_A_PICTURE.get(preset)
    lines = ["| | trainings | pictures | TFLOP | hours of a core |", "|---" * 5 + "|"]
    for t in trainings:
        hours = "" if seconds is None else f"{t.pictures * seconds / HOUR_S:.1f}"
        lines.append(f"| {t.kind} | {t.count} | {t.pictures:,} | {_product(t.pictures, tflop)} | {hours} |")
    if tflop is not None:
        needed = trainings[-1].pictures * tflop / HOUR_S
        lines += ["", f"An hour of a card that does {needed:.0f} TFLOP/s of it; computed, measured on no card."]
    return "\n".join(lines)


def _trainings(kind: str, count: int, loop: LoopSettings) -> Trainings:
    """Count the pictures of trainings whose length is given in steps; those of epochs depend on the dataset: 0."""
    return Trainings(kind, count, count * (loop.steps or 0) * loop.batch_size * loop.accumulate * loop.devices)


def _product(pictures: int, tflop: float | None) -> str:
    return "" if tflop is None else f"{pictures * tflop:,.0f}"
