"""A camera that follows a path in time: where it is, where it looks, how unsteady the hand is."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.tours.camera import shaken

TURN_LIMIT = np.radians(75)
"""Radians a second that somebody turns at most while walking: tight bends are walked slowly."""
ACCELERATION = 0.9
SLOWEST = 0.12
STEP = 0.02
"""Metres between the points of a path."""


@dataclass(frozen=True, eq=False)
class Piece:
    """A part of a route. times: (n,) seconds from its start, rising; spots: (n, 3) metres; yaw, pitch: (n,) radians."""

    times: NDArray[np.float64]
    spots: NDArray[np.float64]
    yaw: NDArray[np.float64]
    pitch: NDArray[np.float64]

    @property
    def seconds(self) -> float:
        """How long it takes."""
        return float(self.times[-1])


@dataclass(frozen=True, eq=False)
class Route:
    """Pieces one after another, for ``duration`` seconds, filmed by an unsteady hand as a ``Walk`` is."""

    path: Piece
    duration: float
    shake: tuple[float, float]
    tremor_seed: int
    steps: float = 1.5

    @classmethod
    def of(
        cls, pieces: list[Piece], duration: float, shake: tuple[float, float], tremor_seed: int, steps: float = 1.5
    ) -> "Route":
        """Join pieces; the yaw runs on from each to the next by the short way."""
        starts = np.cumsum([0.0, *(piece.seconds for piece in pieces)])
        times = np.concatenate([piece.times + start for piece, start in zip(pieces, starts, strict=False)])
        joined = Piece(
            times,
            np.concatenate([piece.spots for piece in pieces]),
            np.unwrap(np.concatenate([piece.yaw for piece in pieces])),
            np.concatenate([piece.pitch for piece in pieces]),
        )
        return cls(joined, duration, shake, tremor_seed, steps)

    def at(self, seconds: float) -> NDArray[np.float64]:
        """Return camera_to_world (4, 4) float64, ``seconds`` after the start."""
        path = self.path
        spot = np.array([np.interp(seconds, path.times, path.spots[:, i]) for i in range(3)])
        yaw, pitch = (float(np.interp(seconds, path.times, angle)) for angle in (path.yaw, path.pitch))
        return shaken(spot, (yaw, pitch), seconds, self.shake, self.tremor_seed, self.steps)


def walked(spots: NDArray[np.float64], speed: float, pitch: float) -> Piece:
    """Walk along ``spots`` (n, 3) looking ahead, up to ``speed`` metres a second: from rest to rest, slow in bends."""
    line = _evenly(spots)
    ahead = np.gradient(line[:, :2], axis=0)
    yaw = np.unwrap(np.arctan2(ahead[:, 1], ahead[:, 0]))
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
    bend = np.abs(np.gradient(yaw)) / STEP
    ends = np.minimum(length, length[-1] - length)
    pace = np.minimum(np.minimum(speed, TURN_LIMIT / np.maximum(bend, 1e-6)), np.sqrt(2 * ACCELERATION * ends))
    pace = np.maximum(_smoothed(pace, 0.1), SLOWEST)
    steps = np.maximum(np.diff(length) * 2 / (pace[1:] + pace[:-1]), np.abs(np.diff(yaw)) / TURN_LIMIT)
    times = np.concatenate([[0], np.cumsum(steps)])
    return Piece(times, line, yaw, np.full(len(line), pitch))


def turned(spot: NDArray[np.float64], yaw: tuple[float, ...], rate: float, pitch: tuple[float, float]) -> Piece:
    """Stand at ``spot`` (3,) and turn from angle to angle of ``yaw``, radians, each begun and ended gently.

    pitch: from where to where the camera is tilted meanwhile, radians.
    """
    share = np.linspace(0, 1, 25)[1:]
    times, angles = [np.zeros(1)], [np.array(yaw[:1])]
    for a, b in pairwise(yaw):
        seconds = max(abs(b - a) / rate, 0.2)
        times.append(times[-1][-1] + share * seconds)
        angles.append(a + (b - a) * share * share * (3 - 2 * share))
    all_times = np.concatenate(times)
    done = all_times / all_times[-1]
    return Piece(
        all_times,
        np.broadcast_to(spot, (len(all_times), 3)),
        np.concatenate(angles),
        pitch[0] + (pitch[1] - pitch[0]) * done * done * (3 - 2 * done),
    )


def smoothed_way(way: NDArray[np.float64], reach: float) -> NDArray[np.float64]:
    """Round the corners of a way (n, k) of cells over ``reach`` metres; its ends stay."""
    line = _evenly(way)
    return np.stack([_smoothed(line[:, i], reach) for i in range(way.shape[1])], axis=-1)


def _evenly(spots: NDArray[np.float64]) -> NDArray[np.float64]:
    """Put points ``STEP`` apart along a line of spots (n, k)."""
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(spots, axis=0), axis=1))])
    kept = np.concatenate([[True], np.diff(length) > 1e-9])
    at = np.linspace(0, length[-1], max(round(length[-1] / STEP), 2) + 1)
    return np.stack([np.interp(at, length[kept], spots[kept, i]) for i in range(spots.shape[1])], axis=-1)


def _smoothed(values: NDArray[np.float64], reach: float) -> NDArray[np.float64]:
    """Smooth values (n,) at every ``STEP`` by a Gaussian of ``reach`` metres, whose ends stay."""
    deviation = reach / STEP
    half = round(3 * deviation)
    weights = np.exp(-0.5 * (np.arange(-half, half + 1) / deviation) ** 2)
    padded = np.pad(values, half, mode="reflect", reflect_type="odd") if len(values) > 1 else np.pad(values, half)
    return np.convolve(padded, weights / weights.sum(), mode="valid")
