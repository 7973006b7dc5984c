"""What an experiment would train, and what that costs, said before anything is begun: parts, and their sum."""

from collections.abc import Iterator
from dataclasses import dataclass

from models.symphonies import PRESETS
from training.settings import LoopSettings
from training.studies.experiment_settings import Experiment

TFLOP_A_PICTURE = {"paper": 2.19}
"""Forward and backward of a network on one picture, counted; 1 multiply-add = 2 FLOP. Forward alone is a third."""
SECONDS_A_PICTURE = {"tiny": 0.10, "small": 0.25, "fine": 0.62, "medium": 0.50}
"""Of a processor's core, in batches of four, reading included (docs/results/training_speed.md)."""
LABELLED_ROOM_S, SCORED_ROOM_S = 2.8, 3.9
"""A room rendered with its exact grid; scored ones are longer (docs/results/learning.md, as what follows)."""
READ_S, PREDICTED_S, FITTED_S = 0.14, 0.14, 6e-4
"""A network on one room: its visible voxels, its grid with scores; and a voxel in a probe of six ridges, five folds."""
FITTED_FEATURES = 8
"""Features of a voxel for which ``FITTED_S`` is, those of preset ``small``; more cost in proportion."""
HOUR_S = 3600
NOT_COUNTED = (
    "Not counted, since the dataset decides how much: features of the teacher, and frames rendered again for zero-shot."
)


@dataclass(frozen=True)
class Trainings:
    """Trainings of a kind: how many, and of how many pictures at most together."""

    kind: str
    count: int
    pictures: int


@dataclass(frozen=True)
class Work:
    """What is no training.

    rooms: how many, times networks. seconds: of a processor's core. passes: of a network over a picture, no backward.
    basis: what the seconds are reckoned from.
    """

    kind: str
    rooms: int
    seconds: float
    passes: int
    basis: str


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
    labelled, scored = experiment.train_rooms + experiment.validation_rooms, experiment.test_rooms
    loop, trained = experiment.study.finetune.loop, _finetunings(experiment) + len(experiment.zero_shot)
    stops = trained * -(-(loop.steps or 0) // loop.score_every) * experiment.validation_rooms
    predicted = trained * scored + stops
    rendered = LABELLED_ROOM_S * labelled + SCORED_ROOM_S * scored
    rooms = f"{LABELLED_ROOM_S} s a labelled room, {SCORED_ROOM_S} s a scored one, measured"
    return [
        Work("rooms rendered", labelled + scored, rendered, 0, rooms),
        _probes(experiment),
        Work("scores", predicted, PREDICTED_S * predicted, predicted, f"{PREDICTED_S} s a room, measured"),
    ]


def cost_table(experiment: Experiment) -> str:
    """Return what an experiment trains and costs, by parts that add up as they are printed, as Markdown."""
    preset = experiment.study.preset
    tflop, seconds = TFLOP_A_PICTURE.get(preset), SECONDS_A_PICTURE.get(preset)
    rows = list(_rows(experiment, tflop, seconds))
    lines = ["| | trainings | pictures, rooms | TFLOP | hours of a core | by |", "|---" * 6 + "|"]
    lines += [
        f"| {row.kind} | {row.count} | {row.pictures:,} | {_number(row.tflop, ',.0f')} | {_number(row.hours, '.2f')} "
        f"| {row.basis} |"
        for row in rows
    ]
    hours, work = sum(round(row.hours or 0, 2) for row in rows), sum(round(row.tflop or 0) for row in rows)
    if tflop is not None:
        lines += [f"| together | | | {work:,.0f} | {hours:.2f} | |", "", NOT_COUNTED]
        lines.append(
            f"An hour of a card that does {work / HOUR_S:.0f} TFLOP/s of it, and {hours:.1f} hours of a processor's "
            "core; computed, measured on no card."
        )
    elif seconds is not None:
        lines += [f"| together, of an idle core | | | | {hours:.2f} | |", "", NOT_COUNTED]
    else:
        lines += ["", f"What trainings of preset {preset!r} cost is not known. {NOT_COUNTED}"]
    return "\n".join(lines)


@dataclass(frozen=True)
class _Row:
    kind: str
    count: int | str
    pictures: int
    tflop: float | None
    hours: float | None
    basis: str


def _rows(experiment: Experiment, tflop: float | None, seconds: float | None) -> Iterator[_Row]:
    by_picture = "" if seconds is None else f"{seconds:.2f} s a picture, measured"
    by_picture = by_picture if tflop is None else f"{tflop} TFLOP a picture, counted"
    for part in trainings_of(experiment):
        hours = None if seconds is None else part.pictures * seconds / HOUR_S
        total = None if tflop is None else part.pictures * tflop
        yield _Row(part.kind, part.count, part.pictures, total, hours, by_picture)
    for work in work_of(experiment):
        on_card = None if tflop is None or not work.passes else work.passes * tflop / 3
        basis = work.basis if on_card is None else f"{work.basis}; forward, a third of a training's TFLOP"
        yield _Row(work.kind, "", work.rooms, on_card, work.seconds / HOUR_S, basis)


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def _probes(experiment: Experiment) -> Work:
    """Return what probes of every network take, with every share of the labels."""
    labelled, scored, preset = experiment.train_rooms, experiment.test_rooms, experiment.study.preset
    features = PRESETS[preset].head_channels if preset in PRESETS else FITTED_FEATURES
    networks = sum(len(starts) for starts in _starts(experiment))
    shuffled = sum(len(starts) > 2 for starts in _starts(experiment))
    fitted = networks * sum(experiment.study.shares) + shuffled * max(experiment.study.shares, default=0)
    voxel_s = FITTED_S * features / FITTED_FEATURES
    rooms = networks * (labelled + scored)
    basis = f"{READ_S} s a room and network, measured; {1000 * voxel_s:.2g} ms a fitted voxel, "
    basis += "measured" if features == FITTED_FEATURES else f"in proportion to {features} features"
    return Work("probes", rooms, READ_S * rooms + voxel_s * experiment.probe.voxels * labelled * fitted, rooms, basis)


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
