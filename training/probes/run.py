"""Probes of one network: its voxels drawn once, a probe for every number of labelled rooms."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from models.symphonies import Symphonies
from pipeline.contract.progress import Progress, named, silent
from training.data import Frames
from training.errors import UnusableDataset
from training.probes.regression import LinearProbe, chosen
from training.probes.scores import ProbeScore, counted
from training.probes.voxels import VoxelRows, voxel_rows


class ProbeSettings(BaseModel):
    """How networks are probed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    voxels: int = Field(1000, ge=1, description="visible voxels of a room that are drawn, to learn and to score")
    seed: int = Field(0, ge=0, description="of the voxels drawn and of the houses that make a fold")
    folds: int = Field(5, ge=2, description="groups of houses of the cross-validation; no more than there are houses")
    ridges: tuple[float, ...] = Field(
        (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0), min_length=1, description="candidates of the penalty on squared weights"
    )


def rows_of(
    network: Symphonies, sides: Sequence[Frames], settings: ProbeSettings, folder: Path, progress: Progress = silent
) -> list[VoxelRows]:
    """Return the voxels of a network on every side, from ``folder`` where they were drawn before."""
    parts = [named(progress, f"voxels, {side}") for side in ("train", "test")]
    return [
        voxel_rows(network, side, settings.voxels, settings.seed, folder, part)
        for side, part in zip(sides, parts, strict=True)
    ]


def probe(rows: VoxelRows, settings: ProbeSettings, importance: NDArray[np.floating] | None = None) -> LinearProbe:
    """Return the best probe of rows, its ridge chosen by cross-validation over their houses.

    importance: (n,) what rows count; all alike by default.

    Raises:
        UnusableDataset: all rows are of one house, so that none can be held out.
        NotConverged: the optimum was not reached.
    """
    return chosen(rows.features, rows.labels, folds_of(rows.houses, settings), settings.ridges, importance)


def score(start: str, seed: int, rooms: int, found: LinearProbe, test: VoxelRows) -> ProbeScore:
    """Return what a probe of a network gets right on the test side, house by house."""
    houses = counted(found.predict(test.features), test.labels, test.houses)
    return ProbeScore(start=start, rooms=rooms, seed=seed, ridge=found.ridge, houses=houses)


def folds_of(houses: NDArray[np.str_], settings: ProbeSettings) -> NDArray[np.int64]:
    """Return the fold (n,) of every row: whole houses, in an order of their names' digests, dealt out like cards.

    Raises:
        UnusableDataset: there is but one house.
    """
    names, own = np.unique(houses, return_inverse=True)
    if len(names) < 2:
        message = f"all labelled rooms are of the house {names[0]}, so that none can be held out: label others too"
        raise UnusableDataset(message)
    digests = [hashlib.sha256(f"{settings.seed}:{name}".encode()).hexdigest() for name in names.tolist()]
    places = np.empty(len(names), np.int64)
    places[np.argsort(digests)] = np.arange(len(names)) % min(settings.folds, len(names))
    return np.asarray(places[own], np.int64)
