"""What is known of sizes before anything is seen: of rooms, of how people hold cameras, of how often levels deceive.

Spreads are standard deviations of the natural logarithm.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s
from pipeline.geometry.depth_scale import SHARED_SPREAD

STEP = 0.02
"""Of the lattices of log camera height and log ceiling height."""

CAMERA = np.arange(np.log(0.35), np.log(4.5), STEP)
CEILING = np.arange(np.log(1.7), np.log(7.0), STEP)
"""Log of metres above the floor: of the camera that a video is filmed with, and of its ceilings."""

HELD, HELD_SPREAD = np.log(1.54), 0.07
"""Camera of somebody who walks through a home and films: as high as eyes, shoes making up for what hands are lower.
Eyes of women and men in Britain, Hong Kong, Japan and the US are 1.43 to 1.71 m up, each with 5 to 7 cm, all together
1.54 m with 7 % (personal.cityu.edu.hk/meachan, Online Anthropometry, 2-2)."""

PUT, PUT_SPREAD, PUT_SHARE = np.log(1.40), 0.30, 0.25
"""Cameras that are sat with, put on something, or held low; and their share of videos."""

CLIP_SPREAD = 0.03
"""Of a clip's camera height about that of its video."""

LOOSE, LOOSE_SPREAD, LOOSE_SHARE, LOOSE_SHARE_MOVED = np.log(1.5), 0.55, 0.04, 0.90
"""Clips whose camera is anywhere (overhead, drones, scans of a desk); their share, and where movement shows it. With a
spread of 0.40, errors were 1.5 deviations (root mean square) of four such clips of tours and 1.4 of nine real ones."""

MOVED, PITCHED = (0.15, 0.02), (0.5, 0.03)
"""Range of camera heights over height, and sine of pitch, from which on a camera is loose; and how sharply."""

MODERN, MODERN_SPREAD = np.log(2.55), 0.08
OTHER, OTHER_SPREAD, OTHER_SHARE = np.log(2.75), 0.22, 0.25
"""Ceilings of homes of today and of all others: farmhouses, city flats before the wars, lofts."""

ROOM_SPREAD, ROOM_APART, APART_SPREAD = 0.025, 0.12, 0.30
"""Of a room's ceiling about that of its video; share of rooms that go by no other, and their spread."""

LOOKS_UP = 0.3, 0.03
HIGH, HIGH_SPREAD, HIGH_SHARE = np.log(3.6), 0.5, 0.7
"""Sine of pitch from which on a camera looks up, and how sharply: at what is higher than a room (stairs, galleries,
lofts of two storeys). How high ceilings are there, and how often they go by no other room."""

FLOOR_RIGHT, CEILING_RIGHT = 0.98, 0.97
"""Probability that the farthest level with nothing behind it is the floor, or the ceiling. Of 91 such floors and 60
ceilings in 24 rendered houses, and 22 floors in three real films, none was another level; of 85 floors in 24 houses
that were looked at later one was."""

HIDDEN, HIDES, SURE_HIDDEN = 0.025, np.arange(0.3, 1.0, 0.1), 0.035
"""Probability that a level above which no other one is seen, as of furniture on a floor, is itself the top of what
fills the view; how far the floor lies below the camera then, over how far that top does, logarithms: 0.36 for a bed,
0.9 for a worktop; and the probability, by all that is seen, from which on a clip says so."""

FLOOR_BEYOND, CEILING_BEYOND, SURE_SHARE = 0.006, 0.010, 0.004
"""Share of surfaces behind a level by which that falls by e; share of surfaces on a level from which on it counts."""

BELOW_LOWEST, ABOVE_LOWEST, STRAY = 0.18, 0.12, 0.25
"""A floor out of view lies below the lowest surface, exponentially; or above it, where stray points lie lower."""

LANDING, LANDING_MOVED, UPPER_MOVED = 0.03, 0.7, 0.4
"""Least probability that a level is the floor that the camera is above, whatever is seen below it (galleries); the same
where the camera climbs, and the share of clips that climb in which the farthest of several levels is not."""

SEEN_BELOW = 0.2
"""Share of the height of all that is seen that must lie below the camera to say anything of the floor."""

TOP_MARGIN, TOP_SPREAD, TOP_PASSED = 0.05, 0.08, 0.15
"""How sharply a ceiling out of view bounds what is seen, and how likely it bounds nothing (slopes, stairs, panes)."""


DOOR, DOOR_SPREAD, DOOR_OWN = np.log(2.04), 0.03, 0.015
"""The usual head of an opening, how houses differ from it, and a door from others of its house, as found. Leaves are
1.981 or 2.040 m in Britain, 2.032 in the US, 2.040 in Australia, 2.0 to 2.1 in Europe (tables of makers)."""

ODD_HOUSE, ODD_HOUSE_HEAD, ODD_HOUSE_SPREAD = 0.10, 0.05, 0.17
"""Share of houses whose openings are alike and not usual (flats with high rooms, cottages, cellars), and by how much
they differ from the usual one: that openings of a house agree is no proof that they are usual."""

