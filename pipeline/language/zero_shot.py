"""Labels every voxel of a dataset by a list of prompts: any vocabulary, and no network over pictures."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Floats
from pipeline.language.index import open_index
from pipeline.language.text import SanText, cosine
from pipeline.language.voxels import ensure_language, language_grid
from pipeline.store.atomic import disk_errors
from pipeline.store.group_writer import GroupWriter
from pipeline.store.groups import FRAMES, SEMANTICS
from pipeline.store.store import Store
from pipeline.store.video import VideoStore

NO_PROMPT = 0
"""Label of voxels into which no region falls; prompt k of the list, from 1, has label k."""


@dataclass(frozen=True)
class PromptCounts:
    """Voxels of all grids that took each prompt: (P,) int64."""

    prompts: tuple[str, ...]
    voxels: NDArray[np.int64]


def label_dataset(
    store: Store, text: SanText, prompts: Sequence[str], out: Path, video_id: str | None = None
) -> PromptCounts:
    """Write ``<out>/<video_id>.zarr`` with ``labels`` (N, 60, 60, 36) uint16 for every video, or the one named.

    A voxel takes the prompt whose cosine with its mean embedding is highest; the prompts are the group's attributes.

    Raises:
        UnusableQuery: a prompt cannot be used or comes twice.
        NoEmbeddings, OtherWeights: as in ``open_index``.
    """
    vectors = text.embed(prompts)
    counts = np.zeros(len(prompts) + 1, np.int64)
    for chosen in open_index(store, text).video_ids(video_id):
        draft, folder = out / f".{chosen}.part", out / f"{chosen}.zarr"
        shutil.rmtree(draft, ignore_errors=True)
        with disk_errors():
            draft.mkdir(parents=True)
            writer = GroupWriter(draft, {"prompts": list(prompts), "weights": dict(text.weights)})
            for labels in zero_shot_labels(store.video(chosen), vectors):
                writer.append("labels", labels[None])
                counts += np.bincount(labels.ravel(), minlength=len(counts))
            writer.close()
            shutil.rmtree(folder, ignore_errors=True)
            draft.replace(folder)
    return PromptCounts(tuple(prompts), counts[1:])


def zero_shot_labels(video: VideoStore, vectors: Floats) -> Iterator[NDArray[np.uint16]]:
    """Yield the labels (60, 60, 36) uint16 of every frame of a video, in the order of its rows; vectors: (P, E)."""
    ensure_language(video)
    for row in range(len(video.read(FRAMES, "clip_id"))):
        grid = language_grid(video, row)
        scores = cosine(video.read(SEMANTICS, "region_embeddings", grid.regions), vectors)
        by_mixture = np.append((grid.shares @ scores).argmax(axis=1) + 1, NO_PROMPT).astype(np.uint16)
        yield by_mixture[grid.voxel]
