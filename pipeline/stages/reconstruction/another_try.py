"""Which clips of a video are tried again when its other clips have told the focal length, and what counts then."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from pipeline.contract.errors import InconsistentReconstruction, TooFewRegistered, UnlikelyReconstruction
from pipeline.contract.records import LeftOut, Reconstruction
from pipeline.stages.reconstruction.checkpoints import ClipCheckpoints

HELPED = frozenset(error.__name__ for error in (InconsistentReconstruction, TooFewRegistered, UnlikelyReconstruction))
"""Codes of refusals that a focal length may undo; it gives a camera that stands still no parallax."""


SURE_ENOUGH = 0.1
"""Spread of ln(focal length) below which clips that came through tell it to those that were refused."""

TRIES = 2
"""Times that a refused clip is tried again. Each draws other samples, and of few matches it is samples that decide."""


@dataclass(frozen=True)
class FinishedClips:
    """Results of a video's clips: the first reconstruction that a further try has, else what ``first`` has."""

    first: ClipCheckpoints
    again: tuple[ClipCheckpoints, ...] = ()

    def load(self, clip_id: int) -> Reconstruction | LeftOut:
        """Return what came of a clip; raises as ``ClipCheckpoints.load``."""
        tried = (one.load(clip_id) for one in self.again if clip_id in one)
        found = (result for result in tried if isinstance(result, Reconstruction))
        return next(found, None) or self.first.load(clip_id)

    def is_left_out(self, clip_id: int) -> bool:
        """Tell whether no try of a clip came through; raises as ``load``."""
        return isinstance(self.load(clip_id), LeftOut)

    def refusals(self, clip_id: int) -> list[LeftOut]:
        """Return why every attempt at a clip was refused, the first one's first; raises as ``load``."""
        tried = (one.load(clip_id) for one in (self.first, *self.again) if clip_id in one)
        return [result for result in tried if isinstance(result, LeftOut)]


def another_try(finished: ClipCheckpoints, clip_ids: Iterable[int]) -> tuple[set[int], float]:
    """Return the clips to try again, and the focal length (pixels across) of those that came through, 0 if none.

    That is the mean of their logarithms, weighted by how sure they are; where all of them are not sure enough together
    it is not told: a wrong clip would make others wrong.
    """
    refused: set[int] = set()
    logarithms, weights = [0.0], [0.0]
    for clip_id in clip_ids:
        fit, result, _ = finished.look(clip_id)
        if isinstance(result, LeftOut) and result.code in HELPED:
            refused.add(clip_id)
        elif isinstance(result, Reconstruction) and fit.focal > 0:
            logarithms.append(math.log(result.intrinsics[result.registered][:, 0, 0].mean()))
            weights.append(fit.spread**-2)
    is_sure = sum(weights) > SURE_ENOUGH**-2
    return refused, math.exp(np.average(logarithms, weights=weights)) if is_sure else 0.0
