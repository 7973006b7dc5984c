"""Writes samples in the layouts of the benchmarks, so that other projects' own loaders read them.

``export_monoscene`` writes what MonoScene, ISO and Symphonies read as NYUv2: ``depthbin/NYU{train,test}`` as SSCNet
ships it and ``base/NYU{train,test}`` as MonoScene preprocesses it. Those loaders have NYUv2's camera built in, so
pictures and depth maps are resampled to it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.atomic import draft
from pipeline.contract.classes import SemanticClass
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH
from training.data.down_sample import down_sample
from training.data.nyu import NyuSplit
from training.data.nyu_format import INTRINSICS, NyuScene, finer, stored_of, write_bin
from training.data.pictures import write_picture
from training.data.portable_pickle import portable_pickle
from training.data.sample import Frames, Sample
from training.errors import UnusableDataset

MONOSCENE_COARSE = 4
MARK = "made-by-youtube-occ"


def export_monoscene(frames: Frames, folder: Path, split: NyuSplit) -> Iterator[str]:
    """Write frame after frame into ``folder/depthbin`` and ``folder/base``; yields the name of each when it is there.

    Frames are called NYU0001_0000 and so on; ``folder/NYU{split}.txt`` says which is which. Running it again goes on
    where it was cut off, or begins anew where the frames are others.

    Raises:
        UnusableDataset: the folder holds such rooms that are not of an export, as the original data set does.
    """
    _mark_own(folder, split)
    _begin(frames, folder, split)
    names = []
    for index, sample_name in enumerate(frames.names):
        name = f"NYU{index + 1:04d}_0000"
        if not (folder / "base" / f"NYU{split}" / f"{name}.pkl").exists():
            write_room(with_nyu_camera(frames[index]), folder, split, name)
        names.append(f"{name} {sample_name}\n")
        yield name
    (folder / f"NYU{split}.txt").write_text("".join(names))


def _mark_own(folder: Path, split: NyuSplit) -> None:
    """Mark a folder as that of an export, unless there are rooms in it that none has written."""
    listed = folder / f"NYU{split}.txt"
    own = (folder / MARK).exists() or (listed.exists() and listed.read_text().startswith("NYU0001_0000 "))
    strange = [made for layout in ("depthbin", "base") if (made := folder / layout / f"NYU{split}").exists()]
    if strange and not own:
        raise UnusableDataset(f"{strange[0]} holds rooms that no export has written: name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).touch()


def _begin(frames: Frames, folder: Path, split: NyuSplit) -> None:
    """Note which frames a folder is of; what it holds of others loses its pickles, by which a room counts as there."""
    noted, said = folder / f"{MARK}-{split}", f"{frames.origin}\n{len(frames)} frames\n"
    if noted.exists() and noted.read_text(encoding="utf-8") == said:
        return
    for path in (folder / "base" / f"NYU{split}").glob("NYU*_0000.pkl"):
        path.unlink()
    with draft(noted) as part:
        part.write_text(said, encoding="utf-8")


def write_room(sample: Sample, folder: Path, split: NyuSplit, name: str) -> None:
    """Write one room, which must have NYUv2's camera, in both layouts; its pickle, whole or not at all, comes last.

    Voxels without a name are unknown there: the benchmark has no id for them, and its loaders would fail on one.
    """
    named = np.where(sample.labels == SemanticClass.UNNAMED, np.uint8(SemanticClass.UNKNOWN), sample.labels)
    pictures, grids = folder / "depthbin" / f"NYU{split}", folder / "base" / f"NYU{split}"
    for made in (pictures, grids):
        made.mkdir(parents=True, exist_ok=True)
    write_picture(pictures / f"{name}_color.jpg", sample.rgb)
    write_picture(pictures / f"{name}.png", stored_of(sample.depth))
    write_bin(pictures / f"{name}.bin", NyuScene(sample.origin, sample.camera_to_world, finer(named)))
    content = {
        "cam_pose": sample.camera_to_world.astype(np.float64),
        "voxel_origin": sample.origin.astype(np.float64),
        "name": name,
        "target_1_4": _stored_order(named),
        "target_1_16": _stored_order(down_sample(named, MONOSCENE_COARSE)),
    }
    with draft(grids / f"{name}.pkl") as part:
        part.write_bytes(portable_pickle(content))


def with_nyu_camera(sample: Sample) -> Sample:
    """Return the sample as NYUv2's camera would have seen it; what its picture does not show is black, without depth.

    Depth and regions are taken from the nearest pixel. The grid stays as it is.
    """
    if np.allclose(sample.intrinsics, INTRINSICS, atol=1e-2):
        return sample
    matrix = (INTRINSICS.astype(np.float64) @ np.linalg.inv(sample.intrinsics.astype(np.float64)))[:2]
    matrix[:, 2] += 0.5 * (matrix[:, 0] + matrix[:, 1]) - 0.5  # OpenCV's pixel centres lie at integers
    return Sample(
        name=sample.name,
        rgb=_warped(sample.rgb, matrix, cv2.INTER_LINEAR),
        depth=_warped(sample.depth, matrix, cv2.INTER_NEAREST),
        regions=_warped(sample.regions.astype(np.float32), matrix, cv2.INTER_NEAREST).astype(np.int32),
        intrinsics=INTRINSICS,
        camera_to_world=sample.camera_to_world,
        labels=sample.labels,
        origin=sample.origin,
    )


def _stored_order(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(labels.transpose(0, 2, 1))


def _warped(array: NDArray[Any], matrix: NDArray[np.float64], flags: int) -> NDArray[Any]:
    return np.asarray(cv2.warpAffine(array, matrix, (FRAME_WIDTH, FRAME_HEIGHT), flags=flags), array.dtype)
