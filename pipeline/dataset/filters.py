"""Which clips are left out of the dataset for what their scores say.

Scores are made when clips are cut and lie in ``clips.parquet``; the bounds are settings of the dataset, so that another
bound makes a new index and nothing else.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

from pipeline.contract.records import ClipScores
from pipeline.settings import FilterSettings
from pipeline.store.groups import SEMANTICS
from pipeline.store.rows import clip_rows, read_probability_right, stored_clips
from pipeline.store.video import VideoStore


class Objection(NamedTuple):
    """Why a clip is left out: a stable name and a sentence."""

    code: str
    detail: str


_BOUNDS = (
    ("motion", "motion_min", "Static"),
    ("shake", "shake_max", "Shaky"),
    ("brightness", "brightness_min", "TooDark"),
    ("brightness", "brightness_max", "TooBright"),
    ("clipped", "clipped_max", "Clipped"),
    ("drawn", "drawn_max", "TitleCard"),
    ("overlay", "overlay_max", "TextOverlay"),
    ("split", "split_max", "SplitScreen"),
    ("repeats", "repeats_max", "NearDuplicate"),
    ("people", "people_max", "People"),
    ("probability_right", "probability_min", "UnlikelyReconstruction"),
)


def objections(
    scores: ClipScores | None,
    settings: FilterSettings,
    people: float | None = None,
    probability_right: float | None = None,
) -> Iterator[Objection]:
    """Yield what the settings have against a clip; a score that is not known is none.

    people: share of the clip's pixels that show people and pets. probability_right: of its reconstruction.
    """
    later = {"people": people, "probability_right": probability_right}
    for score, bound, code in _BOUNDS:
        value = later[score] if score in later else getattr(scores, score, None)
        limit = getattr(settings, bound)
        if value is None or limit is None:
            continue
        if value < limit if bound.endswith("_min") else value > limit:
            sign = "<" if bound.endswith("_min") else ">"
            yield Objection(code, f"{score} {value:.3f} {sign} {limit:g}")


def filtered(video: VideoStore, filters: FilterSettings) -> dict[int, Objection]:
    """Return the clips of a finished video that the filters leave out, with the first reason."""
    if filters == FilterSettings() or not video.has_group(SEMANTICS):
        return {}
    scores = {clip.clip_id: clip.scores for clip in stored_clips(video)}
    found = {
        clip_id: next(objections(scores.get(clip_id), filters, _people(video, rows), _probability(video, rows)), None)
        for clip_id, rows in clip_rows(video)
    }
    return {clip_id: why for clip_id, why in found.items() if why is not None}


def _probability(video: VideoStore, rows: slice) -> float | None:
    """Return how probable it is that the clip's reconstruction is right, None where it is not known."""
    probability = float(read_probability_right(video, slice(rows.start, rows.start + 1))[0])
    return None if math.isnan(probability) else probability


def _people(video: VideoStore, rows: slice) -> float | None:
    return float(video.read(SEMANTICS, "moving", rows).mean()) if video.has_array(SEMANTICS, "moving") else None
