"""The scale of every clip of a video: by the paper's rule or by all evidence, with a deviation either way."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pipeline.contract.scale import ScaleCue, ScaleSource
from pipeline.stages.scene.estimate import ScaleEstimate, estimate_scales
from pipeline.stages.scene.evidence import ScaleEvidence
from pipeline.stages.scene.heights import Levels, Scale, find_scale
from pipeline.stages.scene.settings import SceneSettings


def find_scales(clips: Sequence[tuple[Levels, ScaleEvidence]], settings: SceneSettings) -> list[Scale]:
    """Return the scale of each clip of a video; ``settings.scale`` says which rule gives it.

    The deviation is that of what all clips of the video show, about the scale that the rule gave: a rule that is far
    from the evidence has a large one.
    """
    estimates = estimate_scales([evidence for _, evidence in clips])
    if settings.scale == "evidence":
        return [by_evidence(levels, found, len(clips) > 1) for (levels, _), found in zip(clips, estimates, strict=True)]
    scales = [find_scale(levels, settings) for levels, _ in clips]
    deviations = (found.deviation(float(np.log(one.metres))) for one, found in zip(scales, estimates, strict=True))
    return [replace(one, sigma=sigma) for one, sigma in zip(scales, deviations, strict=True)]


def by_evidence(levels: Levels, found: ScaleEstimate, shared: bool) -> Scale:
    """Return the median of an estimate as a scale; shared: the video has other clips, which say something, too."""
    metres = float(np.exp(found.median()))
    cues = ScaleCue.FLOOR if found.floor_seen else ScaleCue.LOWEST
    if found.held > 0.5:
        cues |= ScaleCue.CAMERA_HEIGHT
    cues |= ScaleCue.HIGHEST if found.rise is None else ScaleCue.CEILING
    if shared:
        cues |= ScaleCue.OTHER_CLIPS
    return Scale(
        metres=metres,
        zero=levels.cameras - found.drop,
        source=ScaleSource.EVIDENCE,
        cues=cues,
        ceiling=float("nan") if found.rise is None else metres * (found.drop + found.rise),
        sigma=found.deviation(float(np.log(metres))),
    )
