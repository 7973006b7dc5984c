"""The scale of every clip of a video: by the paper's rule or by all evidence, with a deviation either way."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pipeline.contract.scale import ScaleCue, ScaleSource
from pipeline.stages.scene.cues import disagreement
from pipeline.stages.scene.estimate import ScaleEstimate, estimate_scales
from pipeline.stages.scene.evidence import LevelSeen, ScaleEvidence
from pipeline.stages.scene.floors import Ground, held_on_floors
from pipeline.stages.scene.heights import Levels, Scale, find_scale
from pipeline.stages.scene.settings import SceneSettings
from pipeline.stages.scene.sizes import SURE_HIDDEN, SURE_SHARE

WHERE_THEY_AGREE = ScaleCue.METRIC_DEPTH | ScaleCue.DOORWAY | ScaleCue.WINDOW | ScaleCue.STAIRS
"""Cues that are named where the scale is what they say."""


ONE_STEP = 1.05
"""Times as far below the camera from which on another level is a step down, and not the same floor."""

STEP_DOWN = 0.12
"""Metres below the floor from which on a level is another floor: the lowest step, more than noise."""


def find_scales(
    clips: Sequence[tuple[Levels, ScaleEvidence]], settings: SceneSettings, grounds: Sequence[Ground] = ()
) -> list[Scale]:
    """Return the scale of each clip of a video; ``settings.scale`` says which rule gives it.

    The deviation is that of what all clips of the video show, about the scale that the rule gave: a rule that is far
    from the evidence has a large one. grounds: what each clip shows of the floors its cameras stand on; by evidence, a
    clip that is carried over several floors is estimated once more, as one that is held above one.
    """
    scales = _scales(clips, settings)
    if settings.scale != "evidence" or not grounds:
        return scales
    held = [held_on_floors(*pair) for pair in zip(grounds, scales, strict=True)]
    if not any(held):
        return scales
    shown = [
        (levels, _carried(seen, height) if height else seen) for (levels, seen), height in zip(clips, held, strict=True)
    ]
    carried = _scales(shown, settings)
    return [
        replace(new, zero=old.zero, ceiling=old.ceiling * new.metres / old.metres) if height else new
        for old, new, height in zip(scales, carried, held, strict=True)
    ]


def _carried(seen: ScaleEvidence, held: float) -> ScaleEvidence:
    """Return what a clip shows whose cameras are all held so high, in its unit, above whichever floor they stand on.

    Levels and openings tell nothing then, since no one camera has them all above or below it.
    """
    below = (LevelSeen(held, SURE_SHARE, 0.0),)
    return ScaleEvidence(below, (), held, 0.0, 0.0, 0.0, metric=seen.metric, riser=seen.riser)


def _scales(clips: Sequence[tuple[Levels, ScaleEvidence]], settings: SceneSettings) -> list[Scale]:
    estimates = estimate_scales([evidence for _, evidence in clips])
    if settings.scale == "evidence":
        shared = len(clips) > 1
        scales = [by_evidence(levels, found, shared) for (levels, _), found in zip(clips, estimates, strict=True)]
    else:
        scales = [find_scale(levels, settings) for levels, _ in clips]
    told = [_with_deviation(scale, found) for scale, found in zip(scales, estimates, strict=True)]
    return [_with_doubt(*one) for one in zip(told, clips, strict=True)]


def _with_doubt(scale: Scale, clip: tuple[Levels, ScaleEvidence]) -> Scale:
    """Let a scale say so where the level taken for the floor is seen through another one, and be no surer than that."""
    levels, seen = clip
    drop = levels.cameras - scale.zero
    if seen.upper is None or drop < seen.upper * ONE_STEP:
        return scale
    above = (drop - seen.upper) * scale.metres
    said = f"what is taken for the floor is seen through a level {above:.1f} m above it, which may be the floor"
    return replace(
        scale,
        sigma=max(scale.sigma, float(np.log(drop / seen.upper)) / 2),
        cues=scale.cues | ScaleCue.DISAGREEING,
        disagree="; ".join(filter(None, (scale.disagree, said))),
    )


def _with_deviation(scale: Scale, found: ScaleEstimate) -> Scale:
    """Add the deviation; where cues disagree, it is at least half of what they are apart, and the scale says so."""
    sigma, odd = found.deviation(float(np.log(scale.metres))), disagreement(found.readings)
    said = [] if odd is None else [odd.sentence()]
    if found.hidden > SURE_HIDDEN:
        said.append(f"what is taken for the floor may be furniture that hides it (probability {found.hidden:.2f})")
    if not said:
        return replace(scale, sigma=sigma)
    apart = 0.0 if odd is None else odd.apart
    cues = scale.cues | ScaleCue.DISAGREEING
    return replace(scale, sigma=max(sigma, apart / 2), cues=cues, disagree="; ".join(said))


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
