"""What the rules say of clips whose size is known: error, deviation, and whether cues disagree."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.contract.arrays import Float64s
from pipeline.contract.scale import ScaleCue
from pipeline.quality.metres.samples import SizedClip, by_video
from pipeline.stages.scene.scales import find_scales
from pipeline.stages.scene.settings import SceneSettings

RULES = ("paper", "evidence")


@dataclass(frozen=True)
class JudgedSizes:
    """What one rule says of clips, arrays (n,) in the order of the clips.

    error: natural logarithm of size over true size. sigma: its deviation as it is said. disagreeing: cues do. clips:
    themselves.
    """

    clips: tuple[SizedClip, ...]
    error: Float64s
    sigma: Float64s
    disagreeing: np.ndarray[tuple[int], np.dtype[np.bool_]]

    def where(self, chosen: Sequence[bool] | np.ndarray[tuple[int], np.dtype[np.bool_]]) -> "JudgedSizes":
        """Return those of some clips."""
        rows = np.flatnonzero(chosen)
        clips = tuple(self.clips[row] for row in rows.tolist())
        return JudgedSizes(clips, self.error[rows], self.sigma[rows], self.disagreeing[rows])

    def of_kind(self, kind: str) -> "JudgedSizes":
        """Return those of one kind of clips."""
        return self.where([clip.kind == kind for clip in self.clips])

    def within(self, deviations: float) -> float:
        """Return the share of clips whose truth lies within so many deviations."""
        return float((np.abs(self.error) <= deviations * self.sigma).mean())


def judge(clips: Sequence[SizedClip], rule: str) -> JudgedSizes:
    """Let all clips of a video find their scales together, as the stage ``scene`` does with a setting of ``scale``."""
    settings = SceneSettings.model_validate({"scale": rule})
    ordered, errors, sigmas, odd = list[SizedClip](), list[float](), list[float](), list[bool]()
    for group in by_video(clips):
        worlds = {clip.world_id: (clip.levels, clip.evidence) for clip in reversed(group)}
        scales = dict(zip(worlds, find_scales(list(worlds.values()), settings), strict=True))
        for clip in group:
            scale = scales[clip.world_id]
            ordered.append(clip)
            errors.append(float(np.log(scale.metres)) - clip.log_metres)
            sigmas.append(scale.sigma)
            odd.append(ScaleCue.DISAGREEING in scale.cues)
    return JudgedSizes(tuple(ordered), np.array(errors), np.array(sigmas), np.array(odd, np.bool_))


def factors(judged: JudgedSizes, members: Sequence[Sequence[tuple[str, int]]]) -> list[float]:
    """Return the largest over the smallest size, in true metres, of clips that belong together by (video, clip)."""
    error = {(clip.video, clip.clip_id): e for clip, e in zip(judged.clips, judged.error.tolist(), strict=True)}
    return [float(np.exp(np.ptp([error[one] for one in group]))) for group in members]


def joined_members(clips: Sequence[SizedClip]) -> list[list[tuple[str, int]]]:
    """Return the clips (video, clip) of every world that has several."""
    groups: dict[tuple[str, int], list[tuple[str, int]]] = {}
    for clip in clips:
        groups.setdefault((clip.video, clip.world_id), []).append((clip.video, clip.clip_id))
    return [group for group in groups.values() if len(group) > 1]
