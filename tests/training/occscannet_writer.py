"""Writes samples in OccScanNet's layout, with either of the axis orders found in the wild."""

import pickle
from pathlib import Path

import numpy as np

from training.data.down_sample import down_sample
from training.data.pictures import write_picture
from training.data.sample import Frames, each


def write_occscannet(folder: Path, frames: Frames, *, stored_as_yx: bool = False) -> None:
    lines = []
    for number, sample in enumerate(each(frames)):
        scan, frame = f"scene{number:04d}_00", f"{number:05d}"
        for kind in ("gathered_data", "posed_images"):
            (folder / kind / scan).mkdir(parents=True)
        intrinsics = np.eye(4)
        intrinsics[:3, :3] = sample.intrinsics
        intrinsics[:2, 2] -= 0.5
        order = (1, 0, 2) if stored_as_yx else (0, 1, 2)
        content = {
            "img": f"posed_images/{scan}/{frame}.jpg",
            "depth_gt": f"posed_images/{scan}/{frame}.png",
            "intrinsic": intrinsics,
            "cam_pose": sample.camera_to_world.astype(np.float64),
            "voxel_origin": sample.origin.astype(np.float64),
            "target_1_4": sample.labels.transpose(order),
            "target_1_16": down_sample(sample.labels, 4).transpose(order),
        }
        (folder / "gathered_data" / scan / f"{frame}.pkl").write_bytes(pickle.dumps(content))
        write_picture(folder / "posed_images" / scan / f"{frame}.jpg", sample.rgb)
        write_picture(folder / "posed_images" / scan / f"{frame}.png", np.round(sample.depth * 1000).astype(np.uint16))
        lines.append(f"gathered_data/{scan}/{frame}.pkl")
    (folder / "train_subscenes.txt").write_text("\n".join(lines))
    (folder / "val_subscenes.txt").write_text(lines[0])
