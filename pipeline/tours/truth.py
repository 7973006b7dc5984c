"""The exact truth of the frames that a stored tour kept, rendered again from its seed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.records import MetricScene, Semantics
from pipeline.contract.tour_origin import TOUR_SCHEME, TourOrigin
from pipeline.store.groups import SOURCE_NOTES
from pipeline.store.outputs import SourceOutput, provenance
from pipeline.store.video import VideoStore
from pipeline.tours.settings import TourSettings
from pipeline.tours.tour import Tour
from pipeline.tours.worlds import in_world


@dataclass(frozen=True)
class TrueClip:
    """Exact cameras, depth and labels of the kept frames of one clip, in the tour's world.

    scene: depth (n, 480, 640), everything registered. semantics: labels (n, 480, 640) uint8, regions = instances.
    shot_id: (n,) int64; kind: kind of shot of every frame; in_transition: (n,) bool.
    """

    scene: MetricScene
    semantics: Semantics
    shot_id: NDArray[np.int64]
    kind: tuple[str, ...]
    in_transition: NDArray[np.bool_]


def tour_of(video: VideoStore) -> Tour | None:
    """Return the tour that a stored video was rendered from, in its world, with the settings its provenance notes.

    None where it is another kind of video, or not there.
    """
    made = provenance(video, SourceOutput())
    origin = str(video.read_json(SOURCE_NOTES)["origin"]) if made else ""
    if made is None or not origin.startswith(TOUR_SCHEME):
        return None
    named = TourOrigin.of(origin)
    return Tour.from_seed(named.seed, in_world(TourSettings.model_validate(made.settings["tour"]), named.world))


def true_clip(tour: Tour, frame_index: NDArray[np.int64]) -> TrueClip:
    """Render the truth of some frames of a tour."""
    frames = [tour.truth(int(index)) for index in frame_index]
    scene = MetricScene.known(
        np.stack([frame.intrinsics for frame in frames]),
        np.stack([frame.camera_to_world for frame in frames]),
        np.stack([frame.depth for frame in frames]),
    )
    return TrueClip(
        scene=scene,
        semantics=Semantics(
            labels=np.stack([frame.labels for frame in frames]),
            regions=np.stack([frame.instances for frame in frames]),
        ),
        shot_id=np.array([frame.shot_id for frame in frames]),
        kind=tuple(frame.kind for frame in frames),
        in_transition=np.array([frame.in_transition for frame in frames]),
    )
