"""Bundle adjustment of cameras that a network gave, in a process of its own; its one argument is a folder.

Reads ``FOLDER/frames/*.png``, ``settings.json``, ``task.json`` and ``given.npz``; writes ``adjusted.npz`` and the
verified matches, ``matches.npz``. Matches of SIFT features become tracks; points start where the network's depth puts
them, which needs no parallax.

A share of the observations is held out. Points alone are adjusted to the others, then points, cameras and one focal
length: the cameras count where they foretell what was held out better than the network's do, by more than chance.
"""

import copy
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pycolmap

from models.array_files import read_npz
from pipeline.contract.arrays import Float64s
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH
from pipeline.stages.reconstruction.colmap.adjust import bundle_adjust, poses_of
from pipeline.stages.reconstruction.colmap.cameras import camera_of, frame_of
from pipeline.stages.reconstruction.colmap.features import Attempt, find_matches
from pipeline.stages.reconstruction.colmap.lens import FEWEST, WORST, HeldOut, hold_out
from pipeline.stages.reconstruction.colmap.pairs import Features, as_arrays, verified
from pipeline.stages.reconstruction.colmap.residuals import is_surely_less, projected
from pipeline.stages.reconstruction.colmap.settings import ColmapSettings
from pipeline.stages.reconstruction.colmap.sparse import verification, work
from pipeline.stages.reconstruction.colmap.task import Task

MISMATCH_PX = 4.0
"""Observations farther off than this after a first adjustment are mismatches."""
GOOD_PX = 2.0
"""Mean error of what was held out above which cameras are wrong, however much it fell."""
LEAST_GAIN, LEAST_SURE = 0.05, 4.0
FEWEST_SEEN = 20
"""Observations that tell how far a frame's depth is off."""

Sighting = tuple[int, int]
"""A feature: id of its image, and its number there."""


def adjust(folder: Path, settings: ColmapSettings, task: Task) -> None:
    """Adjust the cameras in ``given.npz`` and write what came of it."""
    given = read_npz(folder / "given.npz")
    attempt = Attempt(folder, settings, task, 0)
    find_matches(attempt)
    with closing(pycolmap.Database.open(attempt.database)) as database:
        features = Features(database)
        pairs = verified(database, features, verification(settings, task))
        tracks = tracks_of(database)
    np.savez(folder / "matches.npz", allow_pickle=False, **as_arrays(pairs))
    model = placed(given, features, tracks)
    found = {"errors": np.full(2, np.nan)}
    if model.num_points3D() > 0:
        found = compared_cameras(model, given, settings)
    np.savez(folder / "adjusted.npz", allow_pickle=False, **found)


def tracks_of(database: pycolmap.Database) -> list[list[Sighting]]:
    """Join verified matches to tracks of features; those that meet a frame twice are mistaken and left out."""
    leader: dict[Sighting, Sighting] = {}

    def first(seen: Sighting) -> Sighting:
        while leader.setdefault(seen, seen) != seen:
            leader[seen] = leader[leader[seen]]
            seen = leader[seen]
        return seen

    for pair, geometry in zip(*database.read_two_view_geometries(), strict=True):
        one, two = pycolmap.pair_id_to_image_pair(pair)
        for a, b in geometry.inlier_matches.tolist():
            leader[first((two, b))] = first((one, a))
    tracks: dict[Sighting, list[Sighting]] = {}
    for seen in sorted(leader):
        tracks.setdefault(first(seen), []).append(seen)
    return [track for track in tracks.values() if len(track) == len({image for image, _ in track})]


def placed(given: dict[str, np.ndarray], features: Features, tracks: list[list[Sighting]]) -> pycolmap.Reconstruction:
    """Return a model of the given cameras and of points where their depth puts tracks of three frames or more."""
    model = pycolmap.Reconstruction()
    params = np.array([float(given["focal"]), FRAME_WIDTH / 2, FRAME_HEIGHT / 2])
    camera = pycolmap.Camera(model="SIMPLE_PINHOLE", width=FRAME_WIDTH, height=FRAME_HEIGHT, params=params, camera_id=1)
    model.add_camera_with_trivial_rig(camera)
    for image_id, frame in sorted(features.frame_of.items()):
        if given["registered"][frame]:
            seen = pycolmap.Point2DList([pycolmap.Point2D(pixel) for pixel in features.pixels[image_id]])
            image = pycolmap.Image(name=f"{frame:06d}.png", points2D=seen, camera_id=1, image_id=image_id)
            pose = np.linalg.inv(given["camera_to_world"][frame])[:3]
            model.add_image_with_trivial_frame(image, pycolmap.Rigid3d(pose))
    for track in tracks:
        own = [seen for seen in track if given["registered"][features.frame_of[seen[0]]]]
        points = [_lifted(given, features.frame_of[image], features.pixels[image][at]) for image, at in own]
        known = [point for point in points if point is not None]
        if len(own) > 2 and known:
            elements = [pycolmap.TrackElement(image, at) for image, at in own]
            model.add_point3D(np.median(known, axis=0), pycolmap.Track(elements), np.zeros(3, np.uint8))
    return model


