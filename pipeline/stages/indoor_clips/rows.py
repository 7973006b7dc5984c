"""Scores of clips as columns of ``clips.parquet``, and kept frames as rows of the group ``frames``."""

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import pyarrow as pa

from pipeline.contract.arrays import Images
from pipeline.contract.records import Clip, IndoorScore, SceneCategory
from pipeline.store.group_writer import GroupWriter
from pipeline.store.groups import CLIPS
from pipeline.store.rows import read_clips_note, write_clips
from pipeline.store.video import VideoStore

SCORED_BY = b"scored_by"
SCORE_COLUMNS = ("indoor_score", "scene_categories", "people", "turned")
NOT_TOLD = {"people": pa.string(), "turned": pa.list_(pa.float64())}
"""Columns that tables of earlier releases lack, whose backends did not tell."""
SCENE_CATEGORIES = pa.list_(pa.struct([("name", pa.string()), ("probability", pa.float64())]))


def append_frames(group: GroupWriter, clip: Clip, rgb: Images, score: IndoorScore) -> None:
    """Append the frames (n, 480, 640, 3) of a kept clip to the group ``frames``."""
    group.append("rgb", rgb)
    group.append("clip_id", np.full(len(rgb), clip.clip_id, np.int32))
    group.append("frame_index", clip.frame_index)
    group.append("time_s", clip.time_s)
    group.append("indoor_score", np.full(len(rgb), score.indoor, np.float32))


def write_indoor_scores(video: VideoStore, scores: Sequence[IndoorScore], scored_by: str) -> None:
    """Add every clip's score to ``clips.parquet``: the columns ``SCORE_COLUMNS``.

    scored_by: what decides the scores; kept in the table's metadata, so that they are not used for anything else.
    """
    table = video.read_table(CLIPS)
    table = table.select([name for name in table.column_names if name not in SCORE_COLUMNS])
    categories = [[asdict(category) for category in score.categories] for score in scores]
    table = table.append_column("indoor_score", pa.array([score.indoor for score in scores], pa.float64()))
    table = table.append_column("scene_categories", pa.array(categories, SCENE_CATEGORIES))
    table = table.append_column("people", pa.array([score.people for score in scores], pa.string()))
    table = table.append_column("turned", pa.array([score.turned for score in scores], NOT_TOLD["turned"]))
    write_clips(video, table, SCORED_BY, scored_by)


def scored_by(video: VideoStore) -> str:
    """Return what decided the scores in ``clips.parquet``; empty where there are none."""
    return read_clips_note(video, SCORED_BY)


def indoor_scores(video: VideoStore, scored_by: str | None = None) -> list[IndoorScore]:
    """Return every clip's score, in the order of the clips; none where none is stored or ``scored_by`` is another."""
    table = video.read_table(CLIPS)
    known = (table.schema.metadata or {}).get(SCORED_BY, b"").decode()
    if not known or scored_by not in (None, known):
        return []
    for name in {*NOT_TOLD} - {*table.column_names}:
        table = table.append_column(name, pa.nulls(len(table), NOT_TOLD[name]))
    return [
        IndoorScore(
            indoor,
            categories=tuple(SceneCategory(**category) for category in categories),
            people=people or "",
            turned=tuple(turned or ()),
        )
        for indoor, categories, people, turned in zip(*(table[name].to_pylist() for name in SCORE_COLUMNS), strict=True)
    ]
