"""Where networks of an experiment start: random values, distilled ones, and controls that must gain nothing; probed."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import torch

from models.atomic import draft
from models.symphonies import Symphonies
from pipeline.contract.progress import Progress, named
from training.checkpoints import load_network, new_network
from training.data import Frames, StoredFrames, fraction
from training.paper_preset import begin_encoder
from training.probes.run import ProbeSettings, probe, rows_of, score
from training.probes.scores import ProbeScore
from training.probes.voxels import VoxelRows
from training.runs import pretrain
from training.studies.experiment_settings import Experiment
from training.studies.rooms import alone
from training.tasks.losses import CLASSES
from training.teachers.controls import RandomFeatures
from training.teachers.features import FeatureSource, store_features
from training.teachers.load import load_teacher

RANDOM, DISTILLED, SHUFFLED_LABELS = "random", "distilled", "shuffled_labels"
"""The starts that are compared; and the distilled one, probed with labels shuffled among voxels."""

Starts = Mapping[str, Path | None]
"""Folders of pre-trained networks by name, None for random values."""


def starts_of(
    experiment: Experiment, seed: int, frames: StoredFrames, folder: Path, progress: Progress
) -> dict[str, Path | None]:
    """Pre-train what a seed needs, each network from start values of that seed; what is done is not done again."""
    teacher = load_teacher(experiment.teacher, experiment.weights)
    features = store_features(frames, teacher, progress)
    with_controls = seed in experiment.study.seeds[: experiment.control_seeds]
    found: dict[str, Path | None] = {RANDOM: None}
    for start in (DISTILLED, *(experiment.controls if with_controls else ())):
        place, name = folder / "distilled" / f"{start}-{seed}", f"{start} {seed}"
        taught: FeatureSource = RandomFeatures(features, seed) if start == "random_teacher" else features
        pairs = "shuffled" if start == "shuffled_regions" else experiment.distill.pairs
        loop = experiment.distill.loop.model_copy(update={"seed": seed})
        settings = experiment.distill.model_copy(update={"loop": loop, "pairs": pairs})
        with alone(place):
            pretrain(frames, taught, teacher.width, experiment.study.preset, settings, place, named(progress, name))
        found[start] = place
    return found


def probed(
    experiment: Experiment,
    seed: int,
    starts: Starts,
    sides: tuple[Frames, Frames],
    folder: Path,
    progress: Progress,
    echo: Callable[[str], None],
) -> list[ProbeScore]:
    """Probe every start of a seed with every share of the labels; what was probed before is read from ``folder``."""
    scores = []
    for found in _of_seed(experiment, seed, starts, sides, folder, progress):
        scores.append(found)
        echo(f"probe, {found.start}, {found.rooms} rooms, seed {seed}: mIoU {100 * found.miou:.2f}")
    return scores


def _of_seed(
    experiment: Experiment, seed: int, starts: Starts, sides: tuple[Frames, Frames], folder: Path, progress: Progress
) -> Iterator[ProbeScore]:
    settings, study, labelled = experiment.probe, experiment.study, sides[0]
    shares = {share: fraction(labelled, share, seed).names for share in study.shares}
    for start, place in starts.items():
        network = _network(place, study.preset, seed, experiment.distill.image_weights)
        train, test = rows_of(network, sides, settings, folder / "voxels", named(progress, f"{start} {seed}"))
        for names in shares.values():
            yield _score(start, seed, train.of(names), test, settings, folder / "probes")
        if start == DISTILLED and len(starts) > 2:
            labels = train.of(shares[max(shares)]).shuffled(seed)
            yield _score(SHUFFLED_LABELS, seed, labels, test, settings, folder / "probes")


def _score(
    start: str, seed: int, train: VoxelRows, test: VoxelRows, settings: ProbeSettings, folder: Path
) -> ProbeScore:
    """Probe some rows, unless a file named by all that the answer depends on holds it."""
    rooms = len(np.unique(train.rooms))
    arrays = (train.features, train.labels, train.houses, test.features, test.labels, test.houses)
    digest = hashlib.sha256(settings.model_dump_json().encode())
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    kept = folder / f"{start}-{rooms}-{seed}-{digest.hexdigest()[:16]}.json"
    if kept.exists():
        return ProbeScore.model_validate_json(kept.read_text())
    found = score(start, seed, rooms, probe(train, settings), test)
    folder.mkdir(parents=True, exist_ok=True)
    with draft(kept) as written:
        written.write_text(found.model_dump_json())
    return found


def _network(place: Path | None, preset: str, seed: int, image_weights: str | None) -> Symphonies:
    """Return a pre-trained network, or one of the random values that pre-training with this seed starts from."""
    if place is not None:
        return load_network(place)
    torch.manual_seed(seed)
    network = new_network(preset, CLASSES)
    begin_encoder(network, image_weights)
    return network
