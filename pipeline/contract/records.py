"""The records that stages hand to one another.

Conventions: metres, seconds, pixels. Camera axes x right, y down, z forward; ``camera_to_world`` 4x4;
pixel centres at integers + 0.5. Intrinsics belong to the stored picture (640x480), depth maps may be
smaller: a depth map of width ``w`` has intrinsics scaled by ``w / 640``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Floats
from pipeline.contract.scale import ScaleCue, ScaleSource

FRAME_WIDTH = 640
FRAME_HEIGHT = 480


class Segment(NamedTuple):
    """A stretch of a video, seconds from its start, end exclusive."""

    start_s: float
    end_s: float


class Box(NamedTuple):
    """A part of an upright picture with square pixels, as shares of its width and height.

    whole: a part that is higher than wide keeps its height, between black columns; else its middle 4:3 part is stored.
    """

    left: float = 0.0
    top: float = 0.0
    right: float = 1.0
    bottom: float = 1.0
    whole: bool = False


WHOLE = Box()


@dataclass(frozen=True)
class Source:
    """Where a video came from and what arrived: the content of ``source.json``.

    notes: how its pictures or times are changed in reading, one sentence each.
    """

    video_id: str
    origin: str
    title: str
    uploader: str
    licence: str
    sha256: str
    size_bytes: int
    width: int
    height: int
    fps: float
    duration_s: float
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> "Source":
        """Return what ``source.json`` holds; raises ``KeyError`` where something is missing, ``TypeError`` else."""
        if not isinstance(content, Mapping):
            raise TypeError("the description of a video is no record")
        notes = tuple(map(str, content.get("notes", ())))
        return cls(notes=notes, **{known.name: content[known.name] for known in fields(cls) if known.name != "notes"})


@dataclass(frozen=True)
class ClipScores:
    """What may speak against a clip; shares are of pixels.

    motion, shake: median step and mean change of steps between kept frames, in picture widths. brightness: mean, 0 to
    1. clipped: share that is black or white. drawn: share of flat areas. overlay, split: share of what is laid over the
    picture, and length of its longest straight line; None where the scene does not move, so that nothing tells.
    repeats: share of its frames that an earlier clip of the video shows.
    """

    motion: float
    shake: float
    brightness: float
    clipped: float
    drawn: float
    overlay: float | None
    split: float | None
    repeats: float = 0.0


@dataclass(frozen=True)
class Clip:
    """Frames of one shot, chosen for reconstruction.

    start_frame, end_frame: the trimmed shot, end exclusive, in frames of the video.
    frame_index: (n,) int64, the kept frames; time_s: (n,) float64, their presentation times.
    sharpness: (n,) float32, variance of the Laplacian of each kept frame.
    motion: median optical-flow length between kept frames, in picture widths.
    scores: what may speak against the clip; None where it was cut before scores were kept.
    box: the part of the picture that holds the film; bars lie around it.
    """

    clip_id: int
    start_frame: int
    end_frame: int
    frame_index: NDArray[np.int64]
    time_s: NDArray[np.float64]
    sharpness: Floats
    motion: float
    scores: ClipScores | None = None
    box: Box = WHOLE


@dataclass(frozen=True)
class LeftOut:
    """A clip (or, with ``clip_id`` None, a video) that a stage left out, and why.

    time_s: presentation times of some of its frames, seconds, where no row of ``clips.parquet`` says them. box: the
    part of the picture that was looked at.
    """

    stage: str
    clip_id: int | None
    code: str
    detail: str
    time_s: tuple[float, ...] = ()
    box: Box = WHOLE


@dataclass(frozen=True)
class SceneCategory:
    """A kind of room or place ("kitchen") and how probable it is that a clip shows it."""

    name: str
    probability: float


@dataclass(frozen=True)
class IndoorScore:
    """P(indoor) of one clip, and what else the backend can say.

    evidence: the backend's own measures, by name, for the curious. categories: kinds of scene, most probable first.
    people: a sentence where people fill much of the picture, so that the clip is not wanted; empty for others.
    turned: by how much more the clip looks like a room once turned by one, two and three quarters counter-clockwise, in
    nats; empty where the backend does not tell.
    """

    indoor: float
    evidence: dict[str, float] = field(default_factory=dict)
    categories: tuple[SceneCategory, ...] = ()
    people: str = ""
    turned: tuple[float, ...] = ()


class DepthSource(IntEnum):
    """Whose the depth of a pixel is; stored as ``reconstruction/depth_source`` where more than one kind is mixed."""

    NONE = 0
    MATCHED = 1
    PLANE = 2
    NETWORK = 3
    CARRIED = 4
    """Matched in another frame."""


@dataclass(frozen=True)
class Reconstruction:
    """Cameras and depth of one clip of n frames, up to one unknown scale, in an arbitrary world frame.

    intrinsics: (n, 3, 3) float32, pixels of the 640x480 picture.
    camera_to_world: (n, 4, 4) float32.
    depth: (n, h, w) float32, z-depth in the reconstruction's unit, 0 = no value.
    confidence: (n, h, w) float32 in [0, 1], 0 where depth is 0.
    registered: (n,) bool; rows of unregistered frames hold zeros.
    probability_right: how probable it is that all of this is right, in [0, 1]; nan where the backend cannot tell.
    notes: what the user should know ("two models, kept the larger"), one sentence each.
    depth_source: (n, h, w) uint8, ``DepthSource`` of every pixel; None where all is of one kind.
    log_scale, log_scale_sigma: natural logarithm of metres a unit as metric depth says it, and its standard deviation;
        nan where nothing says it.
    """

    intrinsics: Floats
    camera_to_world: Floats
    depth: Floats
    confidence: Floats
    registered: NDArray[np.bool_]
    notes: tuple[str, ...] = ()
    probability_right: float = float("nan")
    depth_source: NDArray[np.uint8] | None = None
    log_scale: float = float("nan")
    log_scale_sigma: float = float("nan")


@dataclass(frozen=True)
class MetricScene:
    """A reconstruction in metres: z up, floor at z = 0, walls along x and y.

    Arrays as in ``Reconstruction``, outliers removed from depth (0 = no value).
    ceiling_height: metres at this scale, or nan where the ceiling was not seen; under the paper's rule what walls are
    said to be. camera_height: of the median camera above its floor, metres at this scale.
    up_confidence: in [0, 1], share of the evidence (normals) that agrees on the up direction.
    scale_source: floor to ceiling, or which bound was used instead. scale_cues: what it was read from. scale_sigma:
    standard deviation of the logarithm of the scale, nan where it is not known.
    world_from_reconstruction: (4, 4) float64 similarity that was applied.
    guessed: (n, h, w) bool, pixels that have the depth of the wall around a window or mirror; None where none have.
    world_id: the first clip of those that share one frame, floor and scale with this one; -1 where it is not known.
    floor_height: (n,) metres, how high the floor of what a frame shows lies above z = 0; None where all stand on that.
    """

    intrinsics: Floats
    camera_to_world: Floats
    depth: Floats
    confidence: Floats
    registered: NDArray[np.bool_]
    ceiling_height: float
    up_confidence: float
    scale_source: ScaleSource
    world_from_reconstruction: NDArray[np.float64]
    guessed: NDArray[np.bool_] | None = None
    camera_height: float = float("nan")
    scale_sigma: float = float("nan")
    scale_cues: ScaleCue = ScaleCue.NONE
    world_id: int = -1
    floor_height: Floats | None = None

    @classmethod
    def known(cls, intrinsics: Floats, camera_to_world: Floats, depth: Floats) -> "MetricScene":
        """Return a scene whose cameras and depth are known and not estimated: all registered, all certain."""
        return cls(
            intrinsics=intrinsics,
            camera_to_world=camera_to_world,
            depth=depth,
            confidence=(depth > 0).astype(np.float32),
            registered=np.ones(len(depth), np.bool_),
            ceiling_height=float("nan"),
            up_confidence=1.0,
            scale_source=ScaleSource.NONE,
            world_from_reconstruction=np.eye(4),
        )


@dataclass(frozen=True)
class Semantics:
    """Labels and regions of one clip: labels (n, h, w) uint8, 255 = unknown; regions (n, h, w) uint16, 0 = none.

    h, w are those of the scene's depth. What only some backends can tell may be None:
    confidence: (n, h, w) uint8, 255 = certain of the label.
    moving: (n, h, w) bool, people and pets, which belong into no geometry.
    region_embeddings: (R, E) float16, unit vectors of all frames' regions, comparable with CLIP's text embeddings.
    region_offsets: (n + 1,) int64; region r of frame f has row ``region_offsets[f] + r - 1``.
    notes: what the user should know, one sentence each.
    """

    labels: NDArray[np.uint8]
    regions: NDArray[np.uint16]
    confidence: NDArray[np.uint8] | None = None
    moving: NDArray[np.bool_] | None = None
    region_embeddings: NDArray[np.float16] | None = None
    region_offsets: NDArray[np.int64] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Occupancy:
    """Per-frame grids of one clip of n frames.

    labels: (n, 60, 60, 36) uint8, ``labels[x, y, z]``: 0 empty, 1..11 classes, 12 occupied without a name,
    255 unknown.
    origin: (n, 3) float32, corner of voxel (0, 0, 0) in the frame's grid frame, metres.
    grid_from_world: (n, 4, 4) float32, the right-angle turn about z that makes the camera look along +y.
    guessed: (n, 60, 60, 36) bool, voxels that hold guessed pixels alone; None where there are none.
    """

    labels: NDArray[np.uint8]
    origin: Floats
    grid_from_world: Floats
    guessed: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class FrameGrid:
    """The grid of one frame: labels (60, 60, 36) uint8; origin (3,) and grid_from_world (4, 4) as in ``Occupancy``."""

    labels: NDArray[np.uint8]
    origin: NDArray[np.float64]
    grid_from_world: NDArray[np.float64]


def without_moving(scene: MetricScene, semantics: Semantics) -> MetricScene:
    """Drop the depth of people and pets, which belong into no grid."""
    return scene if semantics.moving is None else replace(scene, depth=np.where(semantics.moving, 0, scene.depth))
