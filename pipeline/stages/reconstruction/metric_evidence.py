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


def _is_near(one: Float64s, two: Float64s, unit: float) -> bool:
    cosine = (np.trace(one[:3, :3].T @ two[:3, :3]) - 1) / 2
    turn = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    return bool(turn < TURN and np.linalg.norm(one[:3, 3] - two[:3, 3]) < STEP * unit)


def scale_evidence(
    metric: Floats,
    given: Floats,
    trusted: TrustedPixels,
    focal_ratio: Float64s,
    camera_to_world: Float64s,
    own_spread: float = OWN_SPREAD,
) -> DepthScale | None:
    """Compare metric with given depth, both (r, h, w), 0 = no value; None where no frame can tell.

    focal_ratio: (r,), the network's own focal length over the reconstruction's. own_spread: as of ``scale_from_depth``.
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
