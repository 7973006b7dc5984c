"""Parts of a clip that hang together at one frame: what tells their size beside each other, and what is cut off."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pipeline.contract.arrays import Float64s
from pipeline.stages.reconstruction.colmap.hinge import loose_frames, size_deviations, tied
from pipeline.stages.reconstruction.colmap.sparse_model import SparseModel
from tests.pipeline.stages.reconstruction.colmap.good_model import good_model

FRAMES, HINGE = 8, 4
MOST = 0.07
ROOMS = ((-3.0, 0.0), (3.0, 0.0))
"""Where the middles of two rooms are, three metres to the left and right of the way between."""


def a_turn(shared: int, of_each: int = 60, seed: int = 0) -> SparseModel:
    """Frames 0 to 4 step along one room, 4 to 7 along another; 2 to 6 see ``shared`` points between them."""
    draw = np.random.default_rng(seed)
    rooms = [draw.uniform(-0.8, 0.8, (of_each, 3)) + np.array((x, y, 4.0)) for x, y in ROOMS]
    between = draw.uniform(-0.2, 0.2, (shared, 3)) + np.array((0.0, 0.0, 5.0))
    seen = [(0, 1, 2, 3, HINGE)] * of_each + [(HINGE, 5, 6, 7)] * of_each + [(2, 3, HINGE, 5, 6)] * shared
    return model_of(np.concatenate([*rooms, between]), seen)


def model_of(points: Float64s, seen: Sequence[Sequence[int]]) -> SparseModel:
    poses = np.tile(np.eye(4), (FRAMES, 1, 1))
    poses[:, 0, 3] = np.linspace(-0.5, 0.5, FRAMES)
    frame = np.concatenate([np.array(frames) for frames in seen])
    point = np.repeat(np.arange(len(points)), [len(frames) for frames in seen])
    blank = SparseModel.empty(FRAMES, parallax=20.0)
    model = replace(
        blank,
        intrinsics=good_model().intrinsics,
        camera_to_world=poses,
        registered=np.ones(FRAMES, bool),
        points=points,
        observed_frame=frame,
        observed_point=point,
        observed_pixel=np.zeros((len(frame), 2)),
    )
    return replace(model, observed_pixel=pixels(model, points, poses))


def pixels(model: SparseModel, points: Float64s, poses: Float64s) -> Float64s:
    from_world = np.linalg.inv(poses)[model.observed_frame]
    at = np.einsum("kij,kj->ki", from_world[:, :3, :3], points[model.observed_point]) + from_world[:, :3, 3]
    seen = at @ model.intrinsics.T
    return np.asarray(seen[:, :2] / seen[:, 2:])


def moved(model: SparseModel, first: int, numbers: Float64s, points: Float64s) -> Float64s:
    """Pixels where the frames from ``first`` on are turned, moved and grown by seven numbers about where they begin."""
    centre = model.camera_to_world[[first - 1, first], :3, 3].mean(axis=0)
    turn, shift, size = Rotation.from_rotvec(numbers[:3]).as_matrix(), numbers[3:6], np.exp(numbers[6])
    grown = ((points - centre) @ turn.T) * size + centre + shift
    seen = pixels(model, points, model.camera_to_world), pixels(model, grown, model.camera_to_world)
    return np.where((model.observed_frame >= first)[:, None], seen[1], seen[0])


def by_differences(model: SparseModel, first: int) -> float:
    """The same deviation by the whole normal matrix of points and seven numbers, its derivatives by differences."""
    left, right = model.observed_frame < first, model.observed_frame >= first
    counts = [np.bincount(model.observed_point[side], minlength=len(model.points)) for side in (left, right)]
    shared = np.flatnonzero((counts[0] > 0) & (counts[1] > 0))
    rows, step = np.isin(model.observed_point, shared), 1e-5

    def off(unknowns: Float64s) -> Float64s:
        points = model.points.copy()
        points[shared] += unknowns[7:].reshape(-1, 3)
        return moved(model, first, unknowns[:7], points)[rows].ravel()

    unit = np.eye(7 + 3 * len(shared)) * step
    derivatives = np.stack([(off(one) - off(-one)) / (2 * step) for one in unit], axis=1)
    return float(np.sqrt(np.linalg.inv(derivatives.T @ derivatives)[6, 6]))


@pytest.mark.parametrize(("shared", "seed"), [(4, 0), (15, 1), (60, 2)])
@pytest.mark.parametrize("first", [HINGE, HINGE + 1])
def test_a_deviation_is_that_of_the_whole_adjustment(shared: int, seed: int, first: int):
    model = a_turn(shared, seed=seed)
    assert size_deviations(model)[first] == pytest.approx(by_differences(model, first), rel=1e-4)


def test_noise_makes_sizes_less_sure_by_as_much():
    model = a_turn(40)
    noise = np.random.default_rng(0).normal(0, 3, model.observed_pixel.shape)
    noisy = replace(model, observed_pixel=model.observed_pixel + noise)
    assert size_deviations(noisy)[HINGE + 1] == pytest.approx(3 * size_deviations(model)[HINGE + 1], rel=0.1)


def test_neither_place_nor_size_of_the_whole_matters():
    model = a_turn(10)
    turn = Rotation.from_rotvec((0.3, -2.0, 1.0)).as_matrix()
    elsewhere = model.camera_to_world.copy()
    elsewhere[:, :3, :3] = turn @ elsewhere[:, :3, :3]
    elsewhere[:, :3, 3] = 7 * elsewhere[:, :3, 3] @ turn.T + (5, -3, 2)
    same = replace(model, camera_to_world=elsewhere, points=7 * model.points @ turn.T + (5, -3, 2))
    assert size_deviations(same) == pytest.approx(size_deviations(model), rel=1e-6)


def test_two_parts_that_hang_together_at_one_frame_are_told_and_the_larger_one_stays():
    model = a_turn(shared=1)
    deviations = size_deviations(model)
    assert deviations.argmax() in (HINGE, HINGE + 1)
    assert deviations.max() > MOST
    assert np.flatnonzero(loose_frames(model, MOST)).tolist() in ([4, 5, 6, 7][-k:] for k in (3, 4))
    kept, notes = tied(model, MOST)
    assert kept.registered[:4].all()
    assert size_deviations(kept).max() <= MOST
    assert len(notes) == 1
    assert "7 (of 0 to 7)" in notes[0]


def test_a_last_frame_whose_points_only_the_one_before_sees_is_cut_off_alone():
    # Two views of a point tell no size: how far the last camera went is anybody's guess.
    draw = np.random.default_rng(0)
    points = draw.uniform(-0.8, 0.8, (120, 3)) + np.array((0.0, 0.0, 4.0))
    model = model_of(points, [(0, 1, 2, 3, 4, 5, 6)] * 80 + [(6, 7)] * 40)
    assert size_deviations(model)[7] > 1
    kept, (note,) = tied(model, MOST)
    assert np.flatnonzero(~kept.registered).tolist() == [7]
    assert "7 (of 0 to 7)" in note


def test_a_last_frame_that_is_somewhat_less_sure_stays():
    draw = np.random.default_rng(0)
    points = draw.uniform(-0.8, 0.8, (120, 3)) + np.array((0.0, 0.0, 4.0))
    model = model_of(points, [(0, 1, 2, 3, 4, 5, 6)] * 80 + [(5, 6, 7)] * 10 + [(4, 5, 6, 7)] * 30)
    assert 0 < size_deviations(model)[7] < MOST
    assert tied(model, MOST) == (model, ())


def test_parts_that_share_enough_stay_together():
    model = a_turn(shared=200)
    assert size_deviations(model).max() < MOST
    assert tied(model, MOST) == (model, ())


def test_nothing_in_common_is_not_sure_at_all():
    draw = np.random.default_rng(0)
    points = draw.uniform(-0.8, 0.8, (120, 3)) + np.array((0.0, 0.0, 4.0))
    model = model_of(points, [(0, 1, 2)] * 60 + [(3, 4, 5, 6, 7)] * 60)
    assert np.isinf(size_deviations(model)[3])
    assert np.flatnonzero(loose_frames(model, MOST)).tolist() == [0, 1, 2]


@pytest.mark.parametrize("registered", [0, 1, 2, 3])
def test_clips_of_few_frames_have_no_parts(registered: int):
    model = a_turn(40)
    few = model.without(np.arange(FRAMES) >= registered)
    assert not size_deviations(few).any()
    assert not loose_frames(few, MOST).any()
