"""Somebody on a way through a shot: where he is at a moment, and in which step."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.tours.moves.route import Piece
from pipeline.tours.people.body import Body

STRIDE = 1.4
"""Metres of two steps."""
SETTLING = 0.4
"""Metres over which the limbs come to rest where somebody stops."""


@dataclass(frozen=True, eq=False)
class Walker:
    """A figure that walks along ``path`` from ``start`` seconds of shot ``shot_id`` on, and stands before and after.

    brightness: share of the usual light in the room.
    """

    figure: Body
    shot_id: int
    path: Piece
    start: float
    brightness: float = 1.0

    def spot(self, seconds: float) -> NDArray[np.float64]:
        """Return where it stands on the floor (3,), metres, so many seconds into the shot."""
        return np.array([np.interp(seconds - self.start, self.path.times, self.path.spots[:, i]) for i in range(3)])

    def vertices(self, seconds: float) -> NDArray[np.float64]:
        """Return its vertices (V, 3) in the world, metres, so many seconds into the shot."""
        walked = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(self.path.spots, axis=0), axis=1))])
        length = float(np.interp(seconds - self.start, self.path.times, walked))
        yaw = float(np.interp(seconds - self.start, self.path.times, self.path.yaw))
        stride = min(1.0, min(length, walked[-1] - length) / SETTLING)
        body = self.figure.posed(2 * np.pi * length / STRIDE, stride)
        cosine, sine = np.cos(yaw), np.sin(yaw)
        turn = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
        return np.asarray(body @ turn.T + self.spot(seconds))
