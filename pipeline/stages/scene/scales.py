"""The scale of every clip of a video: by the paper's rule or by all evidence, with a deviation either way."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pipeline.contract.scale import ScaleCue, ScaleSource
from pipeline.stages.scene.cues import disagreement
from pipeline.stages.scene.estimate import ScaleEstimate, estimate_scales
from pipeline.stages.scene.evidence import ScaleEvidence
from pipeline.stages.scene.heights import Levels, Scale, find_scale
from pipeline.stages.scene.settings import SceneSettings

WHERE_THEY_AGREE = ScaleCue.METRIC_DEPTH | ScaleCue.DOORWAY | ScaleCue.WINDOW | ScaleCue.STAIRS
"""Cues that are named where the scale is what they say."""


STEP_DOWN = 0.12
"""Metres below the floor from which on a level is another floor: the lowest step, more than noise."""


def find_scales(clips: Sequence[tuple[Levels, ScaleEvidence]], settings: SceneSettings) -> list[Scale]:
    """Return the scale of each clip of a video; ``settings.scale`` says which rule gives it.

    The deviation is that of what all clips of the video show, about the scale that the rule gave: a rule that is far
    from the evidence has a large one.
    """
    estimates = estimate_scales([evidence for _, evidence in clips])
    if settings.scale == "evidence":
        shared = len(clips) > 1
        scales = [by_evidence(levels, found, shared) for (levels, _), found in zip(clips, estimates, strict=True)]
    else:
        scales = [find_scale(levels, settings) for levels, _ in clips]
    return [_with_deviation(scale, found) for scale, found in zip(scales, estimates, strict=True)]


def _with_deviation(scale: Scale, found: ScaleEstimate) -> Scale:
    """Add the deviation; where cues disagree, it is at least half of what they are apart, and the scale says so."""
    sigma, odd = found.deviation(float(np.log(scale.metres))), disagreement(found.readings)
    if odd is None:
        return replace(scale, sigma=sigma)
    cues = scale.cues | ScaleCue.DISAGREEING
    return replace(scale, sigma=max(sigma, odd.apart / 2), cues=cues, disagree=odd.sentence())


def by_evidence(levels: Levels, found: ScaleEstimate, shared: bool) -> Scale:
    """Return the median of an estimate as a scale; shared: the video has other clips, which say something, too."""
    metres = float(np.exp(found.median()))
    cues = ScaleCue.FLOOR if found.floor_seen else ScaleCue.LOWEST
    if found.held > 0.5:
        cues |= ScaleCue.CAMERA_HEIGHT
    cues |= ScaleCue.HIGHEST if found.rise is None else ScaleCue.CEILING
    if shared:
        cues |= ScaleCue.OTHER_CLIPS
    for one in found.readings:
        if one.cue in WHERE_THEY_AGREE and one.agrees(float(np.log(metres))):
            cues |= one.cue
    return Scale(
        metres=metres,
        zero=levels.cameras - found.drop,
        source=ScaleSource.EVIDENCE,
        cues=cues,
        ceiling=float("nan") if found.rise is None else metres * (found.drop + found.rise),
    )


def lower_floors(levels: Levels, evidence: ScaleEvidence, scale: Scale) -> tuple[float, ...]:
    """Return how far other levels lie below what is taken for the floor, metres: the ground below a gallery, a step."""
    drop = levels.cameras - scale.zero
    below = [(level.distance - drop) * scale.metres for level in evidence.floors]
    return tuple(depth for depth in below if depth > STEP_DOWN)
