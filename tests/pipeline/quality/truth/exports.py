"""A tour in the formats in which real footage is published with its truth."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from pipeline.store.video import VideoStore
from pipeline.tours.tour import Tour

NO_NAME = 255


def to_realestate10k(tour: Tour, source: Path, frames: Sequence[int], folder: Path) -> None:
    """Cameras of all frames up to the last of some, those of others than these made wrong."""
    folder.mkdir(parents=True)
    shutil.copy(source, folder / "abc.mp4")
    fx, fy = tour.intrinsics[0, 0] / 640, tour.intrinsics[1, 1] / 480
    lines = ["https://example.org/watch?v=abc"]
    for frame in range(max(frames) + 1):
        pose = tour.truth(frame).camera_to_world if frame in frames else np.eye(4)
        rows = np.linalg.inv(pose.astype(float))[:3].ravel()
        lines.append(" ".join(f"{value:.9f}" for value in (frame * 1e5, fx, fy, 0.5, 0.5, 0, 0, *rows)))
    (folder / "abc.pose.txt").write_text("\n".join(lines) + "\n")


def to_tum(tour: Tour, source: Path, frames: Sequence[int], folder: Path) -> None:
    """Depth maps of some frames and a trajectory of all up to the last of them."""
    (folder / "frames").mkdir(parents=True)
    shutil.copy(source, folder / "video.mp4")
    _write_intrinsics(tour, folder)
    lines = []
    for frame in range(max(frames) + 1):
        pose = np.eye(4)
        if frame in frames:
            truth = tour.truth(frame)
            pose = truth.camera_to_world.astype(float)
            depth = np.where(truth.labels == NO_NAME, 0, truth.depth)
            _write_depth(folder / "frames" / f"{frame:06d}.depth.png", depth, 5000)
        turn = Rotation.from_matrix(pose[:3, :3]).as_quat()
        lines.append(" ".join(f"{value:.9f}" for value in (frame / tour.fps, *pose[:3, 3], *turn)))
    (folder / "truth_cam_poses.txt").write_text("\n".join(lines) + "\n")


def to_icl(tour: Tour, source: Path, frames: Sequence[int], folder: Path) -> None:
    """Depth maps and poses of some frames, in the world of the first camera: y down, nothing upright."""
    (folder / "frames").mkdir(parents=True)
    shutil.copy(source, folder / "video.mp4")
    _write_intrinsics(tour, folder)
    first = np.linalg.inv(tour.truth(frames[0]).camera_to_world.astype(float))
    for frame in frames:
        truth = tour.truth(frame)
        depth = np.where(truth.labels == NO_NAME, 0, truth.depth)
        _write_depth(folder / "frames" / f"{frame:06d}.depth.png", depth, 1000)
        np.savetxt(folder / "frames" / f"{frame:06d}.pose.txt", first @ truth.camera_to_world)


def source_of(video: VideoStore) -> Path:
    return Path(video.files.root, "videos", video.video_id, "source.mp4")


def _write_intrinsics(tour: Tour, folder: Path) -> None:
    published = tour.intrinsics.astype(float).copy()
    published[:2, 2] -= 0.5  # pixel centres at integers
    np.savetxt(folder / "camera-intrinsics.txt", published)


def _write_depth(path: Path, depth: np.ndarray, steps_a_metre: int) -> None:
    assert cv2.imwrite(str(path), np.round(depth * steps_a_metre).clip(0, 65535).astype(np.uint16))