ODD_SILLS = 0.1
"""Share of houses with usual heads in which all sills are as high as in no other house."""

_USUAL, _ODD = np.arange(-0.07, 0.071, 0.0175), np.arange(0.11, 0.36, 0.06)
_DOORS = np.concatenate([-_ODD[2::-1], _USUAL, _ODD])
SILLS_TELL = np.append(np.isin(_DOORS, _USUAL), False)
DOORS, DOOR_REACH = np.append(_DOORS, 0.0), np.where(SILLS_TELL, 0.0, 0.03)
"""Kinds of houses: by how much their doors differ from the usual one, logarithms, and how far on either side each
stands for all there is: odd houses are kept apart coarsely. The last is that of ``ODD_SILLS``; ``SILLS_TELL``: of which
sills are usual, too."""

WINDOW, WINDOW_OWN, WINDOW_RIGHT = np.log(2.07), 0.035, 0.78
"""Heads of windows, which most houses keep level with those of their doors ("the vast majority of windows in American
houses", This Old House); their spread about those; the share of windows of which that is true in a
usual house: others end higher, under a roof, or are mere peepholes."""

WINDOW_WIDEST = 0.08
"""Spread of the heads of windows alone, where a third of them is odd: within three of it they contradict nothing."""

SILL, SILL_SPREAD, ANY_SILL, ANY_SILL_SPREAD, SILL_RIGHT = np.log(0.92), 0.11, np.log(0.75), 0.6, 0.7
"""Sills of windows that one leans out of ("the common height of 3 feet", there); of all others; the share of the
former."""

DOOR_RIGHT, ODD_HEAD, ODD_HEAD_SPREAD = 0.90, np.log(2.15), 0.25
"""Probability that what looks like a doorway of a usual house is one; heads of passages, arches, cupboards and the
rest."""

DOOR_WIDTHS = (0.28, 0.70)
"""Width of a doorway over its height: of one leaf, or of two narrow ones."""

DOOR_FOOT = 0.35
"""Share of the height above the floor below which an opening has to be open to be a doorway."""


RISER, RISER_SPREAD, RISER_RIGHT, ODD_RISER_SPREAD = np.log(0.185), 0.08, 0.85, 0.5
"""Steps of stairs: 0.15 to 0.22 m are allowed in British homes (Approved Document K), at most 0.197 in American ones
(IRC R311.7), both from memory; how often what looks like stairs is, and the spread of what is not."""

METRIC_BIASES = np.arange(-3.0, 3.01, 0.5) * SHARED_SPREAD
"""By which metric depth of all views of a house may be off together: logarithms."""

METRIC_OWN, METRIC_WRONG, METRIC_WRONG_SPREAD = 0.03, 0.06, 0.50
"""Least spread of what a clip's views add of their own; share of clips that metric depth mistakes, and by how much:
pictures in pictures, models of houses, what no training set has."""

METRIC_FIELD, METRIC_WIDE = 95.0, 0.12
"""Degrees of view across beyond which a network has seen few cameras, and what that adds to the spread: of 108 degrees
MoGe-2 is reported to see 97 (microsoft/MoGe issue 38), a fifth in focal length."""

METRIC_STEEP = 0.25
"""What it adds that the camera looks up steeply (``LOOKS_UP``) or down (``PITCHED``), as few pictures do: `moge_small`
learned from cameras that look 8 degrees up and 25 down at most, and was 0.28 off up a flight of stairs (0.09 said)."""


def normal(deviation: Float64s, spread: float) -> Float64s:
    """Return the density of a normal distribution, up to the square root of two pi."""
    return np.asarray(np.exp(-0.5 * (deviation / spread) ** 2) / spread)


def metric_prior() -> Float64s:
    """Return the probability of each of ``METRIC_BIASES``."""
    density = normal(METRIC_BIASES, SHARED_SPREAD)
    return np.asarray(density / density.sum())


def door_prior() -> Float64s:
    """Return the probability of each of ``DOORS``."""
    usual = (1 - ODD_HOUSE) * (1 - ODD_SILLS) * normal(_DOORS, DOOR_SPREAD)
    odd = ODD_HOUSE * normal(_DOORS - ODD_HOUSE_HEAD, ODD_HOUSE_SPREAD)
    density = (usual + odd) * np.gradient(_DOORS) / np.sqrt(2 * np.pi)
    return np.append(density, (1 - ODD_HOUSE) * ODD_SILLS)


def prior() -> NDArray[np.float64]:
    """Return the probability of (log camera height, log ceiling height) of a video on their lattices."""
    camera = (1 - PUT_SHARE) * normal(CAMERA - HELD, HELD_SPREAD) + PUT_SHARE * normal(CAMERA - PUT, PUT_SPREAD)
    modern = (1 - OTHER_SHARE) * normal(CEILING - MODERN, MODERN_SPREAD)
    ceiling = modern + OTHER_SHARE * normal(CEILING - OTHER, OTHER_SPREAD)
    both = camera[:, None] * ceiling[None]
    return np.asarray(both / both.sum())
