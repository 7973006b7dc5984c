from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage.transform import SimilarityTransform

from pipeline.contract.errors import InconsistentReconstruction, TooFewRegistered
from pipeline.stages.reconstruction.dust3r.alignment.align import align
from pipeline.stages.reconstruction.dust3r.alignment.graph import video_pairs
from pipeline.stages.reconstruction.dust3r.alignment.records import Alignment, Known, PairPredictions
from pipeline.stages.reconstruction.dust3r.alignment.settings import AlignmentSettings
from pipeline.stages.reconstruction.zoom import zoom_notes
from tests.paths import FIXTURES
from tests.pipeline.analytic_pairs import WIDTH, Scene, make_scene, unproject

SETTINGS = AlignmentSettings()
CHAIN = video_pairs(6, window=2, strides=(), complete_up_to=2)
FIXTURE = FIXTURES / "dust3r_alignment.npz"

UPSTREAM_ERROR = {
    "points_rms": 0.014183587772140176,
    "points_median": 0.00864072420698547,
    "rotation_max": 0.0561958166823016,
    "rotation_mean": 0.026312223097662568,
    "translation_max": 0.005763067010808004,
    "translation_mean": 0.002968726153707914,
    "focal_max": 0.0022910378196023817,
}
"""What upstream's alignment ends with on the stored pairs after 300 iterations; metres and degrees."""


@dataclass(frozen=True)
class Truth:
    camera_to_world: NDArray[np.float64]
    focal: NDArray[np.float64]
    points: NDArray[np.float64]


def errors(result: Alignment, truth: Truth, points: NDArray[np.float64] | None = None) -> dict[str, float]:
    """Errors after the one similarity that carries the points best onto the truth."""
    if points is None:
        points = unproject(result.depth.astype(np.float64), result.focal, result.camera_to_world)
    fit = SimilarityTransform.from_estimate(points.reshape(-1, 3), truth.points.reshape(-1, 3))
    cameras = fit.params @ result.camera_to_world
    cameras[:, :3, :3] /= fit.scale
    missed = np.linalg.norm(fit(points.reshape(-1, 3)) - truth.points.reshape(-1, 3), axis=-1)
    turned = np.linalg.norm(cameras[:, :3, :3] - truth.camera_to_world[:, :3, :3], axis=(1, 2)) / np.sqrt(8)
    shifted = np.linalg.norm(cameras[:, :3, 3] - truth.camera_to_world[:, :3, 3], axis=1)
    angle = np.degrees(2 * np.arcsin(turned))
    return {
        "points_rms": float(np.sqrt((missed**2).mean())),
        "points_median": float(np.median(missed)),
        "rotation_max": float(angle.max()),
        "rotation_mean": float(angle.mean()),
        "translation_max": float(shifted.max()),
        "translation_mean": float(shifted.mean()),
        "focal_max": float(np.abs(result.focal / truth.focal - 1).max()),
        "scale": float(fit.scale),
    }


def scene_errors(result: Alignment, scene: Scene) -> dict[str, float]:
    return errors(result, Truth(scene.camera_to_world, scene.focal, scene.points()))


@pytest.fixture(scope="module")
def stored() -> dict[str, NDArray[np.float64]]:
    with np.load(FIXTURE) as arrays:
        return {name: arrays[name].astype(np.float64) for name in arrays}


def test_errors_on_the_stored_pairs_are_below_upstreams(stored: dict[str, NDArray[np.float64]]):
    edges = stored["edges"].astype(np.int64)
    pairs = PairPredictions(6, edges, *(stored[name] for name in ("pts1", "pts2", "conf1", "conf2")))
    # These pairs put pixel centres at integers, half a pixel off the convention here.
    result = align(pairs, SETTINGS, Known(principal_point=(32.5, 24.5)))
    focal = np.full(6, 55.0)
    truth = Truth(stored["gt_poses"], focal, _corner_points(stored["gt_depth"], focal, stored["gt_poses"]))
    found = _corner_points(result.depth.astype(np.float64), result.focal, result.camera_to_world)
    error = errors(result, truth, found)
    for name, upstream in UPSTREAM_ERROR.items():
        assert error[name] <= upstream, name


