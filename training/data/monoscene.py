"""NYUv2 as MonoScene preprocesses it: ``base/NYU{train,test}/<name>.pkl`` beside SSCNet's pictures and depth maps.

A pickle holds ``cam_pose`` (4, 4) camera to world, ``voxel_origin`` (3,), ``name``, ``target_1_4`` (60, 36, 60) uint8
in the order world x, world z (up), world y, and ``target_1_16`` (15, 9, 15).
"""

from pathlib import Path

import numpy as np

from pipeline.contract.grid import GRID_SHAPE
from training.data.content import FileContents
from training.data.nyu import NyuSplit, picture_files, room, room_names
from training.data.nyu_format import NyuScene
from training.data.safe_pickle import array_of, labels_of, read_arrays
from training.data.sample import Sample

TARGET_SHAPE = (GRID_SHAPE[0], GRID_SHAPE[2], GRID_SHAPE[1])


class MonoSceneRooms:
    """The rooms of one split.

    preprocessed: folder with ``base/NYUtrain`` and ``base/NYUtest``. folder: ``depthbin``, as for ``NyuRooms``.
    """

    def __init__(self, preprocessed: Path, folder: Path, split: NyuSplit) -> None:
        """List the split's rooms; raises ``BrokenBenchmark`` where there are none."""
        self.grids, self.pictures = preprocessed / "base" / f"NYU{split}", folder / f"NYU{split}"
        self.names = room_names(self.grids, "*.pkl")
        self.origin = f"NYUv2 {split} of {preprocessed}"
        self._contents = FileContents("monoscene")

    def __len__(self) -> int:
        """Return the number of rooms."""
        return len(self.names)

    def content(self, index: int) -> str:
        """Return the digest of a room's files, as 64 hexadecimal digits; raises ``BrokenBenchmark`` without them."""
        name = self.names[index]
        return self._contents.of(name, (self.grids / f"{name}.pkl", *picture_files(self.pictures, name)))

    def __getitem__(self, index: int) -> Sample:
        """Return a room."""
        name = self.names[index]
        path = self.grids / f"{name}.pkl"
        content = read_arrays(path)
        scene = NyuScene(
            origin=array_of(content, "voxel_origin", (3,), path).astype(np.float32),
            camera_to_world=array_of(content, "cam_pose", (4, 4), path).astype(np.float32),
            labels=labels_of(content, "target_1_4", TARGET_SHAPE, path).transpose(0, 2, 1),
        )
        return room(self.pictures, name, scene)
