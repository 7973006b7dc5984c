"""Where a language head loses names: in what it is taught, in the features it reads, or in how it learns.

Every rung reads the same voxels of visible regions and is judged by the name that its target comes closest to. Rungs
are solved to the optimum, on all videos but one, and asked about that one, in turn.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from models.symphonies import Symphonies
from pipeline.contract.classes import OCCUPIED_CLASSES
from pipeline.contract.language import text_side
from pipeline.contract.overlap import OverlapCounts, overlap
from pipeline.contract.progress import Progress, named, silent
from pipeline.contract.vocabulary import default_vocabulary
from pipeline.store.store import Store
from training.checkpoints import networks_of
from training.data import StoredFrames, collate
from training.errors import UnusableDataset
from training.language.embeddings import SpokenFrames
from training.language.task import taught_voxels
from training.language.words import ClassWords, check_text_side, class_words, weights_named
from training.probes.regression import fit
from training.probes.voxels import house_of
from training.tasks.regions import pixel_voxels
from training.tasks.supervise import views_of

RIDGE = 1e-3
HIDDEN = 512
"""Random rectified features, which stand for the hidden layer of a head without an optimiser's noise."""


class LostNamesSettings(BaseModel):
    """Which voxels are read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    every: int = Field(1, ge=1, description="of the dataset's frames every n-th is read; neighbours are much alike")
    voxels: int = Field(300, ge=1, description="taught voxels of a frame that are drawn")


@dataclass(frozen=True)
class SpokenVoxels:
    """Voxels that regions teach.

    features: (n, D) float32, what a network's head reads. targets: (n, E) float32, what they are to say.
    videos: (n,) names of theirs.
    """

    features: NDArray[np.float32]
    targets: NDArray[np.float32]
    videos: NDArray[np.str_]


def run_lost_names(
    settings: LostNamesSettings, networks: Sequence[Path], store: Store, weights: str | None, progress: Progress
) -> str:
    """Return a table a network of what every rung names.

    networks: their folders, or none for one of random values. weights: whose words; by default those of the embeddings.

    Raises:
        UnusableDataset: there is no dataset, or it is of one video.
        NoEmbeddings, OtherWeights: its regions have none, or those of different or unknown weights.
        WrongCheckpoint: a folder holds no finished network.
    """
    found = networks_of(networks)
    frames = SpokenFrames(StoredFrames(store, "all", every=settings.every))
    check_videos(list(frames.frames.rows.videos))
    text = text_side(weights or weights_named(frames.weights, "the dataset's embeddings"))
    check_text_side(text, frames.weights, "the dataset")
    words = class_words(text, default_vocabulary())
    tables = []
    for name, network in found.items():
        voxels = spoken_voxels(network, frames, settings.voxels, named(progress, name))
        tables.append(f"{name}: {len(voxels.videos)} voxels of {frames.origin}\n\n{rung_table(rungs(voxels, words))}")
    return "\n\n".join(tables)


@torch.inference_mode()
def spoken_voxels(network: Symphonies, frames: SpokenFrames, most: int, progress: Progress = silent) -> SpokenVoxels:
    """Return at most ``most`` taught voxels of every frame, drawn by the frame's number."""
    features, targets, videos = [], [], []
    network = network.eval()
    for index in range(len(frames)):
        sample, embeddings = frames[index]
        views = views_of(collate([sample]))
        regions = torch.from_numpy(sample.regions.astype(np.int64))
        taught = taught_voxels(pixel_voxels(views)[0], regions, embeddings.float())
        order = np.random.default_rng(index).permutation(len(taught.voxels))[:most]
        grid = network.features(views)[-1][0].flatten(1).float()
        features.append(grid[:, taught.voxels[order]].T.numpy())
        targets.append(taught.targets[order].numpy())
        videos += [house_of(frames.names[index])] * len(order)
        progress("voxels", index + 1, len(frames))
    return SpokenVoxels(np.concatenate(features), np.concatenate(targets), np.array(videos))


