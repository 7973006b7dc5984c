"""Parts of pictures that are read from a video's store: rows of clips, depth beside its picture, coloured points."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.contract.arrays import Floats, Images
from pipeline.contract.camera import pointmap
from pipeline.contract.classes import FILLED_LABELS, SemanticClass
from pipeline.contract.errors import SettingsError
from pipeline.contract.records import Clip, LeftOut, MetricScene
from pipeline.pictures.chosen import ANY, Chosen, chosen_row
from pipeline.pictures.clips import ClipRow
from pipeline.pictures.depth import depth_beside_picture
from pipeline.pictures.layout import below, beside, caption, legend, scaled
from pipeline.pictures.slices import grid_slices, slices_scale
from pipeline.pictures.thumbnails import thumbnails
from pipeline.pictures.voxels import isometric
from pipeline.store.groups import SOURCE_VIDEO
from pipeline.store.rows import read_pictures
from pipeline.store.video import VideoStore

MOST_CLIPS = 8
"""Rows of a contact sheet; a video of hundreds of clips is shown by some, spread evenly."""

THUMBNAILS_A_CLIP = 4
POINTS_A_FRAME = 4000
SLICES = 90
"""Height of slices through a grid, pixels."""

SPACE = (SemanticClass.EMPTY, SemanticClass.UNKNOWN)
"""What slices show beside what is filled."""


def rows_of_clips(video: VideoStore, clips: Sequence[Clip], verdicts: Mapping[int, tuple[bool, str]]) -> list[ClipRow]:
    """Return some clips of a video for a contact sheet.

    verdicts: whether a clip was kept, and why, by its id.
    """
    shown = [clips[i] for i in np.unique(np.linspace(0, len(clips) - 1, MOST_CLIPS).astype(int))]
    rows = []
    with video.local_file(SOURCE_VIDEO) as path:
        for clip in shown:
            kept, reason = verdicts.get(clip.clip_id, (False, ""))
            chosen = np.unique(np.linspace(0, len(clip.time_s) - 1, THUMBNAILS_A_CLIP).astype(int))
            text = f"clip {clip.clip_id}: {len(clip.time_s)} frames from {clip.time_s[0]:.1f} s; {reason}"
            rows.append(ClipRow(text, kept, thumbnails(path, clip.time_s[chosen].tolist(), clip.box)))
    return rows


def rows_of_left_out(video: VideoStore, left_out: Sequence[LeftOut]) -> list[ClipRow]:
    """Return some of the clips for a contact sheet that a stage left out and said the times of."""
    timed = [item for item in left_out if item.time_s]
    shown = [timed[i] for i in np.unique(np.linspace(0, len(timed) - 1, MOST_CLIPS).astype(int))] if timed else []
    rows = []
    with video.local_file(SOURCE_VIDEO) as path:
        for item in shown:
            text = f"clip {item.clip_id}: {item.code}: {item.detail}"
            rows.append(ClipRow(text, kept=False, pictures=thumbnails(path, item.time_s, item.box)))
    return rows


def those_chosen(video: VideoStore, clips: Sequence[Clip], chosen: Chosen) -> Sequence[Clip]:
    """Return the clip that is wanted, else all.

    Raises:
        SettingsError: the video was not cut into such a clip.
    """
    found = [clip for clip in clips if chosen.clip_id in (None, clip.clip_id)]
    if not found and chosen.clip_id is not None:
        raise SettingsError(f"{video.video_id} was cut into {len(clips)} clips, none of which is {chosen.clip_id}")
    return found


def depth_picture(video: VideoStore, group: str, unit: str, chosen: Chosen = ANY) -> Image.Image:
    """Return the depth of a frame, by default of the fullest clip, beside its picture; ``unit`` is that of depth."""
    row = chosen_row(video, group, chosen)
    depth = video.read(group, "depth", row)[0].astype(np.float32)
    return depth_beside_picture(read_pictures(video, row)[0], depth, unit)


def coloured_points(scene: MetricScene, rgb: Images) -> tuple[Floats, Images]:
    """Return some points of a clip (p, 3) with the colours of their pixels (p, 3)."""
    points, colours = [np.empty((0, 3), np.float32)], [np.empty((0, 3), np.uint8)]
    for frame in np.flatnonzero(scene.registered):
        depth = scene.depth[frame]
        small = cv2.resize(rgb[frame], depth.shape[::-1], interpolation=cv2.INTER_AREA)
        given = np.flatnonzero(depth > 0)[:: max(1, int((depth > 0).sum()) // POINTS_A_FRAME)]
        lifted = pointmap(depth, scene.intrinsics[frame], scene.camera_to_world[frame])
        points.append(lifted.reshape(-1, 3)[given].astype(np.float32))
        colours.append(small.reshape(-1, 3)[given])
    return np.concatenate(points), np.concatenate(colours)


def grid_page(rgb: Images, labels: NDArray[np.uint8], width: int = 640) -> Image.Image:
    """Return a frame's picture and legend, its grid as blocks, and slices of it below."""
    there = set(np.unique(labels).tolist())
    present = [label for label in (*FILLED_LABELS, *SPACE) if label in there]
    seen = beside(scaled(Image.fromarray(rgb), 180), legend(present))
    slices = below(grid_slices(labels, SLICES), beside(slices_scale(SLICES), caption("heights above the floor", 12)))
    return beside(below(seen, slices), isometric(labels, width))
