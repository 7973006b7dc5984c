"""What cells can hold: the best that a network could score that decides by cells of several voxels, without training.

Exact grids are pooled: every cell takes what most of its known voxels are. Put back to voxels and compared with the
grids that they came from, they give the IoU of a network that is always right about whole cells. Where a class fills
less than half of its cells, as the floor does, another choice of cells is better: the best one for each class alone is
an upper bound of every network that decides so.

``python -m training.studies.cells data/experiment/benchmark --side test``
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import typer
from numpy.typing import NDArray

from pipeline.contract.classes import OCCUPIED_CLASSES, SemanticClass
from pipeline.contract.grid import VOXEL_SIZE
from pipeline.contract.overlap import IDS, OverlapCounts, overlap
from training.data.sample import Frames, each
from training.errors import BrokenBenchmark
from training.studies.rooms import read_rooms

SIDES = (1, 2, 3, 4)
"""Voxels a side of a cell."""


def in_cells(labels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return a grid (X, Y, Z) whose cells of side x side x side voxels are all what most known voxels of them are.

    Of labels that are as frequent the lower one counts, so that half of a cell is empty; cells that are unknown as a
    whole stay so.

    Raises:
        BrokenBenchmark: the grid is no whole number of cells.
    """
    if any(length % side for length in labels.shape):
        raise BrokenBenchmark(f"a grid of {labels.shape} voxels is no whole number of cells of {side} a side")
    counts = np.stack([_sums(labels == label, side) for label in range(IDS)])
    most = np.where(counts.any(axis=0), counts.argmax(axis=0), SemanticClass.UNKNOWN).astype(np.uint8)
    return _put_back(most, side)


def named_in_cells(labels: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return a grid whose occupied voxels are right, each named by what most occupied voxels of its cell are."""
    is_occupied = (labels != SemanticClass.EMPTY) & (labels != SemanticClass.UNKNOWN)
    names = in_cells(np.where(is_occupied, labels, np.uint8(SemanticClass.UNKNOWN)), side)
    return np.where(is_occupied, names, labels)


def _sums(held: NDArray[np.bool_], side: int) -> NDArray[np.int64]:
    x, y, z = (length // side for length in held.shape)
    return np.asarray(held.reshape(x, side, y, side, z, side).sum(axis=(1, 3, 5)), np.int64)


def _put_back(cells: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    return cells.repeat(side, 0).repeat(side, 1).repeat(side, 2)


class BestChoice:
    """The best IoU of each class alone over all choices of whole cells, gathered grid by grid."""

    def __init__(self, side: int) -> None:
        self._side, self._most = side, side**3 + 1
        self._cells = np.zeros((len(OCCUPIED_CLASSES), self._most * self._most), np.int64)

    def add(self, labels: NDArray[np.uint8]) -> None:
        """Count the cells of a grid by how many voxels of a class they hold, and how many that count for or against."""
        judged = _sums((labels != SemanticClass.UNKNOWN) & (labels != SemanticClass.UNNAMED), self._side)
        for index, label in enumerate(OCCUPIED_CLASSES):
            kinds = _sums(labels == label, self._side) * self._most + judged
            self._cells[index] += np.bincount(kinds.ravel(), minlength=self._cells.shape[1])

    def iou(self) -> NDArray[np.float64]:
        """Return the best IoU (11,) of every class: cells are taken in the order of the share that it has of them."""
        held, judged = np.divmod(np.arange(self._most * self._most), self._most)
        order = np.argsort(-held / np.maximum(judged, 1), kind="stable")
        right, claimed = (np.cumsum((self._cells * count)[:, order], axis=1) for count in (held, judged))
        union = claimed + right[:, -1:] - right
        return np.asarray((right / np.maximum(union, 1)).max(axis=1), np.float64)


@dataclass(frozen=True)
class Held:
    """What cells of a size hold of grids.

    side: of a cell, in voxels. pooled, named: counts of ``in_cells`` and ``named_in_cells`` with the grids.
    best: IoU (11,) of ``BestChoice``.
    """

    side: int
    pooled: OverlapCounts
    named: OverlapCounts
    best: NDArray[np.float64]


def held_by_cells(frames: Frames) -> Iterator[Held]:
    """Yield for every size of cells what they hold of all samples."""
    for side in SIDES:
        pooled = named = OverlapCounts.nothing()
        best = BestChoice(side)
        for sample in each(frames):
            pooled += overlap(in_cells(sample.labels, side), sample.labels)
            named += overlap(named_in_cells(sample.labels, side), sample.labels)
            best.add(sample.labels)
        yield Held(side, pooled, named, best.iou())


def cells_table(frames: Frames) -> str:
    """Return IoU by class and size of cells, in points, as Markdown."""
    lines = ["| cells | IoU | mIoU | " + " | ".join(label.name.lower() for label in OCCUPIED_CLASSES) + " |"]
    lines.append("|---" * (3 + len(OCCUPIED_CLASSES)) + "|")
    classes = list(OCCUPIED_CLASSES)
    for held in held_by_cells(frames):
        rows = {
            "what most of each is": [held.pooled.iou, held.pooled.miou, *held.pooled.class_iou[classes]],
            "best for each class alone": [None, held.best.mean(), *held.best],
            "names alone, occupied voxels given": [held.named.iou, held.named.miou, *held.named.class_iou[classes]],
        }
        for name, figures in rows.items():
            cells = " | ".join("" if figure is None else f"{100 * figure:.1f}" for figure in figures)
            lines.append(f"| {100 * VOXEL_SIZE * held.side:.0f} cm, {name} | {cells} |")
    return "\n".join(lines)


def main(
    rooms: Annotated[Path, typer.Argument(help="Folder of rooms with labels, as an experiment's benchmark.")],
    side: Annotated[Literal["train", "test"], typer.Option(help="Which of its rooms.")] = "test",
) -> None:
    """Print the IoU that cells of 8 to 32 cm could reach at most, by class."""
    frames = read_rooms(rooms, side)
    typer.echo(f"{len(frames)} rooms\n\n{cells_table(frames)}")


if __name__ == "__main__":
    typer.run(main)
