"""Clouds for SpatialLM, which takes them upright (z), in metres, coloured, with walls along x and y.

``python examples/spatiallm_input.py data clouds``, then in a checkout of SpatialLM
``python inference.py --point_cloud clouds --output layouts --model_path manycore-research/SpatialLM-Llama-1B``.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import open3d
import typer

from pipeline.contract.classes import SemanticClass
from pipeline.store.store import Store
from training.exports.run import export_dataset

NEAR_AN_AXIS = np.cos(np.deg2rad(15))


def main(
    data: Annotated[str, typer.Argument(help="Folder or URL of a dataset.")] = "data",
    out: Annotated[Path, typer.Argument(help="Folder for the clouds, one a clip.")] = Path("clouds"),
) -> None:
    """Write the cloud of every clip, and say how large it is and how well its walls lie along the axes."""
    export_dataset(Store(data), out, "ply")
    for path in sorted(out.glob("*.ply")):
        cloud = open3d.t.io.read_point_cloud(str(path))
        width, depth, height = cloud.point.positions.numpy().max(axis=0) - cloud.point.positions.numpy().min(axis=0)
        size = f"{len(cloud.point.positions):,} points, {width:.1f} x {depth:.1f} x {height:.1f} m"
        print(f"{path.name}: {size}; {walls_along_axes(cloud):.0%} of the walls within 15 degrees of x or y")


def walls_along_axes(cloud: open3d.t.geometry.PointCloud) -> float:
    """Return the share of points of walls whose horizontal normal points along x or y."""
    walls = cloud.select_by_mask(cloud.point.label.reshape([-1]) == int(SemanticClass.WALL))
    walls.estimate_normals(max_nn=30, radius=0.1)
    across = walls.point.normals.numpy()[:, :2]
    across = across[np.linalg.norm(across, axis=1) > NEAR_AN_AXIS]
    return float((np.abs(across).max(axis=1) > NEAR_AN_AXIS * np.linalg.norm(across, axis=1)).mean())


if __name__ == "__main__":
    typer.run(main)
