"""The nine numbers that stand for a camera, there and back."""

import math

import pytest
import torch
from scipy.spatial.transform import Rotation

from models.da3.cameras import decode_cameras, encode_cameras, inverted, normalised_cameras, quaternions, rotations
from models.errors import UnusableInput


def poses(count: int) -> torch.Tensor:
    matrix = torch.eye(4, dtype=torch.float64).repeat(count, 1, 1)
    matrix[:, :3, :3] = torch.from_numpy(Rotation.random(count, rng=0).as_matrix())
    matrix[:, :3, 3] = torch.randn(count, 3, dtype=torch.float64)
    return matrix


def test_encoding_and_decoding_undo_one_another():
    world_to_camera = poses(50)
    intrinsics = torch.tensor([[300.0, 0, 49], [0, 250, 35], [0, 0, 1]], dtype=torch.float64).expand(50, 3, 3)
    encoding = encode_cameras(world_to_camera, intrinsics, (70, 98))
    assert torch.allclose(
        encoding[:, 7], torch.full((50,), 2 * math.atan(35 / 250), dtype=torch.float64)
    )  # height first
    camera_to_world, found = decode_cameras(encoding, (70, 98))
    assert torch.allclose(inverted(camera_to_world), world_to_camera, atol=1e-9)
    assert torch.allclose(found, intrinsics)


def test_quaternions_are_scipys_also_for_half_turns():
    turns = torch.cat(
        [poses(50)[:, :3, :3], torch.diag_embed(torch.tensor([[1.0, -1, -1], [-1, 1, -1], [-1, -1, 1]]).double())]
    )
    found = quaternions(turns)
    assert (found[:, 3] >= 0).all()
    assert torch.allclose(rotations(found), turns, atol=1e-9)
    expected = torch.from_numpy(Rotation.from_matrix(turns[:50].numpy()).as_quat(canonical=True))
    assert torch.allclose(found[:50], expected, atol=1e-9)


def test_a_quaternion_of_any_length_is_a_rotation():
    quaternion = torch.tensor([0.1, -0.4, 0.2, 0.7])
    assert torch.allclose(rotations(quaternion), rotations(5 * quaternion))


def test_no_field_of_view_gives_a_focal_length_that_shows():
    _, intrinsics = decode_cameras(torch.tensor([0.0, 0, 0, 0, 0, 0, 1, 0, 0]), (70, 98))
    assert intrinsics[0, 0] == pytest.approx(49e6)


def test_given_cameras_are_brought_to_the_first_and_to_a_median_distance_of_one():
    found = normalised_cameras(poses(5)[None])
    assert torch.allclose(found[0, 0], torch.eye(4, dtype=torch.float64), atol=1e-9)
    distances = inverted(found)[0, :, :3, 3].norm(dim=-1)
    assert distances.sort().values[2] == pytest.approx(1)  # the first camera's own 0 counts
    still = torch.eye(4).repeat(1, 3, 1, 1)
    assert torch.equal(normalised_cameras(still), still)  # at least 0.1, so that standing still divides by no nought
    with pytest.raises(UnusableInput, match="from world to camera"):
        normalised_cameras(torch.eye(4))
