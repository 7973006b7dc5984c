"""Clips of one shot share frames and may share a world: one frame, one floor, one scale."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s
from pipeline.contract.errors import NoUpDirection
from pipeline.contract.records import MetricScene, Reconstruction
from pipeline.geometry.joining import join
from pipeline.geometry.poses import similarity_scale
from pipeline.stages.scene.heights import Scale
from pipeline.stages.scene.metric import Upright, in_metres, moved_cameras, upright_together
from pipeline.stages.scene.settings import SceneSettings

Cleaned = Callable[[int], Reconstruction]
"""Gives the cleaned reconstruction of a clip by its id."""


@dataclass(frozen=True)
class JoinedClips:
    """Clips that are one map. members: by clip id, the similarity (4, 4) from the clip's frame to the first clip's.

    stands: how the world stands, in the frame and unit of its first clip.
    """

    members: Mapping[int, Float64s]
    stands: Upright

    @property
    def world_id(self) -> int:
        """Id of the first clip."""
        return next(iter(self.members))

    def in_metres(self, clip_id: int, cleaned: Reconstruction, guessed: NDArray[np.bool_], scale: Scale) -> MetricScene:
        """Return the scene of a clip in the frame that all clips of the world share; ``scale`` is the world's."""
        to_first = self.members[clip_id]
        made = in_metres(self.stands, moved(cleaned, to_first), guessed, scale)
        placed = made.world_from_reconstruction @ to_first
        return replace(made, world_from_reconstruction=placed, world_id=self.world_id)


def find_worlds(
    standing: Mapping[int, Upright], frames: Mapping[int, NDArray[np.int64]], cleaned: Cleaned, settings: SceneSettings
) -> tuple[list[JoinedClips], list[str]]:
    """Join clips that share frames with the clip before them, where all that they share agrees.

    standing: how each clip stands by itself, in order. frames: (n,) by clip id, which frames of the video it has.
    Returns the worlds in order of their first clips, and why clips that share frames were not joined.
    """
    groups: list[dict[int, Float64s]] = []
    refused: list[str] = []
    for clip_id in standing:
        before = next(reversed(groups[-1])) if groups else None
        found = None if before is None else _joined(before, clip_id, frames, cleaned, refused)
        if before is None or found is None:
            groups.append({clip_id: np.eye(4)})
        else:
            groups[-1][clip_id] = groups[-1][before] @ found
    return [world for group in groups for world in _worlds(group, standing, cleaned, settings, refused)], refused


def _joined(
    before: int, clip_id: int, frames: Mapping[int, NDArray[np.int64]], cleaned: Cleaned, refused: list[str]
) -> Float64s | None:
    """Return the similarity from a clip's frame to that of the clip before it; None where they stay apart."""
    _, of_before, of_clip = np.intersect1d(frames[before], frames[clip_id], return_indices=True)
    if not len(of_clip):
        return None
    found = join(cleaned(before), cleaned(clip_id), of_before, of_clip)
    if found.refused:
        refused.append(f"clip {clip_id} is not joined with clip {before}: {found.refused}")
        return None
    return found.similarity


def _worlds(
    group: dict[int, Float64s],
    standing: Mapping[int, Upright],
    cleaned: Cleaned,
    settings: SceneSettings,
    refused: list[str],
) -> list[JoinedClips]:
    """Return the world of joined clips; where together they show no up, each stays by itself."""
    if len(group) > 1:
        try:
            pieces = [moved(cleaned(clip_id), to_first) for clip_id, to_first in group.items()]
            return [JoinedClips(group, upright_together(pieces, settings))]
        except NoUpDirection as error:
            refused.append(f"clips {', '.join(map(str, group))} are not joined: {error}")
    return [JoinedClips({clip_id: np.eye(4)}, standing[clip_id]) for clip_id in group]


def moved(found: Reconstruction, similarity: Float64s) -> Reconstruction:
    """Return a reconstruction in another frame and unit. similarity: (4, 4), from its frame to that."""
    scale = similarity_scale(similarity)
    cameras = moved_cameras(found.camera_to_world, found.registered, similarity)
    depth, log_scale = (found.depth * scale).astype(np.float32), found.log_scale - float(np.log(scale))
    return replace(found, camera_to_world=cameras, depth=depth, log_scale=log_scale)