def _lifted(given: dict[str, np.ndarray], frame: int, pixel: Float64s) -> Float64s | None:
    """Return where (3,) a pixel of a frame lies by its depth; None where it has none."""
    depth = depth_at(given["depth"][frame], pixel)
    if depth <= 0:
        return None
    x, y = (pixel - (FRAME_WIDTH / 2, FRAME_HEIGHT / 2)) / float(given["focal"])
    pose = given["camera_to_world"][frame]
    return np.asarray(pose[:3, :3] @ (depth * np.array([x, y, 1.0])) + pose[:3, 3])


def depth_at(depth: np.ndarray, pixel: Float64s) -> float:
    """Return the depth (h, w) of the cell in which a pixel of the 640x480 picture lies."""
    rows, columns = depth.shape
    row, column = int(pixel[1] * rows / FRAME_HEIGHT), int(pixel[0] * columns / FRAME_WIDTH)
    return float(depth[min(max(row, 0), rows - 1), min(max(column, 0), columns - 1)])


def compared_cameras(
    model: pycolmap.Reconstruction, given: dict[str, np.ndarray], settings: ColmapSettings
) -> dict[str, np.ndarray]:
    """Return mean errors of what was held out, before and after, and adjusted cameras where they are surely better."""
    left, held = hold_out(model, settings.lens)
    if len(held.image) < FEWEST:
        return {"errors": np.full(2, np.nan)}
    before = errors_of(_with_points_adjusted(left), held)
    adjusted_twice(left)
    after = errors_of(left, held)
    errors = np.array([before.mean(), after.mean()])
    if not is_surely_less(before, after, LEAST_GAIN, LEAST_SURE) or errors[1] >= GOOD_PX:
        return {"errors": errors}
    trial = copy.deepcopy(model)
    adjusted_twice(trial)
    poses, registered = poses_of(trial, len(given["registered"]))
    count, ratio = _depth_ratios(trial, given)
    return {
        "errors": errors,
        "camera_to_world": poses,
        "moved": registered & (count >= FEWEST_SEEN),
        "focal": np.array(camera_of(trial).focal_length_x),
        "log_ratio": ratio,
    }


def adjusted_twice(model: pycolmap.Reconstruction) -> None:
    """Adjust a model in place, leave out what is a mismatch, and adjust again."""
    bundle_adjust(model, patient=True)
    for image_id in sorted(model.reg_image_ids()):
        numbers = [at for at, seen in enumerate(model.image(image_id).points2D) if seen.has_point3D()]
        if not numbers:
            continue
        seen = [model.image(image_id).points2D[at] for at in numbers]
        place, depth = projected(model, image_id, [model.point3D(one.point3D_id).xyz for one in seen])
        off = np.linalg.norm(place - np.array([one.xy for one in seen]), axis=1)
        for at in np.array(numbers)[(depth <= 0) | ~(off <= MISMATCH_PX)].tolist():
            if model.image(image_id).points2D[at].has_point3D():  # a point goes with its last but one observation
                model.delete_observation(image_id, at)
    bundle_adjust(model, patient=True)


def _with_points_adjusted(left: pycolmap.Reconstruction) -> pycolmap.Reconstruction:
    """Return a copy whose cameras are as they were given, and points adjusted to them."""
    held = copy.deepcopy(left)
    options = pycolmap.BundleAdjustmentOptions()
    options.refine_focal_length = options.refine_rig_from_world = False
    options.ceres.loss_function_type = pycolmap.LossFunctionType.HUBER
    pycolmap.bundle_adjustment(held, options)
    return held


def errors_of(model: pycolmap.Reconstruction, held: HeldOut) -> Float64s:
    """Return errors (k,) of what was held out, pixels, ``WORST`` at most; so much also where the point is gone."""
    there = np.array([model.image(image).points2D[at].has_point3D() for image, at in held.seen.tolist()], bool)
    errors = np.full(len(there), WORST)
    errors[there] = HeldOut(held.image[there], held.pixel[there], held.seen[there]).errors(model)
    return errors


def _depth_ratios(model: pycolmap.Reconstruction, given: dict[str, np.ndarray]) -> tuple[np.ndarray, Float64s]:
    """Return for every frame (n,) how many points it sees, and the median of ln(their depth / the given depth)."""
    count, ratio = np.zeros(len(given["registered"]), np.int64), np.zeros(len(given["registered"]))
    for image_id in model.reg_image_ids():
        frame, seen = frame_of(model.image(image_id)), model.image(image_id).get_observation_points2D()
        if seen:
            _, depth = projected(model, image_id, [model.point3D(one.point3D_id).xyz for one in seen])
            known = np.array([depth_at(given["depth"][frame], one.xy) for one in seen])
            both = (depth > 0) & (known > 0)
            count[frame] = both.sum()
            ratio[frame] = np.median(np.log(depth[both] / known[both])) if both.any() else 0.0
    return count, ratio


if __name__ == "__main__":
    place = Path(sys.argv[1])
    work(place, lambda settings, task: adjust(place, settings, task))
