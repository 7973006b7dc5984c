"""Clips of different shots that show one place become one map, where geometry proves that it is one."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s, Images
from pipeline.contract.records import Reconstruction
from pipeline.geometry.poses import similarity_scale
from pipeline.geometry.relocation import Relocation, Shown, relocated
from pipeline.stages.scene.metric import Upright
from pipeline.stages.scene.places import ClipFeatures, features_of, look_alikes, spread_out

REACH = 4
"""Clips before a clip that are asked whether they show the same place."""

UPS_APART = 10.0
"""Degrees between the ups of two clips, each found by itself, beyond which they do not stand in one room."""

Members = Mapping[int, Float64s]
"""Clips of one map: by id, the similarity (4, 4) from the clip's frame to that of the first."""


class Looked(NamedTuple):
    """A clip as it is compared with others: its cleaned reconstruction, and the features of some of its frames."""

    found: Reconstruction
    features: ClipFeatures


def looked_at(found: Reconstruction, pictures: Callable[[NDArray[np.int64]], Images]) -> Looked:
    """Return a clip with the features of some frames that have a camera. pictures: (k, 480, 640, 3) by their rows."""
    rows = spread_out(found.registered)
    return Looked(found, features_of(rows, pictures(rows), found.depth.shape[1:]))


def joined_shots(
    groups: list[Members], standing: Mapping[int, Upright], look: Callable[[int], Looked]
) -> tuple[list[Members], list[str]]:
    """Join groups of clips that show one place; returns them in order of their first clips, and what was joined.

    standing: how each clip stands by itself, in order. Each clip is compared with the ``REACH`` ones before it, and no
    more than these are held at once.
    """
    notes: list[str] = []
    held: dict[int, Looked] = {}
    for clip_id in standing:
        held[clip_id] = look(clip_id)
        for before in list(held)[-2::-1]:
            ours, theirs = (next(group for group in groups if one in group) for one in (clip_id, before))
            if ours is theirs:
                continue
            found = _compared(held[before], held[clip_id], standing[before], standing[clip_id])
            if found is not None and not found.refused:
                groups = [group for group in groups if group is not ours and group is not theirs]
                groups.append(_merged(theirs, ours, theirs[before] @ found.similarity @ np.linalg.inv(ours[clip_id])))
                notes.append(_note(before, clip_id, found))
        held = dict(list(held.items())[-REACH:])
    return sorted(groups, key=lambda group: next(iter(group))), notes


def _compared(before: Looked, clip: Looked, stood: Upright, stands: Upright) -> Relocation | None:
    """Return how a clip lies in the frame of one before it; None where nothing looks alike or their ups differ."""
    matched = look_alikes(before.features, clip.features)
    if matched is None:
        return None
    found = relocated(Shown(before.found, before.features.grey), Shown(clip.found, clip.features.grey), matched)
    up = found.similarity[:3, :3] @ stands.rotation[2] / similarity_scale(found.similarity)
    is_upright = float(up @ stood.rotation[2]) > np.cos(np.radians(UPS_APART))
    return found if is_upright else None


def _merged(first: Members, second: Members, to_first: Float64s) -> Members:
    """Return two groups as one, in the frame of the first of all clips. to_first: from the second's frame, (4, 4)."""
    members = {**first, **{clip_id: to_first @ similarity for clip_id, similarity in second.items()}}
    to_earliest = np.linalg.inv(members[min(members)])
    return {clip_id: to_earliest @ members[clip_id] for clip_id in sorted(members)}


def _note(before: int, clip_id: int, found: Relocation) -> str:
    places = f"{found.matches} places look alike, {found.agreeing:.0%} of their surfaces agree"
    return f"clips {before} and {clip_id} show one place: {places}"