def rungs(voxels: SpokenVoxels, words: ClassWords) -> dict[str, OverlapCounts]:
    """Return what each rung names, counted against the names of the targets, summed over held-out videos.

    Raises:
        UnusableDataset: there is but one video, so that none can be held out.
    """
    videos = np.unique(voxels.videos).tolist()
    check_videos(videos)
    names = words.best(voxels.targets @ words.vectors.T)
    total: dict[str, OverlapCounts] = {}
    for video in videos:
        held = voxels.videos == video
        for rung, said in _said(voxels, names, held, words):
            total[rung] = total.get(rung, OverlapCounts.nothing()) + overlap(said, names[held])
    return total


def check_videos(videos: Sequence[str]) -> None:
    """Raise ``UnusableDataset`` where none can be held out."""
    if len(videos) < 2:
        raise UnusableDataset(f"all voxels are of {videos[0]}, so that no video can be held out: take more")


def rung_table(counts: Mapping[str, OverlapCounts]) -> str:
    """Return the voxels of every class and its IoU, in points, by rung as Markdown."""
    classes = [label.name.lower() for label in OCCUPIED_CLASSES]
    lines = ["| rung | " + " | ".join(classes) + " | mean |", "|---" * (len(classes) + 2) + "|"]
    true = next(iter(counts.values())).true
    lines.append("| voxels with that target | " + " | ".join(str(true[label]) for label in OCCUPIED_CLASSES) + " | |")
    for rung, found in counts.items():
        cells = [*found.class_iou[[int(label) for label in OCCUPIED_CLASSES]].tolist(), found.miou]
        lines.append(f"| {rung} | " + " | ".join(f"{100 * cell:.1f}" for cell in cells) + " |")
    return "\n".join(lines)


def _said(
    voxels: SpokenVoxels, names: NDArray[np.uint8], held: NDArray[np.bool_], words: ClassWords
) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Yield what each rung, learned from the voxels that are not held out, says of those that are."""
    learned = ~held
    plain = _standardised(voxels.features, learned)
    readers = {"linear": plain, "one hidden layer": _rectified(plain)}
    rare = 1 / np.bincount(names[learned], minlength=256)[names[learned]]
    for called, weights in (("voxels alike", np.ones(len(rare))), ("classes alike", rare)):
        for reader, rows in readers.items():
            solved = _least_squares(rows[learned], voxels.targets[learned], weights)
            said = (_with_one(rows[held]) @ solved).astype(np.float32)
            yield f"direction, {reader}, {called}", words.best(said @ words.vectors.T)
        found = fit(plain[learned], names[learned], RIDGE, importance=weights)
        yield f"name, linear, {called}", found.predict(plain[held])


def _standardised(features: NDArray[np.float32], learned: NDArray[np.bool_]) -> NDArray[np.float64]:
    rows = features.astype(np.float64)
    return np.asarray((rows - rows[learned].mean(axis=0)) / np.maximum(rows[learned].std(axis=0), 1e-9), np.float64)


def _rectified(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    rng = np.random.default_rng(0)
    directions = rng.standard_normal((rows.shape[1] + 1, HIDDEN)) / rows.shape[1] ** 0.5
    return np.asarray(np.maximum(_with_one(rows) @ directions, 0), np.float64)


def _least_squares(
    rows: NDArray[np.float64], targets: NDArray[np.float32], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the map (D + 1, E) with the least weighted squares and a ridge: for unit targets, the best cosines."""
    x, counted = _with_one(rows), weights / weights.sum()
    gram = (x * counted[:, None]).T @ x + RIDGE * np.diag(np.r_[np.ones(rows.shape[1]), 0.0])
    return np.asarray(np.linalg.solve(gram, (x * counted[:, None]).T @ targets.astype(np.float64)), np.float64)


def _with_one(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.hstack([rows, np.ones((len(rows), 1))])
