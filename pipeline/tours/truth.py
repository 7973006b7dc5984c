"""The exact truth of the frames that a stored tour kept, rendered again from its seed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.records import WHOLE, Box, MetricScene, Semantics
from pipeline.contract.tour_origin import TOUR_SCHEME, TourOrigin
from pipeline.geometry.rolling_shutter import Rectification
from pipeline.store.groups import SOURCE_NOTES
from pipeline.store.outputs import SourceOutput, provenance
from pipeline.store.rows import read_distortion, read_rolling_shutter
from pipeline.store.video import VideoStore
from pipeline.tours.frame_truth import FrameTruth
from pipeline.tours.settings import TourSettings
from pipeline.tours.tour import Tour
from pipeline.tours.worlds import in_world


@dataclass(frozen=True)
class TrueClip:
    """Exact cameras, depth and labels of the kept frames of one clip, in the tour's world.

    scene: depth (n, 480, 640), everything registered. semantics: labels (n, 480, 640) uint8, regions = instances.
    shot_id: (n,) int64; kind: kind of shot of every frame; in_transition: (n,) bool.
    pinhole: scene and semantics as pinholes would see them, where the tour was filmed through a lens that bends or row
    by row. elsewhere: (n, 480, 640) bool, panes and mirrors, in which one sees what is elsewhere, and people; None
    where there is nothing of the kind.
    """

    scene: MetricScene
    semantics: Semantics
    shot_id: NDArray[np.int64]
    kind: tuple[str, ...]
    in_transition: NDArray[np.bool_]
    pinhole: tuple[MetricScene, Semantics] | None = None
    elsewhere: NDArray[np.bool_] | None = None

    @property
    def depth_of_room(self) -> NDArray[np.float32]:
        """Depth (n, 480, 640) of what stays where it is and is where one sees it; 0 = not known, or nothing such."""
        depth = self.scene.depth
        return depth if self.elsewhere is None else np.where(self.elsewhere, np.float32(0), depth)

    def for_grids(self) -> "TrueClip":
        """Return the same clip seen by pinholes, whose depth becomes points by intrinsics and pose alone."""
        return self if self.pinhole is None else replace(self, scene=self.pinhole[0], semantics=self.pinhole[1])


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


def true_clip(tour: Tour, frame_index: NDArray[np.int64], box: Box = WHOLE) -> TrueClip:
    """Render the truth of some frames of a tour, as they are stored from a box of the video."""
    numbers = [int(index) for index in frame_index]
    frames = [tour.truth(number, box) for number in numbers]
    scene, semantics = _stacked(frames)
    straight = None if tour.filming is None else _stacked([tour.pinhole_truth(number, box) for number in numbers])
    return TrueClip(
        scene=scene,
        semantics=semantics,
        shot_id=np.array([frame.shot_id for frame in frames]),
        kind=tuple(frame.kind for frame in frames),
        in_transition=np.array([frame.in_transition for frame in frames]),
        pinhole=straight,
        elsewhere=np.stack([frame.glass | frame.mirror | frame.person for frame in frames]),
    )


def as_stored(video: VideoStore, truth: TrueClip, rows: slice | NDArray[np.int64]) -> TrueClip:
    """Return the truth of frames as they were filmed at the pixels of the stored pictures, rectified or not.

    Grids go on to be filled from what was filmed, or from pinholes.

    rows: of the frames in the video's arrays.
    """
    lens = read_distortion(video)
    if lens is None:
        return truth
    turned = read_rolling_shutter(video)
    rectification = Rectification.of_rows(lens, None if turned is None else turned[rows])
    scene, semantics, maps = truth.scene, truth.semantics, rectification.rectified_maps
    straight = replace(
        scene,
        intrinsics=rectification.rectified_intrinsics(scene.intrinsics),
        depth=rectification.rectified_depth(scene.depth, scene.intrinsics),
        confidence=maps(scene.confidence),
    )
    named = replace(semantics, labels=maps(semantics.labels), regions=maps(semantics.regions))
    for_grids = truth.for_grids()
    pinhole = for_grids.scene, for_grids.semantics
    elsewhere = None if truth.elsewhere is None else maps(truth.elsewhere)
    return replace(truth, scene=straight, semantics=named, pinhole=pinhole, elsewhere=elsewhere)


def _stacked(frames: Sequence[FrameTruth]) -> tuple[MetricScene, Semantics]:
    scene = MetricScene.known(
        np.stack([frame.intrinsics for frame in frames]),
        np.stack([frame.camera_to_world for frame in frames]),
        np.stack([frame.depth for frame in frames]),
    )
    labels, regions = (np.stack([getattr(frame, name) for frame in frames]) for name in ("labels", "instances"))
    return scene, Semantics(labels=labels, regions=regions)
