"""Signs of doubt on a model that is right, and on the same model with one thing wrong."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.contract.arrays import Floats
from pipeline.stages.reconstruction.colmap.evidence import (
    Signs,
    apart,
    compared,
    epipolar_distance,
    match_signs,
    median_turn,
    signs_of,
)
from pipeline.stages.reconstruction.colmap.pairs import MatchedPair, turns_between
from pipeline.stages.reconstruction.colmap.probability import MEANING, judged
from pipeline.stages.reconstruction.colmap.sparse_model import SparseModel
from pipeline.stages.reconstruction.colmap.surfaces import dense_signs
from pipeline.stages.reconstruction.colmap.views import ClipViews
from pipeline.stages.reconstruction.first_look import UNTOLD
from tests.pipeline.box_room import INTRINSICS, Box, Room, looking
from tests.pipeline.stages.reconstruction.colmap.good_model import FRAMES, good_model

ROOM = Room(Box((0, 0, 0), (4, 3.6, 2.6)))
SHAPE = (60, 80)
CAMERAS = np.stack([looking((1.2 + 0.2 * i, 0.4, 1.5), (1.7 + 0.1 * i, 3.0, 0.9)) for i in range(FRAMES)])


def matches_of(model: SparseModel) -> list[MatchedPair]:
    """Every point as every two frames of a model see it."""
    seen = []
    for frame in range(FRAMES):
        inside = np.linalg.inv(model.camera_to_world[frame]) @ np.c_[model.points, np.ones(len(model.points))].T
        pixel = model.intrinsics @ inside[:3]
        seen.append((pixel[:2] / pixel[2]).T)
    return [MatchedPair(a, b, seen[a], seen[b]) for a in range(FRAMES) for b in range(a + 1, FRAMES)]


def all_signs(model: SparseModel, matches: list[MatchedPair], views: ClipViews, depth: Floats) -> Signs:
    """The signs of a model with its matches and its depth, as the backend takes them."""
    measured = replace(model, signs=match_signs(model, matches))
    return {**signs_of(measured), **dense_signs(views, depth)}


def room() -> tuple[SparseModel, ClipViews, np.ndarray]:
    """A model with the cameras of a room that is filmed, and its true depth."""
    model = replace(good_model(), camera_to_world=CAMERAS, intrinsics=np.asarray(INTRINSICS, np.float64))
    depth = np.stack([ROOM.view(camera, SHAPE)[0] for camera in CAMERAS]).astype(np.float32)
    scale = np.diag([SHAPE[1] / 640, SHAPE[0] / 480, 1])
    views = ClipViews(
        grey=np.ones((FRAMES, *SHAPE), np.float32),
        intrinsics=np.repeat((scale @ INTRINSICS)[None], FRAMES, axis=0),
        camera_to_world=CAMERAS,
        sources=tuple(tuple(other for other in range(FRAMES) if other != view) for view in range(FRAMES)),
        depth_range=np.tile([0.5, 6], (FRAMES, 1)),
    )
    return model, views, depth


def test_of_a_right_model_no_sign_is_bad():
    model, views, depth = room()
    signs = all_signs(model, matches_of(model), views, depth)
    assert set(signs) == set(MEANING)
    assert signs["jump"] == pytest.approx(1, abs=1e-6)
    assert signs["missing"] == signs["contradicted"] == signs["hollow"] == 0
    assert signs["epipolar"] < 1e-6
    assert signs["through"] < 0.01
    assert signs["crooked"] < 0.1
    assert signs["floors"] < 0.05


def test_a_hinge_between_the_halves_is_seen_by_matches_and_by_surfaces():
    model, views, depth = room()
    turned = CAMERAS.copy()
    hinge = np.eye(4)
    hinge[:3, :3] = [[1, 0, 0], [0, np.cos(0.3), -np.sin(0.3)], [0, np.sin(0.3), np.cos(0.3)]]
    turned[FRAMES // 2 :] = hinge @ turned[FRAMES // 2 :]
    wrong, seen = replace(model, camera_to_world=turned), replace(views, camera_to_world=turned)
    signs, right = (
        all_signs(found, matches_of(model), looked, depth) for found, looked in ((wrong, seen), (model, views))
    )
    assert signs["contradicted"] > 0.4
    assert signs["epipolar"] > 10
    assert signs["jump"] > 2
    for name in ("crooked", "turn"):
        assert signs[name] > 2 * right[name] + 0.05, name


def test_halves_at_different_scale_are_seen_through():
    model, views, depth = room()
    scaled = depth.copy()
    scaled[FRAMES // 2 :] *= 1.3
    signs = all_signs(model, matches_of(model), views, scaled)
    assert signs["through"] > 0.2
    assert signs["floors"] > 0.1


def test_what_cannot_be_told_is_not_known():
    model, views, depth = room()
    signs = all_signs(replace(model, halves_focal=np.full(2, np.nan)), [], views, np.zeros_like(depth))
    assert signs["hollow"] == 1
    for name in ("contradicted", "epipolar", "rim", "through", "crooked", "floors", "half_focal"):
        assert np.isnan(signs[name]), name


def test_a_lens_that_bends_more_than_the_model_shows_at_the_rim():
    model, views, depth = room()
    draw = np.random.default_rng(0)
    points = draw.uniform((0.2, 2.5, 0.2), (3.8, 3.6, 2.4), (3000, 3))
    flat = matches_of(replace(model, points=points))
    signs = all_signs(model, [_bent(pair) for pair in flat], views, depth)
    assert signs["rim"] > 1.5


def test_the_distance_from_epipolar_lines_is_that_by_which_a_pixel_is_off():
    model = good_model()
    pair = matches_of(model)[0]
    off = pair._replace(pixels_second=pair.pixels_second + np.array([0, 3]))
    assert epipolar_distance(model, pair).max() < 1e-9
    assert epipolar_distance(model, off) == pytest.approx(3, rel=1e-6), "cameras step sideways: lines are level"


def _bent(pair: MatchedPair) -> MatchedPair:
    def bend(pixels: np.ndarray) -> np.ndarray:
        centred = (pixels - np.array([320, 240])) / 400
        return centred * (1 - 0.03 * (centred**2).sum(axis=1, keepdims=True)) * 400 + np.array([320, 240])

    return pair._replace(pixels=bend(pair.pixels), pixels_second=bend(pair.pixels_second))


def hinged(degrees: float) -> SparseModel:
    """The good model, its later half turned rigidly about its first camera."""
    model, angle = good_model(), np.radians(degrees)
    poses, middle = model.camera_to_world.copy(), FRAMES // 2
    turn = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    poses[middle:, :3, :3] = turn @ poses[middle:, :3, :3]
    return replace(model, camera_to_world=poses)


def test_models_agree_whatever_their_scale_and_place():
    model = good_model()
    moved = model.camera_to_world.copy()
    moved[:, :3, 3] = 3 * moved[:, :3, 3] + np.array([1, 2, 3])
    alike = replace(model, camera_to_world=moved)
    assert apart(model, alike) == pytest.approx(0, abs=1e-5)
    assert apart(model, hinged(12)) == pytest.approx(12, rel=0.01)
    assert np.isnan(apart(model, hinged(40))), "the other one failed"
    fresh = replace(model, signs={})
    assert compared(fresh, [hinged(20), alike]).signs["apart"] == pytest.approx(0, abs=1e-5), "the nearest counts"
    assert compared(compared(fresh, [alike]), [hinged(20)]).signs["apart"] == pytest.approx(0, abs=1e-5)


def test_collapsed_directions_are_no_agreement():
    model = good_model()
    back = model.camera_to_world.copy()
    back[1::2, :3, 3] *= -1
    assert np.isnan(apart(model, replace(model, camera_to_world=back))), "it failed"


def test_a_model_that_shares_few_frames_says_nothing():
    model = good_model()
    few = replace(model, registered=np.arange(FRAMES) < 2)
    assert np.isnan(apart(model, few))
    assert np.isnan(compared(replace(model, signs={}), [few]).signs["apart"])


def test_turns_are_of_a_step_whatever_frames_are_missing():
    model = hinged(12)
    assert signs_of(model)["turn"] == pytest.approx(12)
    assert median_turn(model) == pytest.approx(0, abs=1e-5)
    gap = replace(model, registered=~np.isin(np.arange(FRAMES), [FRAMES // 2]))
    assert signs_of(gap)["turn"] == pytest.approx(6), "two steps of the clip"
    assert np.isnan(median_turn(SparseModel.empty(3, 1.0)))


def test_turns_are_those_that_neighbours_tell():
    none = np.zeros((0, 2))
    pairs = [MatchedPair(a, b, none, none, turn) for a, b, turn in ((0, 1, 3.0), (2, 1, 12.0), (0, 3, 40.0))]
    np.testing.assert_array_equal(turns_between(pairs, 4), [3, 12, np.nan])


@pytest.mark.parametrize(("statistic", "counts"), [(-30.0, False), (3.9, False), (4.1, True), (80.0, True)])
def test_focal_lengths_that_frames_ask_for_count_where_they_explain_more_than_noise_would(
    statistic: float, counts: bool
):
    asking = replace(good_model(), zoom_asked=np.linspace(1, 1.2, FRAMES))
    asked = signs_of(replace(asking, zoom_statistic=statistic))["uneven"]
    assert asked == pytest.approx(np.log(1.2) if counts else 0)


def test_a_focal_length_that_nothing_holds_speaks_against_a_clip_and_one_that_is_not_told_does_not():
    def vague(focal: float, deviation: float) -> Signs:
        return signs_of(replace(good_model(), lens_fit=replace(UNTOLD, focal=focal, deviation=deviation).as_array()))

    assert vague(500, 0.01)["vague"] == 0.01
    assert np.isnan(vague(0, np.inf)["vague"])
    open_to_any, sure = vague(500, np.inf), vague(500, 0.01)
    assert judged(open_to_any).probability < judged(vague(0, np.inf)).probability < judged(sure).probability
    assert "focal length" in judged(open_to_any).worst
