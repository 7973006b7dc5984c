"""NYUv2 for semantic scene completion, from SSCNet's own files: ``depthbin/NYUtrain`` and ``depthbin/NYUtest``."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from training.data.content import FileContents
from training.data.down_sample import down_sample
from training.data.nyu_format import FINE_FACTOR, INTRINSICS, NyuScene, metres_of, read_bin
from training.data.pictures import read_depth_png, read_picture
from training.data.sample import PICTURE_SHAPE, Sample
from training.errors import BrokenBenchmark

NyuSplit = Literal["train", "test"]


class NyuRooms:
    """The rooms of one split; the split is the folder, as every loader of the field has it.

    folder: ``depthbin``, which holds ``NYUtrain`` (795 items) and ``NYUtest`` (654 items).
    """

    def __init__(self, folder: Path, split: NyuSplit) -> None:
        """List the split's rooms; raises ``BrokenBenchmark`` where there are none."""
        self.folder = folder / f"NYU{split}"
        self.names = room_names(self.folder, "*.bin")
        self.origin = f"NYUv2 {split} of {folder}"
        self._contents = FileContents("nyu")

    def __len__(self) -> int:
        """Return the number of rooms."""
        return len(self.names)

    def content(self, index: int) -> str:
        """Return the digest of a room's files, as 64 hexadecimal digits; raises ``BrokenBenchmark`` without them."""
        name = self.names[index]
        return self._contents.of(name, (self.folder / f"{name}.bin", *picture_files(self.folder, name)))

    def __getitem__(self, index: int) -> Sample:
        """Return a room."""
        name = self.names[index]
        fine = read_bin(self.folder / f"{name}.bin")
        return room(self.folder, name, replace(fine, labels=down_sample(fine.labels, FINE_FACTOR)))


def picture_files(pictures: Path, name: str) -> tuple[Path, Path]:
    """Return where the picture and the depth map of a room lie."""
    return pictures / f"{name}_color.jpg", pictures / f"{name}.png"


def room(pictures: Path, name: str, scene: NyuScene) -> Sample:
    """Return the room of a grid of 8 cm, with its picture and depth map from a folder.

    Raises:
        BrokenBenchmark: a file does not read, or holds what no room has.
    """
    picture, depth = picture_files(pictures, name)
    return Sample(
        name=name,
        rgb=read_picture(picture)[0],
        depth=metres_of(read_depth_png(depth)),
        regions=np.zeros(PICTURE_SHAPE, np.int32),
        intrinsics=INTRINSICS,
        camera_to_world=scene.camera_to_world,
        labels=scene.labels,
        origin=scene.origin,
    ).check()


def room_names(folder: Path, pattern: str) -> tuple[str, ...]:
    """Return the sorted names, without suffix, of the files of a folder.

    Raises:
        BrokenBenchmark: there is no such folder, or no such file in it.
    """
    names = tuple(sorted(path.stem for path in folder.glob(pattern)))
    if not names:
        message = f"{folder} holds no {pattern}: unpack the benchmark there, or name the folder above it"
        raise BrokenBenchmark(message)
    return names
