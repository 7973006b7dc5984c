"""What metric depth of single pictures says of the scale of a reconstruction, as it is stored beside it.

The stage ``scene`` finds metres; this is one more witness for it: the natural logarithm of metres a unit, and its
standard deviation.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s, Floats
from pipeline.geometry.depth_scale import OWN_SPREAD, DepthScale, TrustedPixels, scale_from_depth

STEP, TURN = 0.25, 20.0
"""Moves (in median depths) and turns (degrees) below which two frames show the same, and count as one."""


MOST_FRAMES = 10
"""Frames of a clip whose metric depth is asked for where it is of no other use: more views hardly make a scale surer,
whose larger part of error all views share."""


def places_of(camera_to_world: Float64s, unit: float) -> NDArray[np.int64]:
    """Number (r,) the places that cameras (r, 4, 4) stand at; unit: median depth."""
    places = np.zeros(len(camera_to_world), np.int64)
    kept: list[Float64s] = []
    for row, pose in enumerate(camera_to_world):
        near = [number for number, other in enumerate(kept) if _is_near(pose, other, unit)]
        places[row] = near[0] if near else len(kept)
        if not near:
            kept.append(pose)
    return places


def frames_to_ask(camera_to_world: Float64s, unit: float, most: int = MOST_FRAMES) -> NDArray[np.int64]:
    """Return rows of cameras (r, 4, 4) that tell most of the scale, ``most`` at most, in order.

    First one of every place, evenly spread where there are more, then others, evenly spread. unit: median depth.
    """
    count = len(camera_to_world)
    if count <= most:
        return np.arange(count)
    _, firsts = np.unique(places_of(camera_to_world, unit), return_index=True)
    others = np.setdiff1d(np.arange(count), firsts)
    return np.sort(np.concatenate([_spread(firsts, most), _spread(others, most - len(firsts))]))


def _spread(rows: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return ``most`` of sorted rows at most, evenly spread."""
    at = np.linspace(0, len(rows) - 1, min(max(most, 0), len(rows)))
    return np.sort(rows)[np.round(at).astype(np.int64)]


def _is_near(one: Float64s, two: Float64s, unit: float) -> bool:
    cosine = (np.trace(one[:3, :3].T @ two[:3, :3]) - 1) / 2
    turn = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    return bool(turn < TURN and np.linalg.norm(one[:3, 3] - two[:3, 3]) < STEP * unit)


def scale_evidence(
    metric: Floats,
    given: Floats,
    trusted: TrustedPixels,
    focal_ratio: Float64s | None,
    camera_to_world: Float64s,
    own_spread: float = OWN_SPREAD,
) -> DepthScale | None:
    """Compare metric with given depth, both (r, h, w), 0 = no value; None where no frame can tell.

    focal_ratio: (r,), the network's own focal length over the reconstruction's; None where it has none. own_spread: as
    of ``scale_from_depth``.
    """
    known = given[given > 0]
    if not known.size:
        return None
    places = places_of(camera_to_world, float(np.median(known)))
    return scale_from_depth(metric, given, trusted, focal_ratio=focal_ratio, places=places, own_spread=own_spread)


def evidence_note(scale: DepthScale | None) -> str:
    """Say in a sentence what came of it."""
    if scale is None:
        return "Metric depth says nothing of the scale: no frame counted."
    counted = sum(not view.left_out for view in scale.views)
    said = f"{counted} of {len(scale.views)} frames, {scale.places} places"
    return f"Metric depth says the scale to {scale.sigma:.0%} ({said})."
