"""Pairs of frames whose matches were verified, out of COLMAP's database and into our types."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Float64s

if TYPE_CHECKING:
    import pycolmap


class MatchedPair(NamedTuple):
    """Two frames and the pixels (m, 2) of each that show the same points, as RANSAC left them.

    turn: by how much the camera turned from one to the other, degrees; nan where the two pictures do not tell.
    """

    first: int
    second: int
    pixels: Float64s
    pixels_second: Float64s
    turn: float = float("nan")


def as_arrays(pairs: Sequence[MatchedPair]) -> dict[str, NDArray[Any]]:
    """Return pairs as arrays: frames (p, 2), how many matches each has (p,), and pixels of both frames (m, 4)."""
    both = [np.concatenate([pair.pixels, pair.pixels_second], axis=1) for pair in pairs]
    return {
        "frames": np.array([(pair.first, pair.second) for pair in pairs], np.int64).reshape(-1, 2),
        "count": np.array([len(pixels) for pixels in both], np.int64),
        "pixels": np.concatenate([np.zeros((0, 4)), *both]),
    }


def of_arrays(arrays: Mapping[str, NDArray[Any]]) -> list[MatchedPair]:
    """Return what ``as_arrays`` was given, without turns."""
    parts = np.split(arrays["pixels"], np.cumsum(arrays["count"])[:-1])
    frames = arrays["frames"].tolist()
    return [
        MatchedPair(first, second, part[:, :2], part[:, 2:])
        for (first, second), part in zip(frames, parts[: len(frames)], strict=True)
    ]


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
) -> list[MatchedPair]:
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
        pose = geometry.cam2_from_cam1 if told else None
        turn = float(np.degrees(pose.rotation.angle())) if pose else float("nan")
        frames = features.frame_of[first], features.frame_of[second]
        pairs.append(MatchedPair(*frames, a[inliers[:, 0]], b[inliers[:, 1]], turn))
    return pairs


def turns_between(pairs: list[MatchedPair], frame_count: int) -> Float64s:
    """Return by how much the camera turns from each frame to the next (n - 1,), degrees; nan where nothing tells."""
    turns = np.full(max(frame_count - 1, 0), np.nan)
    for pair in pairs:
        if abs(pair.second - pair.first) == 1:
            turns[min(pair.first, pair.second)] = pair.turn
    return turns
