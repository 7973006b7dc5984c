"""What a network's metres say of the scale of a clip, whoever found its cameras and its depth."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s, Floats
from pipeline.contract.records import FRAME_WIDTH, Reconstruction
from pipeline.geometry.depth_alignment import align_depth
from pipeline.geometry.depth_scale import TrustedPixels
from pipeline.stages.reconstruction.metric_evidence import MOST_FRAMES, evidence_note, frames_to_ask, scale_evidence


class SeesMetres(Protocol):
    """What a network for metric depth says of n frames, each by itself."""

    @property
    def gives_metres(self) -> bool:
        """Whether its depth is metres."""
        ...

    @property
    def goes_with_focal(self) -> bool:
        """Whether metres grow with the focal length that is given."""
        ...

    def seen_with(self, frames: NDArray[np.int64], focal: Float64s) -> tuple[Floats, NDArray[np.bool_]]:
        """Return depth (r, h, w) of some frames with focal lengths (r,), picture widths, and where it is solid."""
        ...

    def facing(self, frames: NDArray[np.int64], focal: Float64s) -> Floats | None:
        """Return the cosine (r, h, w) between surface normals and rays; None where there are no normals."""
        ...

    def focal_ratio(self, frames: NDArray[np.int64], focal: Float64s) -> Float64s | None:
        """Return the network's own focal length over the given one (r,); None where it has none."""
        ...

    def own_spread(self, frames: NDArray[np.int64]) -> float:
        """Return the standard deviation of the log scale that one frame adds of its own."""
        ...


@dataclass(frozen=True)
class Metres:
    """What the network says of r frames whose lens is known.

    depth: (r, h, w), metres, 0 = no value. solid: (r, h, w) bool, where it is of something solid in a frame whose shape
    the network knows. facing: (r, h, w), cosine between surface normal and ray; None where it gives no normals.
    """

    depth: Floats
    solid: NDArray[np.bool_]
    facing: Floats | None


@dataclass(frozen=True)
class GivenDepth:
    """Depth of r frames in a unit that is asked for.

    frames: (r,), rows of what the network has seen. focal: (r,), picture widths. camera_to_world: (r, 4, 4). depth,
    confidence: (r, h, w), 0 = no value.
    """

    frames: NDArray[np.int64]
    focal: Float64s
    camera_to_world: Float64s
    depth: Floats
    confidence: Floats


def with_metres(
    result: Reconstruction, seen: SeesMetres, given: GivenDepth, metres: Metres, lens_spread: float = 0.0
) -> Reconstruction:
    """Add what metric depth says of the scale, and a note; a network that gives no metres changes nothing.

    lens_spread: standard deviation of the logarithm of the focal length, which counts where metres go with it.
    """
    if not seen.gives_metres:
        return result
    focal_ratio = seen.focal_ratio(given.frames, given.focal)
    trusted = TrustedPixels(solid=metres.solid, weights=given.confidence, facing=metres.facing)
    own = seen.own_spread(given.frames)
    scale = scale_evidence(metres.depth, given.depth, trusted, focal_ratio, given.camera_to_world, own)
    if scale is not None and seen.goes_with_focal:
        scale = replace(scale, sigma=math.hypot(scale.sigma, lens_spread))
    notes = (*result.notes, evidence_note(scale))
    if scale is None:
        return replace(result, notes=notes)
    return replace(result, notes=notes, log_scale=scale.log_scale, log_scale_sigma=scale.sigma)


def of_another_network(
    result: Reconstruction,
    look_at: Callable[[NDArray[np.int64]], SeesMetres],
    max_beyond: float,
    lens_spread: float = 0.0,
    most: int = MOST_FRAMES,
) -> Reconstruction:
    """Add what metric depth says of cameras and depth (n, h, w) that another network has found.

    Only frames count in which both have one shape: the depth of every quarter is foretold by that of the others to
    ``max_beyond``, as where depth was matched. look_at: asks the network of some frames (r,) of the clip, ``most`` at
    most. lens_spread: as of ``with_metres``.
    """
    registered = np.flatnonzero(result.registered)
    known = result.depth[registered]
    unit = float(np.median(known[known > 0])) if (known > 0).any() else 1.0
    cameras = result.camera_to_world[registered].astype(np.float64)
    frames = registered[frames_to_ask(cameras, unit, most)]
    seen, rows = look_at(frames), np.arange(len(frames))
    focal = result.intrinsics[frames, 0, 0].astype(np.float64) / FRAME_WIDTH
    poses = result.camera_to_world[frames].astype(np.float64)
    given = GivenDepth(rows, focal, poses, result.depth[frames], result.confidence[frames])
    depth, solid = seen.seen_with(rows, focal)
    fits = [align_depth(said, of_other) for said, of_other in zip(depth, given.depth, strict=True)]
    alike = np.array([fit is not None and fit.beyond <= max_beyond for fit in fits], np.bool_)
    metres = Metres(depth, solid & alike[:, None, None], seen.facing(rows, focal))
    return with_metres(result, seen, given, metres, lens_spread)
