"""Which clip and frame of a video a picture shows."""

from dataclasses import dataclass

import numpy as np

from pipeline.contract.errors import SettingsError
from pipeline.store.rows import clip_rows
from pipeline.store.video import VideoStore


@dataclass(frozen=True)
class Chosen:
    """What somebody wants to see.

    clip_id: None for the fullest clip. frame: counted from 0 in its clip, None for a telling one.
    """

    clip_id: int | None = None
    frame: int | None = None


ANY = Chosen()


def chosen_clip(video: VideoStore, group: str, chosen: Chosen = ANY) -> slice:
    """Return the rows of the clip that is wanted, else of the one with most registered frames.

    Raises:
        SettingsError: no such clip was kept.
    """
    clips = dict(clip_rows(video))
    if chosen.clip_id is not None:
        if chosen.clip_id not in clips:
            kept = ", ".join(map(str, clips)) or "none"
            raise SettingsError(f"{video.video_id} has no clip {chosen.clip_id}; the clips that were kept: {kept}")
        return clips[chosen.clip_id]
    registered = video.read(group, "registered")
    return max(clips.values(), key=lambda rows: int(registered[rows].sum()))


def chosen_row(video: VideoStore, group: str, chosen: Chosen = ANY) -> slice:
    """Return the row of the frame that is wanted, else of the middle registered frame of its clip.

    Raises:
        SettingsError: no such clip or frame was kept.
    """
    rows = chosen_clip(video, group, chosen)
    if chosen.frame is not None:
        return frame_row(video, rows, chosen.frame)
    found = rows.start + np.flatnonzero(video.read(group, "registered", rows))
    middle = int(found[len(found) // 2]) if len(found) else rows.start
    return slice(middle, middle + 1)


def frame_row(video: VideoStore, rows: slice, frame: int) -> slice:
    """Return the row of a frame, counted from 0, of a clip.

    Raises:
        SettingsError: the clip has no such frame.
    """
    held = rows.stop - rows.start
    if not 0 <= frame < held:
        raise SettingsError(f"{video.video_id}: frame {frame} is not there; this clip has frames 0 to {held - 1}")
    return slice(rows.start + frame, rows.start + frame + 1)
