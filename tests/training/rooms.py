"""An analytic room as samples: exact pictures of labels, depth maps and grids, in no time."""

from functools import cache
from pathlib import Path

import numpy as np

from pipeline.contract.classes import palette
from pipeline.dataset.index import build_dataset
from pipeline.geometry.voxels import voxelize_frame
from pipeline.settings import DatasetSettings
from pipeline.store.store import Store
from tests.pipeline.box_room import INTRINSICS, film, looking
from tests.pipeline.stored_room import ROOM, store_room
from training.data import Sample, StoredFrames


class RoomFrames:
    """Frames of the analytic room from cameras drawn by seed; regions are its surfaces and pieces of furniture."""

    def __init__(self, count: int = 4, seed: int = 0) -> None:
        self.names = tuple(f"room/{seed}-{i}" for i in range(count))
        self.origin = f"analytic room, seed {seed}"
        self._samples = tuple(_sample(name, seed, i) for i, name in enumerate(self.names))

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> Sample:
        return self._samples[index]


@cache
def _sample(name: str, seed: int, number: int) -> Sample:
    rng = np.random.default_rng((seed, number))
    eye = (float(rng.uniform(1, 2.4)), float(rng.uniform(0.3, 0.6)), float(rng.uniform(1.3, 1.6)))
    camera = looking(eye, (float(rng.uniform(1.2, 2.6)), 3.0, 0.8))
    scene, semantics = film(ROOM, [camera], (480, 640))
    grid = voxelize_frame(scene, semantics, 0)
    noise = rng.integers(-20, 20, (480, 640, 3))
    return Sample(
        name=name,
        rgb=np.clip(palette()[semantics.labels[0]] + noise, 0, 255).astype(np.uint8),
        depth=scene.depth[0],
        regions=semantics.labels[0].astype(np.int32),
        intrinsics=INTRINSICS,
        camera_to_world=(grid.grid_from_world @ camera).astype(np.float32),
        labels=grid.labels,
        origin=grid.origin.astype(np.float32),
    )


def stored_frames(folder: Path) -> StoredFrames:
    """The analytic room as a stored dataset of one video."""
    folder.mkdir(parents=True, exist_ok=True)
    store_room(folder)
    build_dataset(Store(folder), DatasetSettings())
    return StoredFrames(Store(folder), "all")
