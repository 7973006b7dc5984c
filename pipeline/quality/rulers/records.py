"""What a ruler measures of each film, and what it says of many: the records behind the table and ``--json``."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from pipeline.contract.overlap import OverlapCounts
from pipeline.quality.scores import ClipErrors, Overlap

WRONG_AUC10 = 0.5
WRONG_ABS_REL = 0.2
"""A reconstruction with less, or more, is wrong and should have been left out."""


class ShotScores(BaseModel):
    """What became of one shot of a film.

    frames: those that were, or would be, chosen of it; kept: of these, with a camera in the end. errors: of its clips
    whose truth is known. grids, grids_true_scale: of the frames kept; missed: what the true grids of the lost frames
    hold. reason: why it, or a part of it, is lost.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    wanted: bool
    frames: int
    kept: int
    errors: tuple[ClipErrors, ...]
    grids: Overlap
    grids_true_scale: Overlap
    missed: Overlap
    reason: str = ""

    @property
    def through(self) -> bool:
        """Whether any of its frames came through."""
        return self.kept > 0

    @property
    def wrong(self) -> bool:
        """Whether something came through that should not have."""
        bad = any(clip.auc10 < WRONG_AUC10 or clip.depth_abs_rel > WRONG_ABS_REL for clip in self.errors)
        return self.through and (bad or not self.wanted)


class FilmScores(BaseModel):
    """The shots of one film. made_from: what stands for the results and the truth that were compared."""

    model_config = ConfigDict(frozen=True)

    name: str
    video_id: str
    made_from: str
    shots: tuple[ShotScores, ...]


@dataclass(frozen=True)
class RulerRow:
    """One line of the table; figures are nan where nothing tells.

    name: of a part of the suite, or of a film and its shot. clips, through, wrong: shots, those that came through, and
    those of them that should not have. frames, kept: frames possible and kept. auc5, auc10: of poses, mean over clips.
    rotation: degrees, median of medians. abs_rel: mean. focal, metre: relative errors of focal length and size, median.
    iou: of grids as they are; iou_true_scale: given their true size; iou_lost: the same, lost frames counted as missed.
    """

    name: str
    clips: int
    through: int
    frames: int
    kept: int
    wrong: int
    auc5: float
    auc10: float
    rotation: float
    abs_rel: float
    focal: float
    metre: float
    iou: float
    iou_true_scale: float
    iou_lost: float
    reason: str = ""

    @classmethod
    def of(cls, name: str, shots: Sequence[ShotScores]) -> "RulerRow":
        """Return what some shots have in common; the reason of a single one."""
        clips = [clip for shot in shots for clip in shot.errors]
        as_is, true_scale, missed = (_total(shots, key) for key in ("grids", "grids_true_scale", "missed"))
        whole = true_scale + missed
        return cls(
            name=name,
            clips=len(shots),
            through=sum(shot.through for shot in shots),
            frames=sum(shot.frames for shot in shots),
            kept=sum(shot.kept for shot in shots),
            wrong=sum(shot.wrong for shot in shots),
            auc5=_over(np.mean, (clip.auc5 for clip in clips)),
            auc10=_over(np.mean, (clip.auc10 for clip in clips)),
            rotation=_over(np.median, (clip.rotation_median for clip in clips)),
            abs_rel=_over(np.mean, (clip.depth_abs_rel for clip in clips)),
            focal=_over(np.median, (clip.focal_error for clip in clips)),
            metre=_over(np.median, (clip.scale_error for clip in clips)),
            iou=_iou(as_is),
            iou_true_scale=_iou(true_scale),
            iou_lost=_iou(whole),
            reason=shots[0].reason if len(shots) == 1 else "",
        )

    def plain(self) -> dict[str, Any]:
        """Return the row as JSON knows it: null where nothing tells."""
        return {key: None if value != value else value for key, value in asdict(self).items()}  # noqa: PLR0124 - nan


class PartScores(BaseModel):
    """The films of one part of a suite."""

    model_config = ConfigDict(frozen=True)

    name: str
    films: tuple[FilmScores, ...]

    def shots(self, *, wanted: bool) -> list[tuple[str, ShotScores]]:
        """Return the shots that are wanted, or not, with their names."""
        return [
            (f"{film.name} {shot.name}".strip(), shot)
            for film in self.films
            for shot in film.shots
            if shot.wanted == wanted
        ]


class RulerReport(BaseModel):
    """What a suite measured, part by part, built with one profile."""

    model_config = ConfigDict(frozen=True)

    suite: str
    profile: str
    parts: tuple[PartScores, ...]

    def blocks(self) -> list[tuple[RulerRow, list[RulerRow]]]:
        """Return a row for each part, and one for what should be left out, each with the rows of its shots."""
        found = []
        for part in self.parts:
            for wanted, name in ((True, part.name), (False, f"{part.name}: should be left out")):
                named = part.shots(wanted=wanted)
                if named:
                    rows = [RulerRow.of(shot_name, [shot]) for shot_name, shot in named]
                    found.append((RulerRow.of(name, [shot for _, shot in named]), rows))
        return found

    def plain(self) -> dict[str, Any]:
        """Return the report as JSON knows it."""
        parts = [{**total.plain(), "shots": [row.plain() for row in rows]} for total, rows in self.blocks()]
        return {"suite": self.suite, "profile": self.profile, "parts": parts}


def _total(shots: Sequence[ShotScores], key: str) -> OverlapCounts:
    parts: list[Overlap] = [getattr(shot, key) for shot in shots]
    return sum((part.counts() for part in parts), OverlapCounts.nothing())


def _iou(counts: OverlapCounts) -> float:
    return counts.iou if counts.either_occupied else float("nan")


def _over(statistic: Callable[[list[float]], np.floating], values: Iterable[float]) -> float:
    told = [value for value in values if np.isfinite(value)]
    return float(statistic(told)) if told else float("nan")
