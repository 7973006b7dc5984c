"""``make experiment``: rooms, pre-training, probes, label efficiency, zero-shot; what is done is not done again."""

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from pipeline.contract.progress import Progress
from pipeline.store.store import Store
from training.data import Frames, StoredFrames, fraction
from training.errors import UnusableDataset
from training.paper_preset import image_file
from training.probes.run import folds_of
from training.probes.scores import ONE_HOUSE
from training.probes.voxels import house_of
from training.studies.checks import check_experiment
from training.studies.experiment_report import report_of, report_of_probes
from training.studies.experiment_settings import Experiment
from training.studies.figures import FigureFile, StudyFigures, made_with
from training.studies.label_efficiency import label_efficiency, length, plot
from training.studies.power import power_line
from training.studies.rooms import one_side, validation_rooms
from training.studies.starts import Starts, probed, starts_of
from training.studies.taught_labels import zero_shot
from training.teachers.features import check_teacher
from training.teachers.load import load_teacher

Rooms = tuple[Frames, Frames, Frames]
"""To learn from, to stop by, and to score."""


def run(experiment: Experiment, store: Store, folder: Path, progress: Progress, echo: Callable[[str], None]) -> str:
    """Run the experiment on a dataset of rendered tours; returns the report, also as ``report.md`` and ``report.png``.

    They, ``probes.json`` and ``results.json`` hold what is done, and what earlier runs in this folder have told that
    differ in seeds, shares, controls or what is fine-tuned alone. ``figures`` keeps those of other settings apart.

    Raises:
        SettingsError, WrongCheckpoint, NoSuchDevice: as ``check_experiment`` and ``check_teacher``.
        WeightsUnavailable: weights that are neither there nor reachable.
        UnusableDataset: there is no dataset; a video of it is no rendered tour, so that its exact labels are not known;
            a share of the labels that there is not; labelled or scored rooms of one house.
    """
    check_experiment(experiment)
    teacher = load_teacher(experiment.teacher, experiment.weights)  # fetched, or refused, before hours are spent
    for settings in (experiment.distill, experiment.study.finetune):
        image_file(settings.image_weights)
    echo(power_line(len(experiment.study.seeds), experiment.deviation))
    frames = StoredFrames(store, "all", every=experiment.every)
    check_teacher(teacher, frames)
    rooms = _rooms(experiment, folder, progress)
    known = FigureFile(folder, made_with(experiment, frames, *rooms))
    written: StudyFigures | None = None
    report = ""
    for more in _figures(experiment, frames, rooms, folder, progress, echo):
        figures = known.add(more)
        if figures != written:  # a run that goes on is told much that is known
            written, report = figures, _write(experiment, frames, rooms, figures, folder)
    return report


def _rooms(experiment: Experiment, folder: Path, progress: Progress) -> Rooms:
    """Return rooms to learn from, to stop by and to score; those that are not there are rendered.

    Raises:
        UnusableDataset: labelled or scored rooms are all of one house, said as soon as a side is there.
    """
    train = one_side(folder / "benchmark", "train", experiment.train_rooms, progress)
    for seed, share in itertools.product(experiment.study.seeds, experiment.study.shares):
        folds_of(np.array([house_of(name) for name in fraction(train, share, seed).names]), experiment.probe)
    test = one_side(folder / "benchmark", "test", experiment.test_rooms, progress)
    if len({house_of(name) for name in test.names}) < 2:
        raise UnusableDataset(ONE_HOUSE)
    return train, validation_rooms(folder / "validation", experiment.validation_rooms, progress), test


def _figures(
    experiment: Experiment,
    frames: StoredFrames,
    rooms: Rooms,
    folder: Path,
    progress: Progress,
    echo: Callable[[str], None],
) -> Iterator[StudyFigures]:
    """Pre-train and probe seed by seed, then fine-tune, then ask what labels are worth; yield what each has told."""
    train, validation, test = rooms
    starts: dict[int, Starts] = {}
    for seed in experiment.study.seeds:
        starts[seed] = starts_of(experiment, seed, frames, folder, progress)
        yield StudyFigures(probes=tuple(probed(experiment, seed, starts[seed], (train, test), folder, progress, echo)))
    for seed, of_seed in starts.items():
        compared: dict[str, Path | None] = {name: of_seed[name] for name in experiment.finetuned if name in of_seed}
        of_one = experiment.study.model_copy(update={"seeds": (seed,)})
        for result in label_efficiency(of_one, train, test, compared, folder / "finetuned", progress, validation):
            echo(f"{result.start} {result.share:.0%} seed {result.seed}: mIoU {100 * result.figures['miou all']:.2f}")
            yield StudyFigures(results=(result,))
    if experiment.zero_shot:
        relabelled = StoredFrames(frames.store, "all", frames.version, experiment.relabelled_every)
        for kind, found in zero_shot(experiment, relabelled, test, folder, progress):
            yield StudyFigures(zero_shot={kind: found}, relabelled=len(relabelled))


def _write(experiment: Experiment, frames: Frames, rooms: Rooms, figures: StudyFigures, folder: Path) -> str:
    """Write what all figures tell, those of earlier runs with the same settings too; returns the report."""
    train, _, test = rooms
    seeds = sorted({*experiment.study.seeds, *figures.seeds})
    told, zero_shot = heading(experiment, frames, train, test, seeds), (figures.relabelled, figures.zero_shot)
    report = report_of(told, figures.probes, figures.results, zero_shot if figures.zero_shot else None)
    (folder / "probes.json").write_text(json.dumps([score.model_dump() for score in figures.probes]))
    (folder / "probes.md").write_text(report_of_probes(told, figures.probes))
    (folder / "results.json").write_text(json.dumps([result.model_dump() for result in figures.results], indent=1))
    (folder / "report.md").write_text(report)
    if figures.results:
        (folder / "report.png").write_bytes(plot(figures.results))
    return report


def heading(experiment: Experiment, frames: Frames, train: Frames, test: Frames, seeds: Sequence[int]) -> list[str]:
    """Return what was run, in lines."""
    study, distill, finetune = experiment.study, experiment.distill.loop, experiment.study.finetune.loop
    return [
        f"* distilled on: {frames.origin}, {len(frames)} frames, {length(distill)}, a network a seed",
        f"* teacher {experiment.teacher}, weights {experiment.weights}",
        f"* labels: {len(train)} rooms, {length(finetune)}; scored: {len(test)} rooms of other houses",
        f"* preset {study.preset}, seeds {', '.join(map(str, seeds))}",
        f"* fine-tuning: {power_line(len(seeds), experiment.deviation)}",
    ]
