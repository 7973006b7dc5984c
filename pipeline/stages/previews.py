"""Which picture shows a stage's result best, made from what is stored."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.contract.camera import pointmap
from pipeline.contract.classes import OCCUPIED_CLASSES
from pipeline.contract.records import Clip, Floats, Images, MetricScene
from pipeline.pictures.clips import ClipRow, clip_sheet
from pipeline.pictures.depth import depth_beside_picture
from pipeline.pictures.encode import jpeg
from pipeline.pictures.floor_plan import floor_plan
from pipeline.pictures.labels import label_overlay
from pipeline.pictures.layout import below, beside, legend, scaled
from pipeline.pictures.slices import grid_slices
from pipeline.pictures.thumbnails import thumbnails
from pipeline.pictures.voxels import isometric
from pipeline.stages.run import provenance
from pipeline.store.files import VideoStore
from pipeline.store.rows import clip_rows, indoor_scores, read_scene, stored_clips

MOST_CLIPS = 8
"""Rows of a contact sheet; a video of hundreds of clips is shown by some, spread evenly."""

THUMBNAILS_A_CLIP = 4
POINTS_A_FRAME = 4000


def preview(video: VideoStore, stage: str, max_bytes: int) -> bytes:
    """Return a JPEG of at most ``max_bytes`` that shows what a stage made.

    Raises:
        StageMissing: the stage has not been run.
        KeyError: there is no such stage.
    """
    return jpeg(_PICTURES[stage](video), max_bytes)


def _of_video(video: VideoStore) -> Image.Image:
    source = video.read_json("source.json")
    times = (np.arange(6) + 0.5) / 6 * source["duration_s"]
    with video.local_file("source.mp4") as path:
        pictures = thumbnails(path, times.tolist())
    text = f"{source['width']} x {source['height']}, {source['fps']:.4g} frames/s, {source['duration_s']:.1f} s"
    return clip_sheet([ClipRow(text, kept=True, pictures=pictures)])


def _of_clips(video: VideoStore) -> Image.Image:
    clips = stored_clips(video)
    verdicts = {clip.clip_id: (True, f"motion {clip.motion:.3f}") for clip in clips}
    return clip_sheet(_clip_rows(video, clips, verdicts), _left_out(video, "clips"))


def _of_indoor_clips(video: VideoStore) -> Image.Image:
    kept = {clip_id: rows.start for clip_id, rows in clip_rows(video)}
    scores, made = video.read("frames", "indoor_score"), provenance(video, "indoor_clips")
    verdicts = {item.clip_id or 0: (False, item.detail) for item in (made.left_out if made else ())}
    verdicts |= {clip_id: (True, f"P(indoor) {scores[row]:.2f}") for clip_id, row in kept.items()}
    clips = stored_clips(video)
    for clip, score in zip(clips, indoor_scores(video), strict=False):
        named = "".join(f"; {category.name} {category.probability:.2f}" for category in score.categories)
        verdicts[clip.clip_id] = (verdicts[clip.clip_id][0], verdicts[clip.clip_id][1] + named)
    return clip_sheet(_clip_rows(video, clips, verdicts))


def _of_reconstruction(video: VideoStore) -> Image.Image:
    return _depth_picture(video, "reconstruction", "x")


def _of_scene(video: VideoStore) -> Image.Image:
    rows = _fullest_clip(video, "scene")
    scene = read_scene(video, rows)
    points, colours = _coloured_points(scene, video.read("frames", "rgb", rows))
    plan = floor_plan(points, colours, scene.camera_to_world[scene.registered], side=320)
    return beside(plan, _depth_picture(video, "scene", "m"))


def _of_semantics(video: VideoStore) -> Image.Image:
    row = _middle_row(video, "scene")
    rgb, labels = (video.read(group, name, row)[0] for group, name in (("frames", "rgb"), ("semantics", "labels")))
    return label_overlay(rgb, labels)


def _of_occupancy(video: VideoStore) -> Image.Image:
    counts = video.read("occupancy", "class_counts")
    best = int(np.argmax(counts[:, list(OCCUPIED_CLASSES)].sum(axis=1)))
    row = slice(best, best + 1)
    rgb, labels = video.read("frames", "rgb", row)[0], video.read("occupancy", "labels", row)[0]
    return grid_page(rgb, labels)


def grid_page(rgb: Images, labels: NDArray[np.uint8], width: int = 640) -> Image.Image:
    """Return a frame's picture and legend, its grid as blocks, and slices of it below."""
    present = [label for label in OCCUPIED_CLASSES if np.any(labels == label)]
    seen = beside(scaled(Image.fromarray(rgb), 180), legend(present))
    return beside(below(seen, grid_slices(labels, 90)), isometric(labels, width))


_PICTURES: dict[str, Callable[[VideoStore], Image.Image]] = {
    "video": _of_video,
    "clips": _of_clips,
    "indoor_clips": _of_indoor_clips,
    "reconstruction": _of_reconstruction,
    "scene": _of_scene,
    "semantics": _of_semantics,
    "occupancy": _of_occupancy,
}


def _clip_rows(video: VideoStore, clips: Sequence[Clip], verdicts: dict[int, tuple[bool, str]]) -> list[ClipRow]:
    shown = [clips[i] for i in np.unique(np.linspace(0, len(clips) - 1, MOST_CLIPS).astype(int))]
    rows = []
    with video.local_file("source.mp4") as path:
        for clip in shown:
            kept, reason = verdicts.get(clip.clip_id, (False, ""))
            chosen = np.unique(np.linspace(0, len(clip.time_s) - 1, THUMBNAILS_A_CLIP).astype(int))
            text = f"clip {clip.clip_id}: {len(clip.time_s)} frames from {clip.time_s[0]:.1f} s; {reason}"
            rows.append(ClipRow(text, kept, thumbnails(path, clip.time_s[chosen].tolist())))
    return rows


def _left_out(video: VideoStore, stage: str) -> list[str]:
    made = provenance(video, stage)
    return [f"{item.clip_id}: {item.code}: {item.detail}" for item in (made.left_out if made else ())]


def _depth_picture(video: VideoStore, group: str, unit: str) -> Image.Image:
    row = _middle_row(video, group)
    depth = video.read(group, "depth", row)[0].astype(np.float32)
    return depth_beside_picture(video.read("frames", "rgb", row)[0], depth, unit)


def _middle_row(video: VideoStore, group: str) -> slice:
    rows = _fullest_clip(video, group)
    found = rows.start + np.flatnonzero(video.read(group, "registered", rows))
    middle = int(found[len(found) // 2]) if len(found) else rows.start
    return slice(middle, middle + 1)


def _fullest_clip(video: VideoStore, group: str) -> slice:
    """Return the rows of the clip with most registered frames."""
    registered = video.read(group, "registered")
    return max((rows for _, rows in clip_rows(video)), key=lambda rows: int(registered[rows].sum()))


def _coloured_points(scene: MetricScene, rgb: Images) -> tuple[Floats, Images]:
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
