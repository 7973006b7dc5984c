"""Hypotheses of where a clip's floor is, each over all log scales, and sums over them (``estimate``)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s
from pipeline.stages.scene import sizes

BLOCK, REACH = 16, 7 * sizes.CLIP_SPREAD
"""Camera heights of the lattice that are summed at once; beyond that distance nobody holds a camera."""


@dataclass(frozen=True)
class FloorHypothesis:
    """One hypothesis of where a clip's floor is: its weight, and densities over m log scales.

    height: (m,), log height of the camera. loose: (m,), density of a camera that is anywhere. held: probability that it
    is as high as in its video. level: whether the floor is a level that was seen. hidden: whether the lowest level is
    furniture that hides it. ceiling: (m, h). others: (m, b, d), by metric depth, stairs and openings.
    """

    weight: float
    drop: float
    level: bool
    hidden: bool
    height: Float64s
    loose: Float64s
    held: float
    ceiling: Float64s
    others: Float64s


@dataclass(frozen=True)
class Hypotheses:
    """All hypotheses of a clip at all their log scales, n rows, weighed: sums over them are products of matrices.

    A camera that is held is next to impossible but for few heights of it, so that is summed by blocks of them.
    """

    height: Float64s
    loose: Float64s
    held: Float64s
    ceiling: Float64s
    others: Float64s
    shared: tuple[int, int]

    @classmethod
    def of(cls, readings: Sequence[FloorHypothesis]) -> "Hypotheses":
        """Stack hypotheses, each with all its log scales."""
        return cls(
            height=np.concatenate([one.height for one in readings]),
            loose=np.concatenate([one.weight * one.loose for one in readings]),
            held=np.concatenate([np.full(len(one.height), one.weight * one.held) for one in readings]),
            ceiling=np.concatenate([one.ceiling for one in readings]),
            others=np.concatenate([one.others.reshape(len(one.others), -1) for one in readings]),
            shared=(readings[0].others.shape[1], readings[0].others.shape[2]),
        )

    def likelihood(self) -> Float64s:
        """Return the likelihood of (b, d, k, h), summed over all rows."""
        found = np.empty((self.others.shape[1], len(sizes.CAMERA), self.ceiling.shape[1]))
        found[:] = (self.others.T @ (self.loose[:, None] * self.ceiling))[:, None]
        for heights, rows, density in self._blocks():
            of_heights = (density[:, :, None] * self.ceiling[rows][:, None]).reshape(len(rows), -1)
            found[:, heights] += (self.others[rows].T @ of_heights).reshape(len(found), density.shape[1], -1)
        return found.reshape(*self.shared, *found.shape[1:])

    def weighed(self, video: Float64s) -> tuple[Float64s, Float64s]:
        """Return how likely each row is where a video is as likely as (b, d, k, h), and the part of a held camera."""
        known = video.reshape(-1, *video.shape[2:])
        held = np.zeros(len(self.height))
        for heights, rows, density in self._blocks():
            of_heights = self.others[rows] @ known[:, heights].reshape(len(known), -1)
            of_heights = of_heights.reshape(*density.shape, -1)
            held[rows] += np.einsum("rk,rkh,rh->r", density, of_heights, self.ceiling[rows], optimize=False)
        loose = self.loose * ((self.others @ known.sum(axis=1)) * self.ceiling).sum(axis=1)
        return loose + held, held

    def _blocks(self) -> Iterator[tuple[slice, NDArray[np.int64], Float64s]]:
        """Yield camera heights of a video, the rows (r,) that may be as high, and their density (r, k) there."""
        for start in range(0, len(sizes.CAMERA), BLOCK):
            heights = slice(start, start + BLOCK)
            lattice = sizes.CAMERA[heights]
            near = (self.height > lattice[0] - REACH) & (self.height < lattice[-1] + REACH)
            rows = np.flatnonzero(near)
            density = sizes.normal(self.height[rows, None] - lattice, sizes.CLIP_SPREAD)
            yield heights, rows, density * self.held[rows, None]
