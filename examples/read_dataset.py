"""A dataset in Python: frames one by one, the conventions at work, and batches of tensors for torch.

``python examples/read_dataset.py data``
"""

from typing import Annotated

import numpy as np
import typer
from torch.utils.data import DataLoader

import pipeline
from pipeline.contract.camera import pointmap
from pipeline.contract.classes import SemanticClass
from pipeline.contract.grid import GRID_SHAPE, voxel_index
from training.data.occupancy_dataset import OccupancyDataset


def main(data: Annotated[str, typer.Argument(help="Folder or URL of a dataset.")] = "data") -> None:
    """Read a dataset in three ways."""
    dataset = pipeline.Dataset(data)
    print(f"{len(dataset)} frames; the first is row {dataset[0].row} of {dataset[0].video_id}, {dataset[0].split}")

    shares = [occupied_share(frame) for frame in dataset]
    print(f"{np.mean(shares):.1%} of the points in a grid lie in its occupied voxels")

    batch = next(iter(DataLoader(OccupancyDataset(dataset, ["picture", "grid"]), batch_size=2)))
    print(", ".join(f"{name} {tuple(tensor.shape)}" for name, tensor in batch.items()))


def occupied_share(frame: pipeline.Frame) -> float:
    """Return the share of a frame's own labelled points, of those in its grid, whose voxel is occupied."""
    # From pixels with depth to points in the world: metres, z up, floor at z = 0.
    points = pointmap(frame.depth, *frame.camera)
    points = points[(frame.depth > 0) & (frame.labels != SemanticClass.UNKNOWN)]

    # From the world to the frame's grid, which looks along +y, and to voxels of 8 cm from its corner.
    in_grid = points @ frame.grid.grid_from_world[:3, :3].T + frame.grid.grid_from_world[:3, 3]
    voxels = voxel_index(in_grid, frame.grid.origin)
    voxels = voxels[((voxels >= 0) & (voxels < GRID_SHAPE)).all(axis=1)]

    found = frame.grid.labels[tuple(voxels.T)]
    return float(((found != SemanticClass.EMPTY) & (found != SemanticClass.UNKNOWN)).mean())


if __name__ == "__main__":
    typer.run(main)
