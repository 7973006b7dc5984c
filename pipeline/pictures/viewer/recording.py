"""What the page of a clip shows as a recording (``.rrd``) for the viewer Rerun; needs the extra ``rerun``."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.atomic import draft
from models.extras import extra
from pipeline.contract.classes import COUNTED_CLASSES, SemanticClass, palette
from pipeline.contract.grid import VOXEL_SIZE
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH
from pipeline.pictures.encode import jpeg
from pipeline.pictures.viewer.clip_view import ClipView

TIMELINE = "video"
PICTURE_BYTES = 200_000
"""More than a picture of this size takes, so that none is made smaller than the camera says."""


def write_recording(view: ClipView, path: Path) -> None:
    """Write a clip, whole or not at all: cameras, pictures with labels, points, and voxels by class, over time.

    Metres, z up; every word from outside is data. Voxels that are empty or unknown are left out.

    Raises:
        MissingExtra: rerun-sdk is not installed.
    """
    with extra("rerun", "writing a recording for Rerun"):
        import rerun

    name = f"{view.video_id}-{view.clip_id}"
    with draft(path) as written, rerun.RecordingStream("youtube-occ", recording_id=name) as recording:
        recording.save(written)
        recording.set_log_time_enabled(enabled=False)  # of the writing, not of the film
        recording.set_log_tick_enabled(enabled=False)
        recording.send_recording_name(f"{view.title}, clip {view.clip_id}")
        _log_whole(rerun, recording, view)
        for index in range(len(view.rows)):
            recording.set_time(TIMELINE, duration=float(view.time_s[index]))
            _log_frame(rerun, recording, view, index)
        recording.flush()
        recording.disconnect()


def _log_whole(rerun: Any, recording: Any, view: ClipView) -> None:
    """Log what holds for all frames: axes, names and colours of classes, points, and the path."""
    colours = palette()
    described = [(int(label), label.name.lower(), colours[label].tolist()) for label in COUNTED_CLASSES]
    recording.log("/", rerun.AnnotationContext(described), static=True)
    recording.log("world", rerun.ViewCoordinates.RIGHT_HAND_Z_UP, static=True)
    cloud = view.cloud
    seen = rerun.Points3D(cloud.points(), colors=cloud.colours, class_ids=cloud.labels, radii=0.008)
    recording.log("world/points", seen, static=True)
    recording.log("world/path", rerun.LineStrips3D([view.camera_to_world[:, :3, 3]]), static=True)
    recording.log("about", rerun.TextDocument("\n".join((view.title, *view.facts))), static=True)


def _log_frame(rerun: Any, recording: Any, view: ClipView, index: int) -> None:
    pose = view.camera_to_world[index]
    recording.log("world/camera", rerun.Transform3D(translation=pose[:3, 3], mat3x3=pose[:3, :3]))
    size = [FRAME_WIDTH, FRAME_HEIGHT]
    recording.log("world/camera", rerun.Pinhole(image_from_camera=view.intrinsics[index], resolution=size))
    picture = rerun.EncodedImage(
        contents=jpeg(Image.fromarray(view.pictures[index]), PICTURE_BYTES), media_type="image/jpeg"
    )
    recording.log("world/camera/picture", picture)
    recording.log("labels", rerun.SegmentationImage(view.labels[index]))
    for name, grids in (("voxels", view.grids), ("truth", view.truth)):
        if grids is not None:
            recording.log(f"world/{name}", _boxes(rerun, grids[index], view.world_from_voxel[index]))


def _boxes(rerun: Any, labels: NDArray[np.uint8], world_from_voxel: NDArray[np.float64]) -> Any:
    """Return a box for every occupied voxel of a grid (60, 60, 36); grids are turned by right angles alone."""
    index = np.argwhere((labels != SemanticClass.EMPTY) & (labels != SemanticClass.UNKNOWN))
    centres = (index + 0.5) @ world_from_voxel[:3, :3].T + world_from_voxel[:3, 3]
    half = np.full((len(index), 3), VOXEL_SIZE / 2, np.float32)
    return rerun.Boxes3D(centers=centres, half_sizes=half, class_ids=labels[tuple(index.T)], fill_mode="solid")
