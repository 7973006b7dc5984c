"""What the user should know about the sizes, floors and worlds of a video's clips, in sentences."""

from collections.abc import Mapping, Sequence

from pipeline.stages.scene.heights import Scale
from pipeline.stages.scene.scales import lower_floors
from pipeline.stages.scene.worlds import JoinedClips


def notes_on(
    of_clip: Mapping[int, tuple[JoinedClips, Scale]],
    floors: Mapping[int, Sequence[float]],
    worlds: Sequence[JoinedClips],
) -> list[str]:
    """Say which clips have evidence that disagrees, several floors or levels below theirs, and which share a world.

    of_clip: by clip, its world and scale. floors: by clip that is told in metres, how high its floors lie.
    """
    odd = [f"clip {clip_id}: {of_clip[clip_id][1].disagree}" for clip_id in floors if of_clip[clip_id][1].disagree]
    return [*odd, *_floors(floors), *_lower(of_clip, floors), *_joined(worlds)]


def _floors(floors: Mapping[int, Sequence[float]]) -> list[str]:
    """Say which clips have frames on several floors, or on another one than z = 0."""
    return [
        f"clip {clip_id}: floors at {' and '.join(f'{height:.2f}' for height in heights)} m"
        for clip_id, heights in floors.items()
        if any(heights)
    ]


def _lower(of_clip: Mapping[int, tuple[JoinedClips, Scale]], floors: Mapping[int, Sequence[float]]) -> list[str]:
    """Say which clips show a level below what is taken for their only floor."""
    found = {}
    for clip_id, heights in floors.items():
        world, scale = of_clip[clip_id]
        found[clip_id] = () if any(heights) else lower_floors(world.stands.levels, world.stands.evidence, scale)
    return [
        f"clip {clip_id}: another level {' and '.join(f'{depth:.1f}' for depth in depths)} m below its floor"
        for clip_id, depths in found.items()
        if depths
    ]


def _joined(worlds: Sequence[JoinedClips]) -> list[str]:
    return [f"clips of one world: {', '.join(map(str, world.members))}" for world in worlds if len(world.members) > 1]
