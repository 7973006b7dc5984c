"""OccScanNet (Yu et al., ECCV 2024): a pickle a frame beside its picture and depth, and a list of frames a side.

As the authors' loader reads it (github.com/hongxiaoy/ISO, iso/data/OccScanNet/occscannet_dataset.py): grids are
``[x, y, z]`` in the axes of ``cam_pose``, 255 = unknown; depth in millimetres; ``intrinsic`` for the picture's size.
"""

from itertools import groupby
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa

from pipeline.contract.classes import SemanticClass
from pipeline.contract.errors import SettingsError
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH
from pipeline.store.frames import Frame, FrameReader
from training.data.down_sample import down_sample
from training.data.portable_pickle import portable_pickle
from training.exports.chosen import ExportPiece, by_clip
from training.exports.encoded import as_jpeg, depth_png

GRIDS, PICTURES = "gathered_data", "posed_images"
LISTS = {"train": "train_subscenes.txt", "validation": "val_subscenes.txt"}
NAMES = "scenes.txt"
MOST_SPACES, MOST_SCANS = 10_000, 100
"""What names of the form scene0000_00 tell apart: videos, and clips of one video."""

COARSE = 4


class OccScanNet:
    """The format: a video is a space, a clip a scan of it."""

    def pieces(self, rows: pa.Table) -> list[ExportPiece]:
        """Return two folders for every clip, pictures and then grids; raises ``SettingsError`` for too many of them."""
        named = _named(rows)
        return [
            ExportPiece(f"{kind}/{name}", piece.rows) for name, piece in named.items() for kind in (PICTURES, GRIDS)
        ]

    def write(self, piece: ExportPiece, reader: FrameReader, draft: Path) -> None:
        """Write one folder of a clip."""
        kind, _, scan = piece.path.partition("/")
        draft.mkdir()
        for frame in piece.frames(reader):
            stem = f"{frame.row:05d}"
            if kind == GRIDS:
                (draft / f"{stem}.pkl").write_bytes(_pickle(frame, f"{PICTURES}/{scan}/{stem}"))
                continue
            shape = (FRAME_WIDTH, FRAME_HEIGHT)
            depth = cv2.resize(frame.depth.astype(np.float32), shape, interpolation=cv2.INTER_NEAREST_EXACT)
            (draft / f"{stem}.jpg").write_bytes(as_jpeg(frame.picture))
            (draft / f"{stem}.png").write_bytes(depth_png(np.asarray(depth, np.float32)))

    def texts(self, rows: pa.Table) -> dict[str, str]:
        """Return the list of every side, which its loaders read, and which scan is which clip."""
        named = _named(rows)
        found = {LISTS[split]: list[str]() for split in sorted(rows["split"].unique().to_pylist())}
        found[NAMES] = [f"{name} {piece.path}\n" for name, piece in named.items()]
        for name, piece in named.items():
            for split, row in zip(piece.rows["split"].to_pylist(), piece.rows["row"].to_pylist(), strict=True):
                found[LISTS[split]].append(f"{GRIDS}/{name}/{row:05d}.pkl\n")
        return {name: "".join(lines) for name, lines in found.items()}


def _named(rows: pa.Table) -> dict[str, ExportPiece]:
    """Return the clips by the name of their scan, numbered in the order of the index."""
    clips = by_clip(rows)
    found = dict[str, ExportPiece]()
    for space, (video_id, of_video) in enumerate(groupby(clips, key=lambda piece: piece.rows["video_id"][0].as_py())):
        for scan, piece in enumerate(of_video):
            if space >= MOST_SPACES or scan >= MOST_SCANS:
                message = (
                    f"OccScanNet's names tell {MOST_SPACES} videos and {MOST_SCANS} clips of each apart, and "
                    f"{video_id} is one more: export parts into folders of their own, with --filter"
                )
                raise SettingsError(message)
            found[f"scene{space:04d}_{scan:02d}"] = piece
    return found


def _pickle(frame: Frame, stem: str) -> bytes:
    """Return what the loaders unpickle: paths below the export, camera, and grids of 8 and 32 cm.

    Voxels without a name are unknown there: the benchmark has no id for them.
    """
    grid, intrinsics = frame.grid, np.eye(4)
    intrinsics[:3, :3] = frame.camera.intrinsics
    intrinsics[:2, 2] -= 0.5  # its pixel centres lie at integers
    labels = np.where(grid.labels == SemanticClass.UNNAMED, np.uint8(SemanticClass.UNKNOWN), grid.labels)
    return portable_pickle(
        {
            "img": f"{stem}.jpg",
            "depth_gt": f"{stem}.png",
            "intrinsic": intrinsics,
            "cam_pose": grid.grid_from_world.astype(np.float64) @ frame.camera.camera_to_world,
            "voxel_origin": grid.origin.astype(np.float64),
            "target_1_4": labels,
            "target_1_16": down_sample(labels, COARSE),
        }
    )
