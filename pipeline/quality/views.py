"""Writes the pages of clips: what is stored, beside the truth where the video is a rendered tour."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pipeline.contract.errors import FrozenSeeds, StageMissing
from pipeline.pictures.viewer.clip_page import clip_page
from pipeline.pictures.viewer.clip_view import ClipView, read_clip_view
from pipeline.pictures.viewer.recording import write_recording
from pipeline.quality.true_grids import true_grids
from pipeline.store.atomic import disk_errors
from pipeline.store.groups import OCCUPANCY, SCENE
from pipeline.store.rows import clip_rows
from pipeline.store.video import VideoStore


def clip_views(video: VideoStore, clip_id: int | None = None, *, truth: bool = True) -> Iterator[ClipView]:
    """Yield the clips of a video that have a camera, or the one named, with their truth where that is known.

    Raises:
        StageMissing: the video is half built, or gone.
        SettingsError: the clip is not there.
    """
    if not video.has_group(OCCUPANCY):
        video.attributes(SCENE)  # says that it is missing, where it is the first of the two
        raise StageMissing(f"{video.video_id} has no group 'occupancy': run the stage 'occupancy' first")
    registered = video.read(SCENE, "registered")
    filmed = [found for found, rows in clip_rows(video) if registered[rows].any()]
    for shown in filmed if clip_id is None else [clip_id]:
        view = read_clip_view(video, shown)
        yield with_truth(video, view) if truth else view


def with_truth(video: VideoStore, view: ClipView) -> ClipView:
    """Return a view with the truth; of frozen tours, at which nobody looks in passing, it says that it is left out."""
    try:
        truth = true_grids(video, view)
    except FrozenSeeds:
        return replace(view, facts=[*view.facts, "a frozen tour: its truth is not looked at"])
    if truth is None:
        return view
    return replace(view, truth=truth.labels, truth_scale=truth.scale)


def write_view(view: ClipView, folder: Path) -> Path:
    """Write the page of a clip to a folder; returns its path.

    Raises:
        DiskFull: there is no room for it.
    """
    path = folder / f"{view.video_id}-{view.clip_id}.html"
    with disk_errors():
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(clip_page(view), encoding="utf-8")
    return path


def write_rerun(view: ClipView, folder: Path) -> Path:
    """Write a clip as a recording for Rerun to a folder; returns its path.

    Raises:
        MissingExtra: the extra ``rerun`` is not installed.
        DiskFull: there is no room for it.
    """
    path = folder / f"{view.video_id}-{view.clip_id}.rrd"
    with disk_errors():
        folder.mkdir(parents=True, exist_ok=True)
        write_recording(view, path)
    return path
