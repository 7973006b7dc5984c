"""Glass that is looked through, mirrors and glossy floors: what their pixels show beside what they are."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Floats
from pipeline.tours.materials import SurfaceKind

BOUNCES = 3
"""Panes and mirrors one after another that a ray is followed through."""
AHEAD = 1e-3
"""Metres that a ray starts behind or before the surface that it comes from."""
PANE_REFLECTS, GLOSS_REFLECTS = 0.08, 0.05
"""Share of the light that two faces of a pane, and one of lacquer, throw back head-on (Schlick's approximation)."""
PANE_TINT, SILVER = np.array((0.96, 0.98, 0.97), np.float32), np.float32(0.93)
GLOSS_BLUR = 4.0
"""How many times farther away things in a glossy floor look by their detail: lacquer is not quite even."""

Trace = Callable[[Floats, Floats, Floats], "Seen"]
"""Traces origins (n, 3), directions (n, 3) and metres travelled so far (n,)."""


@dataclass(frozen=True)
class Seen:
    """What n rays show. colours: (n, 3) float32 in 0..255; triangle: (n,) int64, -1 = sky; distance: (n,) float32.

    triangle and distance are of what is made out: behind a pane, in a mirror, on a floor.
    """

    colours: Floats
    triangle: NDArray[np.int64]
    distance: Floats


@dataclass(frozen=True)
class Surroundings:
    """Rays that met surfaces. points: (n, 3) metres; directions: (n, 3), 1 long along the camera's axis.

    normals: (n, 3), unit; distance: (n,) travelled so far.
    """

    points: Floats
    directions: Floats
    normals: Floats
    distance: Floats

    def rows(self, rows: NDArray[np.int64]) -> "Surroundings":
        """Return some of the rays."""
        return Surroundings(self.points[rows], self.directions[rows], self.normals[rows], self.distance[rows])


def seen_with_optics(own: Seen, surfaces: NDArray[np.uint8], met: Surroundings, trace: Trace) -> Seen:
    """Return what rays show that met ``surfaces`` (n,), each of whose patterns alone would show ``own``."""
    colours, triangle, distance = own.colours.copy(), own.triangle.copy(), own.distance.copy()
    for surface, look in (
        (SurfaceKind.GLASS, _through),
        (SurfaceKind.MIRROR, _mirrored),
        (SurfaceKind.GLOSSY, _on_gloss),
    ):
        rows = np.flatnonzero(surfaces == surface)
        if len(rows):
            seen = look(Seen(own.colours[rows], own.triangle[rows], own.distance[rows]), met.rows(rows), trace)
            colours[rows], triangle[rows], distance[rows] = seen.colours, seen.triangle, seen.distance
    return Seen(colours, triangle, distance)


def reflected(directions: Floats, normals: Floats) -> Floats:
    """Return directions (n, 3) after a mirror with ``normals`` (n, 3); their length stays."""
    along = np.einsum("ij,ij->i", directions, normals)
    return np.asarray(directions - 2 * along[:, None] * normals, np.float32)


def _through(_own: Seen, met: Surroundings, trace: Trace) -> Seen:
    behind = trace(met.points + AHEAD * met.directions, met.directions, met.distance)
    share = _schlick(met, PANE_REFLECTS)[:, None]
    mirrored = _back(met, trace, met.distance)
    colours = (1 - share) * PANE_TINT * behind.colours + share * mirrored.colours
    return Seen(np.asarray(colours, np.float32), behind.triangle, behind.distance)


def _mirrored(_own: Seen, met: Surroundings, trace: Trace) -> Seen:
    seen = _back(met, trace, met.distance)
    return Seen(SILVER * seen.colours, seen.triangle, seen.distance)


def _on_gloss(own: Seen, met: Surroundings, trace: Trace) -> Seen:
    share = _schlick(met, GLOSS_REFLECTS)[:, None]
    colours = (1 - share) * own.colours + share * _back(met, trace, GLOSS_BLUR * met.distance).colours
    return Seen(np.asarray(colours, np.float32), own.triangle, own.distance)


def _back(met: Surroundings, trace: Trace, travelled: Floats) -> Seen:
    turned = reflected(met.directions, met.normals)
    return trace(met.points + AHEAD * turned, turned, travelled)


def _schlick(met: Surroundings, head_on: float) -> Floats:
    """Return the share of light (n,) that is thrown back: little head-on, all at a glancing angle."""
    along = np.abs(np.einsum("ij,ij->i", met.directions, met.normals))
    cosine = along / np.linalg.norm(met.directions, axis=1)
    return np.asarray(head_on + (1 - head_on) * (1 - np.minimum(cosine, 1)) ** 5, np.float32)
