"""Clips of one shot share frames, those of several may show one place: then they share frame, floor and scale."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s, Images
from pipeline.contract.errors import NoUpDirection
from pipeline.contract.records import MetricScene, Reconstruction
from pipeline.geometry.joining import join
from pipeline.geometry.poses import similarity_scale
from pipeline.stages.scene.heights import Scale
from pipeline.stages.scene.metric import Upright, in_metres, moved_cameras, upright_together
from pipeline.stages.scene.settings import SceneSettings
from pipeline.stages.scene.shots import Members, joined_shots, looked_at

JOIN_SPREAD = 0.01
"""Standard deviation of the logarithm by which a join errs: pieces of shots of tours differ by 0.3 to 1.5 %."""

Pictures = Callable[[int, NDArray[np.int64]], Images]
"""Gives pictures (k, 480, 640, 3) of a clip, by its id and their rows in it."""


class Stored(NamedTuple):
    """What is at hand of clips: which frames of the video each has (n,), cleaned reconstructions and pictures."""

    frames: Mapping[int, NDArray[np.int64]]
    cleaned: Callable[[int], Reconstruction]
    pictures: Pictures


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

    def scale_of(self, clip_id: int, scale: Scale) -> Scale:
        """Return the world's scale as a clip has it: less sure by the joins to the clips whose evidence it rests on."""
        order = list(self.members)
        joins = float(np.mean([abs(order.index(clip_id) - place) for place in range(len(order))]))
        return replace(scale, sigma=float(np.hypot(scale.sigma, JOIN_SPREAD * np.sqrt(joins))))

    def in_metres(self, clip_id: int, cleaned: Reconstruction, guessed: NDArray[np.bool_], scale: Scale) -> MetricScene:
        """Return the scene of a clip in the frame that all clips of the world share; ``scale``: as of ``scale_of``."""
        to_first = self.members[clip_id]
        made = in_metres(self.stands, moved(cleaned, to_first), guessed, scale)
        placed = made.world_from_reconstruction @ to_first
        return replace(made, world_from_reconstruction=placed, world_id=self.world_id)


def find_worlds(
    standing: Mapping[int, Upright], clips: Stored, settings: SceneSettings
) -> tuple[list[JoinedClips], list[str]]:
    """Join clips that share frames with the clip before them, and those of any shots that show one place.

    standing: how each clip stands by itself, in order. Returns the worlds in order of their first clips, and which
    shots were joined or why clips that share frames were not.
    """
    groups, said = _pieces_of_shots(standing, clips)
    shots, notes = groups, list[str]()
    if settings.join_shots and len(groups) > 1:
        shots, notes = joined_shots(
            groups, standing, lambda one: looked_at(clips.cleaned(one), partial(clips.pictures, one))
        )
    worlds = list[JoinedClips]()
    for shot in shots:
        try:
            worlds.append(_world(shot, groups, standing, clips, settings))
        except NoUpDirection as error:
            said.append(f"clips {', '.join(map(str, shot))} are not joined: {error}")
            worlds += _apart(shot, groups, standing, clips, settings)
    return sorted(worlds, key=lambda world: world.world_id), [*said, *notes]


def _pieces_of_shots(standing: Mapping[int, Upright], clips: Stored) -> tuple[list[Members], list[str]]:
    """Return groups of clips that share frames with the clip before them, and why others that do are not joined."""
    groups: list[dict[int, Float64s]] = []
    refused: list[str] = []
    for clip_id in standing:
        before = next(reversed(groups[-1])) if groups else None
        found = None if before is None else _joined(before, clip_id, clips, refused)
        if before is None or found is None:
            groups.append({clip_id: np.eye(4)})
        else:
            groups[-1][clip_id] = groups[-1][before] @ found
    return list(groups), refused


def _joined(before: int, clip_id: int, clips: Stored, refused: list[str]) -> Float64s | None:
    """Return the similarity from a clip's frame to that of the clip before it; None where they stay apart."""
    _, of_before, of_clip = np.intersect1d(clips.frames[before], clips.frames[clip_id], return_indices=True)
    if not len(of_clip):
        return None
    found = join(clips.cleaned(before), clips.cleaned(clip_id), of_before, of_clip)
    if found.refused:
        refused.append(f"clip {clip_id} is not joined with clip {before}: {found.refused}")
        return None
    return found.similarity


def _world(
    group: Members, shots: Sequence[Members], standing: Mapping[int, Upright], clips: Stored, settings: SceneSettings
) -> JoinedClips:
    """Return the world of clips, each of one of the shots; raises ``NoUpDirection`` where together they show no up."""
    if len(group) == 1:
        return JoinedClips(group, standing[next(iter(group))])
    pieces = [moved(clips.cleaned(clip_id), to_first) for clip_id, to_first in group.items()]
    numbers = [next(k for k, shot in enumerate(shots) if clip_id in shot) for clip_id in group]
    openings = [one.moved(to_first) for clip_id, to_first in group.items() for one in standing[clip_id].openings]
    return JoinedClips(group, upright_together(pieces, numbers, settings, openings))


def _apart(
    shot: Members,
    groups: Sequence[Members],
    standing: Mapping[int, Upright],
    clips: Stored,
    settings: SceneSettings,
) -> list[JoinedClips]:
    """Return the worlds of clips that together show no up: of pieces of a shot where those do, else of each clip."""
    worlds = list[JoinedClips]()
    for group in (one for one in groups if next(iter(one)) in shot):
        try:
            worlds.append(_world(group, groups, standing, clips, settings))
        except NoUpDirection:
            worlds += [JoinedClips({clip_id: np.eye(4)}, standing[clip_id]) for clip_id in group]
    return worlds


def moved(found: Reconstruction, similarity: Float64s) -> Reconstruction:
    """Return a reconstruction in another frame and unit. similarity: (4, 4), from its frame to that."""
    scale = similarity_scale(similarity)
    cameras = moved_cameras(found.camera_to_world, found.registered, similarity)
    depth, log_scale = (found.depth * scale).astype(np.float32), found.log_scale - float(np.log(scale))
    return replace(found, camera_to_world=cameras, depth=depth, log_scale=log_scale)