def _corner_points(
    depth: NDArray[np.float64], focal: NDArray[np.float64], camera_to_world: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Points of pixels whose centres lie at integers: half a pixel up and left."""
    shift = 0.5 * depth / focal[:, None, None]
    moved = unproject(depth, focal, camera_to_world)
    return moved - shift[..., None] * (camera_to_world[:, None, None, :3, 0] + camera_to_world[:, None, None, :3, 1])


def test_noise_free_pairs_stay_as_good_as_the_start():
    scene = make_scene(CHAIN, 6)
    result = align(scene.predictions, SETTINGS)
    error = scene_errors(result, scene)
    assert result.cost <= result.start_cost
    assert error["points_rms"] < 1e-5  # float32 rounding of points metres away
    assert error["rotation_max"] < 1e-4
    assert error["focal_max"] < 1e-5


def test_the_end_never_costs_more_than_the_start_and_is_better_with_noise():
    scene = make_scene(CHAIN, 6, noise=0.05)
    started = align(scene.predictions, SETTINGS.model_copy(update={"max_iterations": 1, "tolerance": 1.0}))
    ended = align(scene.predictions, SETTINGS)
    assert ended.cost < ended.start_cost
    assert scene_errors(ended, scene)["rotation_mean"] <= scene_errors(started, scene)["rotation_mean"] * 1.05


def test_known_poses_and_focal_are_kept_and_noise_does_not_shrink_the_world():
    scene = make_scene(CHAIN, 6, noise=0.03)
    known = Known(focal=scene.focal, camera_to_world=scene.camera_to_world)
    result = align(scene.predictions, SETTINGS, known)
    assert np.allclose(result.camera_to_world, scene.camera_to_world, atol=1e-12)
    assert np.allclose(result.focal, scene.focal)
    # Measured in world units, the same noise shrinks depth by 1.3 % on the stored pairs.
    assert abs(np.median(result.depth / scene.depth) - 1) < 0.003


def test_some_known_poses_fix_frame_and_scale():
    scene = make_scene(CHAIN, 6, noise=0.005)
    partly = scene.camera_to_world.copy()
    partly[1:5] = np.nan
    result = align(scene.predictions, SETTINGS, Known(camera_to_world=partly))
    assert np.abs(result.camera_to_world[:, :3, 3] - scene.camera_to_world[:, :3, 3]).max() < 0.01


def test_each_image_may_have_its_own_focal():
    focal = np.array([36.0, 40, 44, 48, 52, 56])
    scene = make_scene(CHAIN, 6, noise=0.005, focal=focal)
    result = align(scene.predictions, SETTINGS.model_copy(update={"shared_focal": False}))
    assert np.abs(result.focal / focal - 1).max() < 0.01


@pytest.mark.parametrize("zoom", [1.1, 1.6])
def test_a_lens_that_zooms_is_followed(zoom: float):
    scene = make_scene(CHAIN, 6, noise=0.03, focal=42 * np.linspace(1, zoom, 6))
    result = align(scene.predictions, SETTINGS)
    assert np.abs(result.focal / scene.focal - 1).max() < 0.005
    assert scene_errors(result, scene)["rotation_max"] < 0.3
    assert result.notes == zoom_notes(result.focal)


def test_noise_is_no_zoom():
    result = align(make_scene(CHAIN, 6, noise=0.1).predictions, SETTINGS)
    assert np.ptp(result.focal) == 0
    assert result.notes == ()


def test_pairs_in_one_direction_are_enough():
    scene = make_scene(CHAIN[::2], 6, noise=0.005)
    error = scene_errors(align(scene.predictions, SETTINGS), scene)
    assert error["rotation_max"] < 0.2
    assert error["points_rms"] < 0.02


def test_two_images_align():
    scene = make_scene(np.array([[0, 1], [1, 0]]), 2, noise=0.005)
    assert scene_errors(align(scene.predictions, SETTINGS), scene)["points_rms"] < 0.02


def test_one_confident_but_wrong_pair_does_little_harm():
    scene = make_scene(CHAIN, 6, noise=0.005)
    wrong = scene.predictions.points2.copy()
    wrong[4] = wrong[4][::-1, ::-1]
    result = align(replace(scene.predictions, points2=wrong), SETTINGS)
    assert scene_errors(result, scene)["translation_max"] < 0.05


@pytest.mark.parametrize("sides", [("confidence1",), ("confidence2",), ("confidence1", "confidence2")])
def test_a_pair_that_is_sure_of_nothing_does_no_harm(sides: tuple[str, ...]):
    scene = make_scene(CHAIN, 6, noise=0.005)
    unsure = {side: getattr(scene.predictions, side).copy() for side in sides}
    for confidence in unsure.values():
        confidence[4] = 1
    anything = SETTINGS.model_copy(update={"min_pair_confidence": 1.0, "min_confidence": 1.0})
    result = align(replace(scene.predictions, **unsure), anything)
    assert scene_errors(result, scene)["translation_max"] < 0.05


def test_the_largest_part_is_kept_and_said():
    scene = make_scene(CHAIN, 6, noise=0.005)
    doubt = scene.predictions.confidence2.copy()
    doubt[(scene.predictions.edges == 5).any(1)] = 1.05
    result = align(replace(scene.predictions, confidence2=doubt), SETTINGS)
    assert result.aligned.tolist() == [True] * 5 + [False]
    assert not result.depth[5].any()
    assert "5 of 6" in result.notes[0]


def test_pixels_without_confidence_get_no_depth():
    scene = make_scene(CHAIN, 6)
    one, two = scene.predictions.confidence1.copy(), scene.predictions.confidence2.copy()
    one[:, :, : WIDTH // 2] = two[:, :, : WIDTH // 2] = 1.2
    settings = SETTINGS.model_copy(update={"min_pair_confidence": 1.0})
    result = align(replace(scene.predictions, confidence1=one, confidence2=two), settings)
    assert not result.depth[:, :, : WIDTH // 2].any()
    assert (result.depth[:, :, WIDTH // 2 :] > 0).all()


def test_half_precision_pairs_cost_no_more_than_their_rounding():
    scene = make_scene(CHAIN, 6)
    halves = replace(
        scene.predictions,
        points1=scene.predictions.points1.astype(np.float16),
        points2=scene.predictions.points2.astype(np.float16),
    )
    assert scene_errors(align(halves, SETTINGS), scene)["points_rms"] < 0.003  # 5e-4 of up to 6 m


def test_pairs_without_overlap_are_an_error():
    scene = make_scene(CHAIN, 6)
    doubt = np.full_like(scene.predictions.confidence1, 1.01)
    with pytest.raises(TooFewRegistered, match=r"1\.01"):
        align(replace(scene.predictions, confidence1=doubt, confidence2=doubt), SETTINGS)


def test_no_pairs_are_an_error():
    scene = make_scene(CHAIN, 6)
    nothing = {name: getattr(scene.predictions, name)[:0] for name in ("edges", "points1", "points2")}
    with pytest.raises(TooFewRegistered):
        align(replace(scene.predictions, **nothing), SETTINGS)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_an_error(value: float):
    scene = make_scene(CHAIN, 6)
    broken = scene.predictions.points1.copy()
    broken[3, 5, 7] = value
    with pytest.raises(InconsistentReconstruction, match="not finite"):
        align(replace(scene.predictions, points1=broken), SETTINGS)


def test_pairs_of_noise_alone_are_an_error():
    rng = np.random.default_rng(0)
    scene = make_scene(CHAIN, 6)
    noise = rng.normal(0, 1, scene.predictions.points1.shape)
    with pytest.raises(InconsistentReconstruction):
        align(replace(scene.predictions, points1=noise, points2=rng.permutation(noise)), SETTINGS)


@settings(max_examples=8)
@given(scale=st.floats(0.1, 10), seed=st.integers(0, 100))
def test_the_units_of_pairs_do_not_matter(scale: float, seed: int):
    scene = make_scene(CHAIN[:6], 4, noise=0.01, seed=seed)
    factor = np.exp(np.random.default_rng(seed).uniform(-1, 1, len(CHAIN[:6])))[:, None, None, None] * scale
    other = replace(
        scene.predictions, points1=scene.predictions.points1 * factor, points2=scene.predictions.points2 * factor
    )
    one, two = align(scene.predictions, SETTINGS), align(other, SETTINGS)
    ratio = two.depth[one.depth > 0] / one.depth[one.depth > 0]
    assert np.allclose(ratio, np.median(ratio), rtol=1e-3)  # both stop within the tolerance of the same optimum
    assert np.allclose(one.focal, two.focal, rtol=1e-4)
