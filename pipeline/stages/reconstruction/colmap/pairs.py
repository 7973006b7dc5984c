"""Pairs of frames whose matches were verified, out of COLMAP's database and into our types."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s

if TYPE_CHECKING:
    import pycolmap


@dataclass(frozen=True)
class VerifiedPair:
    """Two frames and what their matches say of them, before any mapping.

    first, second: the frames. pixels_first, pixels_second: (m, 2) matched pixels of the 640x480 picture.
    rotation: (3, 3), second camera from first, or None where the matches do not tell.
    """

    first: int
    second: int
    pixels_first: Float64s
    pixels_second: Float64s
    rotation: Float64s | None

    @property
    def turn(self) -> float:
        """By how much the camera turned, degrees; nan where the matches do not tell."""
        if self.rotation is None:
            return float("nan")
        return float(np.degrees(np.arccos(np.clip((np.trace(self.rotation) - 1) / 2, -1, 1))))


class Features:
    """Keypoints and matches of a database, read once: every focal length that is tried is verified on the same."""

    def __init__(self, database: "pycolmap.Database") -> None:
        import pycolmap

        images = database.read_all_images()
        self.frame_of = {image.image_id: int(image.name.partition(".")[0]) for image in images}
        self.pixels: dict[int, Float64s] = {
            image_id: database.read_keypoints(image_id)[:, :2].astype(np.float64) for image_id in self.frame_of
        }
        ids, matches = database.read_all_matches()
        self.matches: dict[tuple[int, int], NDArray[np.uint32]] = {
            pycolmap.pair_id_to_image_pair(pair): match for pair, match in zip(ids, matches, strict=True)
        }


def verified(
    database: "pycolmap.Database", features: Features, options: "pycolmap.TwoViewGeometryOptions"
) -> list[VerifiedPair]:
    """Verify all matches anew with the database's camera; what does not stand is forgotten there.

    One pair after another on one thread, so that the same matches are always verified the same way.
    """
    import pycolmap

    database.clear_two_view_geometries()
    (camera,) = database.read_all_cameras()
    pairs, kinds = [], pycolmap.TwoViewGeometryConfiguration
    for (first, second), match in sorted(features.matches.items()):
        if len(match) < options.min_num_inliers:
            continue
        a, b = features.pixels[first], features.pixels[second]
        geometry = pycolmap.estimate_calibrated_two_view_geometry(camera, a, camera, b, match, options)
        inliers = geometry.inlier_matches
        refused = geometry.config in {kinds.UNDEFINED, kinds.DEGENERATE, kinds.WATERMARK}
        if refused or len(inliers) < options.min_num_inliers:  # what was refused keeps its inliers
            continue
        database.write_two_view_geometry(first, second, geometry)
        told = pycolmap.estimate_two_view_geometry_pose(camera, a, camera, b, geometry)
        rotation = geometry.cam2_from_cam1.rotation.matrix() if told and geometry.cam2_from_cam1 else None
        frames = features.frame_of[first], features.frame_of[second]
        pairs.append(VerifiedPair(*frames, a[inliers[:, 0]], b[inliers[:, 1]], rotation))
    return pairs


def turns_between(pairs: list[VerifiedPair], frame_count: int) -> Float64s:
    """Return by how much the camera turns from each frame to the next (n - 1,), degrees; nan where nothing tells."""
    turns = np.full(max(frame_count - 1, 0), np.nan)
    for pair in pairs:
        if abs(pair.second - pair.first) == 1:
            turns[min(pair.first, pair.second)] = pair.turn
    return turns
