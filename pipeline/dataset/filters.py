"""Which clips are left out of the dataset for what their scores say.

Scores are made when clips are cut and lie in ``clips.parquet``; the bounds are settings of the dataset, so that another
bound makes a new index and nothing else.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from pipeline.contract.records import ClipScores
from pipeline.settings import FilterSettings
from pipeline.store.groups import SCALE_SIGMA, SEMANTICS
from pipeline.store.rows import clip_rows, read_later, read_probability_right, stored_clips
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
    ("scale_sigma", "scale_sigma_max", "UncertainScale"),
)


def objections(
    scores: ClipScores | None,
    settings: FilterSettings,
    people: float | None = None,
    probability_right: float | None = None,
    scale_sigma: float | None = None,
) -> Iterator[Objection]:
    """Yield what the settings have against a clip; a score that is not known is none.

    people: share of the clip's pixels that show people and pets. probability_right: of its reconstruction.
    scale_sigma: deviation of the logarithm of its scale.
    """
    later = {"people": people, "probability_right": probability_right, "scale_sigma": scale_sigma}
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
        clip_id: next(objections(scores.get(clip_id), filters, *_later(video, rows)), None)
        for clip_id, rows in clip_rows(video)
    }
    return {clip_id: why for clip_id, why in found.items() if why is not None}


def _later(video: VideoStore, rows: slice) -> tuple[float | None, float | None, float | None]:
    """Return the share of people, the probability of the reconstruction and the deviation of scale; None: not known."""
    first = slice(rows.start, rows.start + 1)
    return (
        _people(video, rows),
        _known(read_probability_right(video, first)[0]),
        _known(read_later(video, SCALE_SIGMA, first)[0]),
    )


def _known(value: np.float32) -> float | None:
    return None if math.isnan(value) else float(value)


def _people(video: VideoStore, rows: slice) -> float | None:
    return float(video.read(SEMANTICS, "moving", rows).mean()) if video.has_array(SEMANTICS, "moving") else None
