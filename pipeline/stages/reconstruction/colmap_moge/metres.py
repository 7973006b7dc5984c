"""What MoGe-2's metres say of the scale of a clip, whoever found its cameras and its depth."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s, Floats
from pipeline.contract.records import FRAME_WIDTH, Reconstruction
from pipeline.geometry.depth_alignment import align_depth
from pipeline.geometry.depth_scale import TrustedPixels
from pipeline.stages.reconstruction.colmap_moge.looks import NetworkLook
from pipeline.stages.reconstruction.metric_evidence import evidence_note, scale_evidence


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

    frames: (r,), rows of the clip. focal: (r,), picture widths. camera_to_world: (r, 4, 4). depth, confidence:
    (r, h, w), 0 = no value.
    """

    frames: NDArray[np.int64]
    focal: Float64s
    camera_to_world: Float64s
    depth: Floats
    confidence: Floats


def with_metres(result: Reconstruction, seen: NetworkLook, given: GivenDepth, metres: Metres) -> Reconstruction:
    """Add what metric depth says of the scale, and a note; a network that gives no metres changes nothing."""
    if seen.metres is None:
        return result
    focal_ratio = seen.focal[given.frames] / given.focal
    trusted = TrustedPixels(solid=metres.solid, weights=given.confidence, facing=metres.facing)
    own = seen.own_spread(given.frames)
    scale = scale_evidence(metres.depth, given.depth, trusted, focal_ratio, given.camera_to_world, own)
    notes = (*result.notes, evidence_note(scale))
    if scale is None:
        return replace(result, notes=notes)
    return replace(result, notes=notes, log_scale=scale.log_scale, log_scale_sigma=scale.sigma)


def of_another_network(result: Reconstruction, seen: NetworkLook, max_beyond: float) -> Reconstruction:
    """Add what metric depth says of cameras and depth (n, h, w) that another network has found.

    Only frames count in which both have one shape: the depth of every quarter is foretold by that of the others to
    ``max_beyond``, as where depth was matched.
    """
    frames = np.flatnonzero(result.registered)
    focal = result.intrinsics[frames, 0, 0].astype(np.float64) / FRAME_WIDTH
    poses = result.camera_to_world[frames].astype(np.float64)
    given = GivenDepth(frames, focal, poses, result.depth[frames], result.confidence[frames])
    depth, solid = seen.seen_with(frames, focal)
    fits = [align_depth(said, of_other) for said, of_other in zip(depth, given.depth, strict=True)]
    known = np.array([fit is not None and fit.beyond <= max_beyond for fit in fits], np.bool_)
    metres = Metres(depth, solid & known[:, None, None], seen.facing(frames, focal))
    return with_metres(result, seen, given, metres)
