import json
from pathlib import Path

import numpy as np
import pytest
import torch
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from typer.testing import CliRunner

from pipeline.bench import alignment as bench
from pipeline.bench.alignment import (
    PosedPointmaps,
    camera,
    compare,
    descend,
    main,
    measure_errors,
    room_pairs,
    room_points,
    unproject,
)

ROOM = np.array([5.0, 2.6, 6.0])


@settings(max_examples=20)
@given(st.floats(0, 1))
def test_cameras_of_the_walk_are_rotations_inside_the_room(along: float):
    pose = camera(along)
    np.testing.assert_allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3), atol=1e-12)
    assert np.linalg.det(pose[:3, :3]) > 0
    assert (pose[:3, 3] > 0.5).all()
    assert (pose[:3, 3] < ROOM - 0.5).all()


def test_every_pixel_sees_a_wall_along_its_ray():
    pose = camera(0.3)
    points = room_points(pose, 24, 32)
    gaps = np.minimum(np.abs(points), np.abs(points - ROOM)).min(axis=-1)
    assert gaps.max() < 1e-9
    local = (points - pose[:3, 3]) @ pose[:3, :3]
    y, x = np.mgrid[:24, :32] + 0.5
    # A focal length of the width: 53 degrees of view.
    np.testing.assert_allclose(local[..., 0] / local[..., 2], (x - 16) / 32)
    np.testing.assert_allclose(local[..., 1] / local[..., 2], (y - 12) / 32)


def test_depth_is_unprojected_about_the_middle_of_the_picture():
    points = unproject(np.full((1, 2, 4), 3.0), np.array([2.0]))
    np.testing.assert_allclose(points[0, 0, 0], [3 * -1.5 / 2, 3 * -0.5 / 2, 3])
    np.testing.assert_allclose(points[0, 1, 3], [3 * 1.5 / 2, 3 * 0.5 / 2, 3])


def test_pairs_are_swin_3_both_ways_and_without_noise_exact():
    pairs, truth = room_pairs(5, 16, 0.0)
    cameras, points = truth.camera_to_world, truth.points
    assert pairs.edges.tolist()[:3] == [[0, 1], [0, 2], [0, 3]]
    assert len(pairs.edges) == 2 * 5 * 3
    assert {tuple(edge) for edge in pairs.edges.tolist()} >= {(1, 0), (4, 2), (2, 4)}
    first, second = pairs.edges[0]
    np.testing.assert_allclose(pairs.points1[0], points[first], atol=5e-3)  # half floats of six metres
    in_first = np.linalg.inv(cameras[first]) @ cameras[second]
    np.testing.assert_allclose(pairs.points2[0], points[second] @ in_first[:3, :3].T + in_first[:3, 3], atol=5e-3)


def test_noise_has_the_deviation_that_was_asked_for():
    (exact, _), (noisy, _) = room_pairs(4, 24, 0.0), room_pairs(4, 24, 0.1)
    error = noisy.points1.astype(float) - exact.points1
    assert error.std() == pytest.approx(0.1, rel=0.03)
    assert error.mean() == pytest.approx(0, abs=0.01)


def test_the_truth_in_any_world_and_scale_has_no_error():
    _, truth = room_pairs(4, 16, 0.0)
    turn = np.eye(4)
    turn[:3, :3], turn[:3, 3] = Rotation.from_euler("xyz", [0.3, 1.2, -0.4]).as_matrix(), (5, -2, 1)
    moved = turn @ truth.camera_to_world
    moved[:, :3, 3] *= 2.5
    errors = measure_errors(PosedPointmaps(moved, truth.points * 2.5), truth)
    assert errors.points_rms < 1e-9
    assert errors.rotation_max < 1e-5


def test_a_camera_turned_on_the_spot_is_wrong_by_its_angle():
    _, truth = room_pairs(4, 16, 0.0)
    turned = truth.camera_to_world.copy()
    spin = Rotation.from_euler("y", 2.0, degrees=True).as_matrix()
    turned[1, :3, :3] = turned[1, :3, :3] @ spin
    errors = measure_errors(PosedPointmaps(turned, truth.points), truth)
    assert 1 < errors.rotation_max < 3, "some of it is taken by the similarity"
    assert errors.points_rms > 0.01


def test_descent_comes_nearer_to_the_truth_with_every_step():
    pairs, truth = room_pairs(4, 16, 0.02)
    (after_one, seconds), (after_many, _) = (descend(pairs, steps) for steps in (1, 25))
    assert seconds >= 0
    assert measure_errors(after_many, truth).points_rms < measure_errors(after_one, truth).points_rms


def test_a_comparison_states_both_ways_and_their_ratio():
    found = compare(4, 32, 0.01, adam_steps=2)
    assert found["clip"] == {"frames": 4, "size": 32, "directed_pairs": 24, "noise_m": 0.01}
    # One pixel in 25 of 32 x 32 is looked at: noise of 1 cm in a room of 6 m.
    assert found["ours"]["points_rms"] < 0.05
    assert found["ours"]["rotation_max"] < 1
    ratio = bench.UPSTREAM_STEPS * found["adam"]["seconds_a_step"] / found["ours"]["seconds"]
    assert found["faster_than_adam"] == pytest.approx(ratio)
    assert np.isnan(found["faster_than_upstreams_measured_cost"]), "upstream was not measured on four frames"
    assert found["points_at_or_below_adams"] == (found["ours"]["points_rms"] <= found["adam"]["points_rms"])


def test_the_command_writes_what_it_prints(tmp_path: Path):
    app = typer.Typer()
    app.command()(main)
    threads = torch.get_num_threads()
    given_ = ["--frames", "4", "--size", "16", "--adam-steps", "1", "--output", str(tmp_path / "new" / "found.json")]
    printed = CliRunner().invoke(app, given_, catch_exceptions=False)
    torch.set_num_threads(threads)
    (found,) = json.loads((tmp_path / "new" / "found.json").read_text())
    assert found["clip"]["frames"] == 4
    assert printed.output[printed.output.index("[\n") :].strip() == json.dumps([found], indent=1)
