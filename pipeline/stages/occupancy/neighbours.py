"""The clips beside a clip in its world, whose points fill its grids, too."""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.records import DepthSource, MetricScene, without_moving
from pipeline.geometry.filling import LabelledClip
from pipeline.store.groups import FRAMES
from pipeline.store.rows import clip_rows, read_depth_source, read_labels, read_scene, read_world_id
from pipeline.store.video import VideoStore


@dataclass
class Neighbours:
    """Reads the clips of a video with up to ``reach`` clips of the same world before and after each.

    Asked clip after clip, it reads each once and holds no more than 2 ``reach`` + 1.
    """

    video: VideoStore
    reach: int
    _held: dict[int, LabelledClip] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clips = clip_rows(self.video)
        self._numbers = self.video.read(FRAMES, "frame_index")
        ids = read_world_id(self.video)
        self._worlds = [int(ids[rows.start]) for _, rows in self.clips]

    def of(self, place: int) -> tuple[LabelledClip, list[LabelledClip]]:
        """Return a clip, by its place among all, without what moves, and those beside it in the order of the video.

        A frame that clips share fills grids once: it is registered in the clip, or in the first of those beside it.
        """
        world = [one for one, world_id in enumerate(self._worlds) if world_id == self._worlds[place] >= 0] or [place]
        at = world.index(place)
        wanted = world[max(at - self.reach, 0) : at + self.reach + 1]
        self._held = {one: self._held.get(one) or self._read(one) for one in wanted}
        taken, beside = self._numbers[self.clips[place][1]], []
        for one in wanted:
            if one != place:
                scene, labels = self._held[one]
                numbers = self._numbers[self.clips[one][1]]
                beside.append((replace(scene, registered=scene.registered & ~np.isin(numbers, taken)), labels))
                taken = np.concatenate([taken, numbers])
        return self._held[place], beside

    def _read(self, place: int) -> LabelledClip:
        rows = self.clips[place][1]
        scene, labels = read_scene(self.video, rows), read_labels(self.video, rows)
        scene = with_filled(scene, read_depth_source(self.video, rows))
        return without_moving(scene, labels), labels


def with_filled(scene: MetricScene, source: NDArray[np.uint8] | None) -> MetricScene:
    """Return a scene whose pixels count as guessed, too, that a network or a plane filled; source: (n, h, w), if any.

    Depth that was matched, in this frame or another, is measured; where a network gives all depth, it is no guess.
    """
    if source is None:
        return scene
    filled = np.isin(source, (DepthSource.PLANE, DepthSource.NETWORK)) & (scene.depth > 0)
    return replace(scene, guessed=filled if scene.guessed is None else scene.guessed | filled)
