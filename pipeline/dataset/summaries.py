"""What the dataset's page tells of every video: ``dataset/described.parquet``, one row a video.

A video is read once, when its fingerprint is new; a refresh reads what changed, and ``MOST_NEW`` videos at most.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.contract.errors import CorruptStore, VideoError
from pipeline.contract.scale import ScaleCue, ScaleSource
from pipeline.dataset.tables import replaced, write_large
from pipeline.store.groups import FRAMES, SCALE_SIGMA, SCENE, SOURCE_NOTES
from pipeline.store.rows import clip_rows, read_later, read_scale_cues
from pipeline.store.store import Store
from pipeline.store.video import VideoStore

DESCRIBED = ("dataset", "described.parquet")
MOST_NEW = 200
"""Videos that one refresh reads; of a large dataset of an earlier release, the others follow with the next."""

UNREAD = ""
"""In place of the fingerprint of a video that could not be read."""

DEPTH_BOUNDS = np.arange(0.0, 12.1, 0.5)
"""Metres; what is farther counts with the last bin."""

DEPTH_FRAMES = 6
"""Frames of a video whose depth is counted, spread evenly."""

SCHEMA = pa.schema(
    [
        ("video_id", pa.string()),
        ("fingerprint", pa.string()),
        ("title", pa.string()),
        ("uploader", pa.string()),
        ("licence", pa.string()),
        ("clip_frames", pa.list_(pa.int32())),
        ("clip_seconds", pa.list_(pa.float32())),
        ("camera_height", pa.list_(pa.float32())),
        ("ceiling_height", pa.list_(pa.float32())),
        ("scale_source", pa.list_(pa.string())),
        ("scale_sigma", pa.list_(pa.float32())),
        ("scale_cues", pa.list_(pa.string())),
        ("depth", pa.list_(pa.int64())),
    ]
)
"""Lists have an entry a clip. camera_height, ceiling_height: metres above the floor, the latter null where none is
seen. Null as well, and ``scale_cues`` empty, is what an earlier release did not store. depth: ``DEPTH_BOUNDS``."""


def described(store: Store, contents: pa.Table) -> pa.Table:
    """Return what is known of the videos of a dataset, after reading those that are new; the table is kept.

    contents: as of ``read_contents``. Videos that cannot be read have no row, nor have those that wait for their turn;
    what could not be read is tried again after what was never tried.
    """
    wanted = dict(zip(contents["video_id"].to_pylist(), contents["fingerprint"].to_pylist(), strict=True))
    before = _kept(store)
    held = dict(zip(before["video_id"].to_pylist(), before["fingerprint"].to_pylist(), strict=True))
    stale = {key for key, made in held.items() if wanted.get(key) != made and (key not in wanted or made)}
    new = sorted((key for key in wanted if held.get(key) != wanted[key]), key=lambda key: key in held)[:MOST_NEW]
    rows = pa.Table.from_pylist(list(_rows(store, {key: wanted[key] for key in new})), SCHEMA)
    after = replaced(before, stale | set(new), rows)
    if not after.equals(before):
        write_large(store, after, *DESCRIBED)
    return after.filter(pc.not_equal(after["fingerprint"], UNREAD))


def _kept(store: Store) -> pa.Table:
    """Return what was known; nothing where that does not read back or has other columns."""
    try:
        kept = store.read_table(*DESCRIBED) if store.exists(*DESCRIBED) else SCHEMA.empty_table()
    except CorruptStore:
        return SCHEMA.empty_table()
    return kept if kept.schema.equals(SCHEMA) else SCHEMA.empty_table()


def _rows(store: Store, wanted: dict[str, str]) -> Iterator[dict[str, Any]]:
    for video_id, fingerprint in wanted.items():
        try:
            yield {"video_id": video_id, "fingerprint": fingerprint, **_described(store.video(video_id).as_it_is())}
        except (VideoError, ValueError, IndexError):  # half built, gone, or being built anew
            yield {"video_id": video_id, "fingerprint": UNREAD}


def _described(video: VideoStore) -> dict[str, Any]:
    notes = video.read_json(SOURCE_NOTES)
    registered, time_s = video.read(SCENE, "registered"), video.read(FRAMES, "time_s")
    sources, cues = video.read(SCENE, "scale_source"), read_scale_cues(video)
    clips = [rows for _, rows in clip_rows(video) if registered[rows].any()]
    return {
        **{name: str(notes.get(name) or "") for name in ("title", "uploader", "licence")},
        "clip_frames": [int(registered[rows].sum()) for rows in clips],
        "clip_seconds": [float(time_s[rows][-1] - time_s[rows][0]) for rows in clips],
        **_measured(video, clips, registered),
        "scale_source": [ScaleSource(int(sources[rows.start])).name.lower() for rows in clips],
        "scale_cues": [ScaleCue(int(cues[rows.start])).names() for rows in clips],
        "depth": _depth_counts(video, np.flatnonzero(registered)),
    }


def _measured(video: VideoStore, clips: list[slice], registered: NDArray[np.bool_]) -> dict[str, list[float | None]]:
    """Return what was measured of each clip.

    Releases that stored no height of the camera took one floor a clip for z = 0, and a usual height for the ceiling's.
    """
    names = ("camera_height", "ceiling_height", SCALE_SIGMA)
    found = {name: [_known(read_later(video, name)[rows.start]) for rows in clips] for name in names}
    if not video.has_array(SCENE, "camera_height"):
        above = video.read(SCENE, "camera_to_world")[:, 2, 3]
        found["camera_height"] = [float(np.median(above[rows][registered[rows]])) for rows in clips]
        found["ceiling_height"] = [None] * len(clips)
    return found


def _known(value: np.floating[Any]) -> float | None:
    return None if np.isnan(value) else float(value)


def _depth_counts(video: VideoStore, rows: NDArray[np.int64]) -> list[int]:
    if not len(rows):
        return [0] * (len(DEPTH_BOUNDS) - 1)
    some = np.unique(rows[np.linspace(0, len(rows) - 1, DEPTH_FRAMES).astype(int)])
    depth = video.read(SCENE, "depth", some).astype(np.float32)
    bins = np.minimum(depth[depth > 0] / DEPTH_BOUNDS[1], len(DEPTH_BOUNDS) - 2).astype(np.int64)
    return [int(count) for count in np.bincount(bins, minlength=len(DEPTH_BOUNDS) - 1)]
