"""What an experiment would train, and what that costs, said before anything is begun."""

from collections.abc import Iterator
from dataclasses import dataclass

from training.settings import LoopSettings
from training.studies.experiment_settings import Experiment

TFLOP_A_PICTURE = {"paper": 2.19}
"""Forward and backward of a network on one picture; 1 multiply-add = 2 FLOP."""
SECONDS_A_PICTURE = {"small": 0.25}
"""Of a processor's core, in batches of four, reading included (docs/results/training_speed.md)."""
LABELLED_ROOM_S, SCORED_ROOM_S = 2.8, 3.9
"""A room rendered with its exact grid; scored ones are longer (docs/results/learning.md, as what follows)."""
READ_S, PREDICTED_S, FITTED_S = 0.14, 0.14, 6e-4
"""A network on one room: its visible voxels, its grid with scores; and a voxel in a probe of six ridges, five folds."""
HOUR_S = 3600


@dataclass(frozen=True)
class Trainings:
    """Trainings of a kind: how many, and of how many pictures at most together."""

    kind: str
    count: int
    pictures: int


@dataclass(frozen=True)
class Work:
    """What is no training: so many rooms (times networks), and seconds of a processor's core."""

    kind: str
    rooms: int
    seconds: float


def trainings_of(experiment: Experiment) -> list[Trainings]:
    """Return what an experiment trains; fine-tuning may stop earlier."""
    study = experiment.study
    return [
        _trainings("pre-training", sum(len(starts) - 1 for starts in _starts(experiment)), experiment.distill.loop),
        _trainings("fine-tuning, at most", _finetunings(experiment), study.finetune.loop),
        _trainings("zero-shot, at most", len(experiment.zero_shot), study.finetune.loop),
    ]


def work_of(experiment: Experiment) -> list[Work]:
    """Return what an experiment does beside training, without what depends on the dataset: features, its own labels."""
    labelled, scored = experiment.train_rooms, experiment.test_rooms
    probed = sum(len(starts) for starts in _starts(experiment))
    shuffled = sum(len(starts) > 2 for starts in _starts(experiment))
    rendered = LABELLED_ROOM_S * (labelled + experiment.validation_rooms) + SCORED_ROOM_S * scored
    fitted = probed * sum(experiment.study.shares) + shuffled * max(experiment.study.shares, default=0)
    fits = FITTED_S * experiment.probe.voxels * labelled * fitted
    loop, trained = experiment.study.finetune.loop, _finetunings(experiment) + len(experiment.zero_shot)
    stops = trained * -(-(loop.steps or 0) // loop.score_every) * experiment.validation_rooms
    return [
        Work("rooms rendered", labelled + experiment.validation_rooms + scored, rendered),
        Work("probes", probed * (labelled + scored), READ_S * probed * (labelled + scored) + fits),
        Work("scores", trained * scored + stops, PREDICTED_S * (trained * scored + stops)),
    ]


def cost_table(experiment: Experiment) -> str:
    """Return what an experiment trains and costs, as Markdown."""
    trainings, preset = trainings_of(experiment), experiment.study.preset
    tflop, seconds = TFLOP_A_PICTURE.get(preset), SECONDS_A_PICTURE.get(preset)
    pictures = sum(t.pictures for t in trainings)
    lines = ["| | trainings | pictures | TFLOP | hours of a core |", "|---" * 5 + "|"]
    for t in trainings:
        hours = "" if seconds is None else f"{t.pictures * seconds / HOUR_S:.1f}"
        lines.append(f"| {t.kind} | {t.count} | {t.pictures:,} | {_product(t.pictures, tflop)} | {hours} |")
    lines += [] if seconds is None else _with_work(experiment, pictures * seconds)
    if tflop is not None:
        needed = pictures * tflop / HOUR_S
        together = f"{sum(t.count for t in trainings)} | {pictures:,} | {_product(pictures, tflop)} | |"
        lines += [f"| together | {together}", ""]
        lines.append(f"An hour of a card that does {needed:.0f} TFLOP/s of it; computed, measured on no card.")
    return "\n".join(lines)


def _with_work(experiment: Experiment, trained_s: float) -> Iterator[str]:
    """Yield rows of what is no training, and of all together."""
    work = work_of(experiment)
    for part in work:
        yield f"| {part.kind} | | {part.rooms:,} | | {part.seconds / HOUR_S:.1f} |"
    together = trained_s + sum(part.seconds for part in work)
    yield f"| together, of an idle core | | | | {together / HOUR_S:.1f} |"


def _starts(experiment: Experiment) -> Iterator[tuple[str, ...]]:
    """Yield the starts of every seed."""
    for number in range(len(experiment.study.seeds)):
        yield "random", "distilled", *(experiment.controls if number < experiment.control_seeds else ())


def _finetunings(experiment: Experiment) -> int:
    compared = sum(len(set(starts) & set(experiment.finetuned)) for starts in _starts(experiment))
    return compared * len(experiment.study.shares)


def _trainings(kind: str, count: int, loop: LoopSettings) -> Trainings:
    """Count the pictures of trainings whose length is given in steps; those of epochs depend on the dataset: 0."""
    return Trainings(kind, count, count * (loop.steps or 0) * loop.batch_size * loop.accumulate * loop.devices)


def _product(pictures: int, tflop: float | None) -> str:
    return "" if tflop is None else f"{pictures * tflop:,.0f}"
