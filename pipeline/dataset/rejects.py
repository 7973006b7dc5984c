"""Contact sheets of what was left out, one for every reason."""

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from PIL import Image

from pipeline.contract.progress import Progress, counted, silent
from pipeline.contract.records import WHOLE, Box
from pipeline.dataset.filters import filtered
from pipeline.pictures.clips import ClipRow, clip_sheet
from pipeline.pictures.thumbnails import thumbnails
from pipeline.settings import FilterSettings
from pipeline.stages.chain import finished
from pipeline.stages.failures import last_failure
from pipeline.stages.left_out import left_out_by_stages
from pipeline.store.groups import CLIPS, SOURCE_VIDEO
from pipeline.store.rows import stored_clips
from pipeline.store.store import Store
from pipeline.store.video import VideoStore

SHOWN = 12
THUMBNAILS = 4


class Reject(NamedTuple):
    """One clip that was left out: by which stage, and why."""

    video_id: str
    clip_id: int
    stage: str
    code: str
    detail: str


def rejects(store: Store, filters: FilterSettings, progress: Progress = silent) -> dict[str, list[Reject]]:
    """Return the clips of all videos that were left out, by reason, the most frequent first."""
    by_code: dict[str, list[Reject]] = defaultdict(list)
    for video_id in counted(store.video_ids(), progress, "rejects"):
        for reject in _of_video(store.video(video_id), filters):
            by_code[reject.code].append(reject)
    return dict(sorted(by_code.items(), key=lambda item: -len(item[1])))


def failed_videos(store: Store) -> dict[str, list[str]]:
    """Return the videos of which nothing is in the dataset, by the error they ended with, the most frequent first.

    Each is one line: its id, the stage and what was wrong; that names the reason of every clip where none came through.
    """
    by_code: dict[str, list[str]] = defaultdict(list)
    for video_id in store.video_ids():
        video = store.video(video_id)
        failure = last_failure(video)
        if failure is not None and not finished(video):
            detail = failure.detail.removeprefix(f"{video_id}: ")
            by_code[failure.code].append(f"{video_id}, {failure.stage}: {detail}")
    return dict(sorted(by_code.items(), key=lambda item: -len(item[1])))


def reject_sheet(store: Store, found: list[Reject]) -> Image.Image:
    """Return pictures of some of the clips left out for one reason; what cannot be shown is named."""
    chosen = [found[i] for i in np.unique(np.linspace(0, len(found) - 1, SHOWN).astype(int))]
    rows, unseen = [], []
    for reject in chosen:
        text = f"{reject.video_id} clip {reject.clip_id}, by {reject.stage}: {reject.detail}"
        row = _row(store.video(reject.video_id), reject, text)
        if row is None:
            unseen.append(text)
        else:
            rows.append(row)
    return clip_sheet(rows, unseen)


def pictured(video: VideoStore, stage: str, clip_id: int | None) -> tuple[tuple[float, ...], Box]:
    """Return the times, seconds, of some frames of a clip that was left out, and the part of the picture that counts.

    There are no times where nothing tells them: clips that were never stored, left out by an earlier release.
    """
    for item in left_out_by_stages(video):
        if (item.stage, item.clip_id) == (stage, clip_id) and item.time_s:
            return item.time_s, item.box
    clips = stored_clips(video) if video.exists(CLIPS) else ()
    for clip in clips:
        if clip.clip_id == clip_id:
            some = np.unique(np.linspace(0, len(clip.time_s) - 1, THUMBNAILS).astype(int))
            return tuple(clip.time_s[some].tolist()), clip.box
    return (), WHOLE


def _of_video(video: VideoStore, filters: FilterSettings) -> Iterator[Reject]:
    for item in left_out_by_stages(video):
        if item.clip_id is not None:
            yield Reject(video.video_id, item.clip_id, item.stage, item.code, item.detail)
    for clip_id, why in filtered(video, filters).items():
        yield Reject(video.video_id, clip_id, "dataset", why.code, why.detail)


def _row(video: VideoStore, reject: Reject, text: str) -> ClipRow | None:
    """Return pictures of a clip, or None where its times are not known or the video is not there (any more)."""
    times, box = pictured(video, reject.stage, reject.clip_id)
    if not times or not video.exists(SOURCE_VIDEO):
        return None
    with video.local_file(SOURCE_VIDEO) as path:
        return ClipRow(text, kept=False, pictures=thumbnails(path, times, box))
