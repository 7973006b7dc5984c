"""OccScanNet (Yu et al., ECCV 2024): ``gathered_data/<scan>/<frame>.pkl`` beside ``posed_images/<scan>/<frame>``.

A pickle holds ``intrinsic`` for the picture's own size, ``cam_pose`` camera to world, ``voxel_origin`` and
``target_1_4`` (60, 60, 36). Whether its first two axes are (x, y) or (y, x) is disputed among the projects that use it,
so every grid is compared with its depth map, and refused where neither order fits.
"""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.camera import pointmap
from pipeline.contract.classes import SemanticClass
from pipeline.contract.grid import GRID_SHAPE, voxel_index
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH
from training.data.content import FileContents
from training.data.pictures import read_depth_png, read_picture
from training.data.safe_pickle import array_of, labels_of, read_arrays
from training.data.sample import PICTURE_SHAPE, Sample
from training.errors import BrokenBenchmark, UnusableDataset, WrongAxes

OccScanNetSplit = Literal["train", "test"]
LISTS = {"train": "train_subscenes.txt", "test": "val_subscenes.txt"}
LINE = re.compile(r"gathered_data/(scene(\d{4})_\d{2})/(\d{1,6})\.pkl")
TEST_SHARE = 0.3
"""Share of the spaces in the test split by space; the official lists have 30 % of the frames there."""
LEAST_FIT = 0.5
"""Share of the depth map's points inside the grid that must fall on or beside occupied voxels."""


class OccScanNetFrames:
    """The frames of one split.

    folder: the one with ``gathered_data``, ``posed_images`` and the two lists.
    by: ``official`` takes the published lists, in which every scan is on both sides: figures on them measure memory
    too. ``by_space`` puts every space, with all its scans, on one side.
    unknown: ``ignore`` leaves 255 out of loss and metric; ``empty`` counts it as empty, as ISO's own loader does.
    """

    def __init__(
        self,
        folder: Path,
        split: OccScanNetSplit,
        by: Literal["official", "by_space"] = "by_space",
        unknown: Literal["ignore", "empty"] = "ignore",
    ) -> None:
        """List the split's frames; raises ``BrokenBenchmark`` or ``UnusableDataset`` where there are none."""
        self.folder, self.unknown = folder, unknown
        sides = (split,) if by == "official" else tuple(LISTS)
        listed = [entry for side in sides for entry in _listed(folder / LISTS[side])]
        self.frames = listed if by == "official" else _of_spaces(listed, split)
        if not self.frames:
            message = f"{folder}: no space of its lists falls into the {split} split"
            raise UnusableDataset(message)
        self.names = tuple(f"{scan}/{frame}" for scan, frame in self.frames)
        self.origin = f"OccScanNet {split} of {folder}, split {by}, unknown voxels: {unknown}"
        self._contents = FileContents(f"occscannet, unknown voxels: {unknown}")

    def __len__(self) -> int:
        """Return the number of frames."""
        return len(self.frames)

    def content(self, index: int) -> str:
        """Return the digest of a frame's files, as 64 hexadecimal digits; raises ``BrokenBenchmark`` without them."""
        return self._contents.of(self.names[index], self._files(index))

    def _files(self, index: int) -> tuple[Path, Path, Path]:
        """Return where grid, picture and depth map of a frame lie."""
        scan, frame = self.frames[index]
        posed = self.folder / "posed_images" / scan
        return self.folder / "gathered_data" / scan / f"{frame}.pkl", posed / f"{frame}.jpg", posed / f"{frame}.png"

    def __getitem__(self, index: int) -> Sample:
        """Return a frame; raises ``WrongAxes`` where its grid fits its depth map under neither order of axes."""
        path, picture, depth_map = self._files(index)
        content = read_arrays(path)
        rgb, size = read_picture(picture, any_size=True)
        millimetres = read_depth_png(depth_map, any_size=True)
        depth = np.asarray(millimetres / 1000, np.float32)
        intrinsics = _intrinsics(content, size, path)
        camera_to_world = array_of(content, "cam_pose", (4, 4), path).astype(np.float32)
        origin = array_of(content, "voxel_origin", (3,), path).astype(np.float32)
        stored = labels_of(content, "target_1_4", GRID_SHAPE, path)
        labels = in_world_axes(stored, pointmap(depth, intrinsics, camera_to_world)[depth > 0], origin, path.name)
        if self.unknown == "empty":
            labels = np.where(labels == SemanticClass.UNKNOWN, SemanticClass.EMPTY, labels).astype(np.uint8)
        regions = np.zeros(PICTURE_SHAPE, np.int32)
        return Sample(self.names[index], rgb, depth, regions, intrinsics, camera_to_world, labels, origin).check()


