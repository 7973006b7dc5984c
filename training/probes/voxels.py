"""What a network says of visible voxels, as rows: some of every room, drawn by seed, kept as float16 numbers."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from models.array_cache import ArrayCache, content_key, tensors_key
from models.device import device_of
from models.symphonies import Symphonies
from pipeline.contract.classes import SemanticClass
from pipeline.contract.progress import Progress, silent
from training.data import Frames, Sample, collate
from training.data.content import sample_content
from training.errors import UnusableDataset, WrongCheckpoint
from training.tasks.supervise import views_of

VERSION = "1"
"""Raised by hand whenever the same network and room would give other rows."""


@dataclass(frozen=True)
class VoxelRows:
    """Rows of voxels.

    features: (n, D) float16. labels: (n,) uint8, 0..11. rooms: (n,) int32, index into ``names``, ascending.
    """

    features: NDArray[np.float16]
    labels: NDArray[np.uint8]
    rooms: NDArray[np.int32]
    names: tuple[str, ...]

    def of(self, names: Sequence[str]) -> "VoxelRows":
        """Return the rows of some rooms.

        Raises:
            UnusableDataset: one of them is not there.
        """
        missing = sorted(set(names) - set(self.names))
        if missing:
            raise UnusableDataset(f"{missing[0]} is none of the {len(self.names)} rooms whose voxels were drawn")
        chosen = np.isin(self.rooms, [self.names.index(name) for name in names])
        return replace(self, features=self.features[chosen], labels=self.labels[chosen], rooms=self.rooms[chosen])

    def shuffled(self, seed: int) -> "VoxelRows":
        """Return the rows with their labels shuffled among all voxels: a control, of which nothing can be learned."""
        return replace(self, labels=np.random.default_rng(seed).permutation(self.labels))

    @property
    def houses(self) -> NDArray[np.str_]:
        """House (n,) of every row."""
        return np.array([house_of(name) for name in self.names])[self.rooms]


def house_of(name: str) -> str:
    """Return the house of a room, or the video of a frame: its name up to the last ``/`` or ``_``."""
    return name[: max(name.rfind("/"), name.rfind("_"))] if "/" in name or "_" in name else name


def voxel_rows(
    network: Symphonies, frames: Frames, voxels: int, seed: int, folder: Path, progress: Progress = silent
) -> VoxelRows:
    """Return rows of at most ``voxels`` visible voxels a room: what the network's head reads there.

    folder: of the cache, which holds a file a network and room, known by what they hold, and may be deleted at any
    time. One room is in memory at a time beside the rows; those of 400 rooms at 1000 voxels and 16 features are 13 MB.

    Raises:
        UnusableDataset: no room, or none shows a voxel that is known.
        WrongCheckpoint: a file of the cache holds features of other weights.
    """
    device = device_of(None)
    network, weights, cache = network.to(device).eval(), tensors_key(network.state_dict().values()), ArrayCache(folder)
    parts, rooms = [], []
    for index, name in enumerate(frames.names):
        key = content_key("probe", VERSION, weights, sample_content(frames, index), f"{voxels} {seed}")
        stored = cache.load(key)
        if stored is None:
            stored = {"weights": np.array(weights), **_rows(network, frames[index], voxels, seed)}
            cache.store(key, stored)
        if str(stored["weights"]) != weights:
            raise WrongCheckpoint(f"{folder} holds features of {name} by other weights: delete it, and ask again")
        parts.append(stored)
        rooms.append(np.full(len(stored["labels"]), index, np.int32))
        progress("voxels", index + 1, len(frames))
    if not sum(map(len, rooms)):
        raise UnusableDataset(f"{frames.origin} shows no voxel whose label is known: look at its grids")
    features, labels = (np.concatenate([part[field] for part in parts]) for field in ("features", "labels"))
    return VoxelRows(features.astype(np.float16), labels.astype(np.uint8), np.concatenate(rooms), tuple(frames.names))


def drawn_voxels(sample: Sample, most: int, seed: int) -> NDArray[np.intp]:
    """Return the flat indices, ascending, of voxels that are visible and have a label; by seed and name alone."""
    labels = sample.labels.ravel()
    there = sample.projection.visible(sample.depth) & (labels < SemanticClass.UNNAMED)
    found = np.flatnonzero(there)
    digest = hashlib.sha256(f"{seed}:{sample.name}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest[:8], "big"))
    return np.sort(rng.choice(found, min(most, len(found)), replace=False))


@torch.inference_mode()
def _rows(network: Symphonies, sample: Sample, voxels: int, seed: int) -> dict[str, NDArray[np.generic]]:
    places = drawn_voxels(sample, voxels, seed)
    views = views_of(collate([sample])).to(next(network.parameters()).device)
    grid = network.features(views)[-1][0].flatten(1)
    features = grid[:, torch.from_numpy(places).to(grid.device)].T.float().cpu().numpy().astype(np.float16)
    return {"features": features, "labels": sample.labels.ravel()[places]}