def in_world_axes(
    stored: NDArray[np.uint8], points: NDArray[np.float64], origin: NDArray[np.float32], name: str
) -> NDArray[np.uint8]:
    """Return a grid (60, 60, 36) as [x, y, z], by which of [x, y, z] and [y, x, z] the depth map's points fit better.

    points: (n, 3), metres, world. The fit is ``surface_fit``.

    Raises:
        WrongAxes: neither order fits, or there are no points inside the grid to tell by.
    """
    orders = (stored, stored.transpose(1, 0, 2))
    fits = [surface_fit(labels, points, origin) for labels in orders]
    if max(fits) < LEAST_FIT:
        message = (
            f"{name}: only {fits[0]:.0%} of the depth map's points lie on occupied voxels with axes (x, y, z) and "
            f"{fits[1]:.0%} with (y, x, z): grid, camera and depth do not belong together. Leave the frame out"
        )
        raise WrongAxes(message)
    return np.ascontiguousarray(orders[int(np.argmax(fits))])


def surface_fit(labels: NDArray[np.uint8], points: NDArray[np.float64], origin: NDArray[np.float32]) -> float:
    """Return the share of points (n, 3) inside the grid that lie in an occupied voxel or beside one; 0 without any."""
    index = voxel_index(points, origin)
    index = index[((index >= 0) & (index < GRID_SHAPE)).all(axis=1)]
    occupied = (labels != SemanticClass.EMPTY) & (labels != SemanticClass.UNKNOWN)
    return float(_dilated(occupied)[tuple(index.T)].mean()) if len(index) else 0.0


def _dilated(occupied: NDArray[np.bool_]) -> NDArray[np.bool_]:
    near = occupied.copy()
    for axis in range(3):
        ahead, behind = (tuple(s if a == axis else slice(None) for a in range(3)) for s in (np.s_[1:], np.s_[:-1]))
        near[ahead] |= occupied[behind]
        near[behind] |= occupied[ahead]
    return near


def _listed(path: Path) -> list[tuple[str, str]]:
    try:
        lines = path.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        message = f"the list {path} cannot be read ({error}); OccScanNet ships it beside gathered_data"
        raise BrokenBenchmark(message) from error
    found = [LINE.fullmatch(line) for line in lines]
    if None in found or not found:
        strange = next((line for line, match in zip(lines, found, strict=True) if match is None), "an empty file")
        message = f"{path.name}: {strange[:80]!r} is not of the form gathered_data/scene0000_00/00004.pkl"
        raise BrokenBenchmark(message)
    return [(match[1], match[3]) for match in found if match]


def _of_spaces(frames: Sequence[tuple[str, str]], split: OccScanNetSplit) -> list[tuple[str, str]]:
    """Keep the frames of the spaces of one side: scene0007_00 and scene0007_02 film one space."""

    def is_test(scan: str) -> bool:
        draw = int.from_bytes(hashlib.sha256(scan[: len("scene0000")].encode()).digest()[:8], "big") / 2**64
        return draw < TEST_SHARE

    return sorted({entry for entry in frames if is_test(entry[0]) == (split == "test")})


def _intrinsics(content: dict[str, object], size: tuple[int, int], path: Path) -> NDArray[np.float32]:
    """Scale the intrinsics of a picture of ``size`` (h, w) to 640x480, and shift to pixel centres at + 0.5."""
    given = np.asarray(content.get("intrinsic"))
    if given.ndim != 2 or min(given.shape) < 3 or given.dtype.kind not in "fiu":
        message = f"{path.name}: 'intrinsic' is no matrix of at least 3 x 3"
        raise BrokenBenchmark(message)
    scaled = given[:3, :3].astype(np.float64)
    scaled[:2, 2] += 0.5
    scale = np.array([FRAME_WIDTH / size[1], FRAME_HEIGHT / size[0], 1.0])
    return np.asarray(scaled * scale[:, None], np.float32)
