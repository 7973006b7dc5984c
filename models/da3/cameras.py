"""Cameras of Depth Anything 3: the nine numbers that stand for one, and the networks that read and write them.

Encoding (..., 9): translation (3) and quaternion x y z w (4) from the camera to the world, then the vertical and the
horizontal field of view in radians. Camera axes are x right, y down, z forward; pixel centres lie at + 0.5.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.da3.config import Da3Config
from models.dinov2.blocks import TORCH_EPS, ScaledBlock
from models.errors import UnusableInput

_LEAST_TANGENT = 1e-6
_LEAST_DISTANCE = 0.1


class CameraDecoder(nn.Module):
    """Camera tokens (B, S, 2 C) to encodings (B, S, 9)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.fc_t = nn.Linear(width, 3)
        self.fc_qvec = nn.Linear(width, 4)
        self.fc_fov = nn.Sequential(nn.Linear(width, 2), nn.ReLU())

    def forward(self, tokens: Tensor) -> Tensor:
        """Read every camera by itself."""
        read = self.backbone(tokens)
        return torch.cat([self.fc_t(read), self.fc_qvec(read), self.fc_fov(read)], dim=-1)


class _PoseBranch(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(9, width // 2)
        self.fc2 = nn.Linear(width // 2, width)

    def forward(self, encoding: Tensor) -> Tensor:
        return self.fc2(functional.gelu(self.fc1(encoding)))  # type: ignore[no-any-return]


class CameraEncoder(nn.Module):
    """Encodings (B, S, 9) of given cameras to tokens (B, S, C)."""

    def __init__(self, config: Da3Config) -> None:
        super().__init__()
        width = config.width
        self.pose_branch = _PoseBranch(width)
        self.token_norm = nn.LayerNorm(width, eps=TORCH_EPS)
        self.trunk = nn.Sequential(
            *(ScaledBlock(width, config.camera_heads, eps=TORCH_EPS) for _ in range(config.camera_depth))
        )
        self.trunk_norm = nn.LayerNorm(width, eps=TORCH_EPS)

    def forward(self, encoding: Tensor) -> Tensor:
        """Let the cameras of an entry of the batch see each other."""
        return self.trunk_norm(self.trunk(self.token_norm(self.pose_branch(encoding))))  # type: ignore[no-any-return]


def encode_cameras(world_to_camera: Tensor, intrinsics: Tensor, size: tuple[int, int]) -> Tensor:
    """Return encodings (..., 9) of cameras (..., 4, 4) or (..., 3, 4) with intrinsics (..., 3, 3) in pixels.

    size: (height, width) of the picture that the intrinsics are of.
    """
    rotation = world_to_camera[..., :3, :3].mT
    centre = -(rotation @ world_to_camera[..., :3, 3:])[..., 0]
    height, width = size
    # field of view = 2 atan(side / (2 f)), the vertical one first
    vertical = 2 * torch.atan(height / 2 / intrinsics[..., 1, 1])
    horizontal = 2 * torch.atan(width / 2 / intrinsics[..., 0, 0])
    return torch.cat([centre, quaternions(rotation), vertical[..., None], horizontal[..., None]], dim=-1)


def decode_cameras(encoding: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Return camera_to_world (..., 4, 4) and intrinsics (..., 3, 3) in pixels of a picture of (height, width).

    A field of view of nought gives a focal length of a million half sides; nothing is cut off here.
    """
    pose = torch.eye(4, dtype=encoding.dtype, device=encoding.device).repeat(*encoding.shape[:-1], 1, 1)
    pose[..., :3, :3] = rotations(encoding[..., 3:7])
    pose[..., :3, 3] = encoding[..., :3]
    half = encoding.new_tensor([size[1] / 2, size[0] / 2])
    # f = side / 2 / tan(field of view / 2)
    focal = half / torch.tan(encoding[..., [8, 7]] / 2).clamp(min=_LEAST_TANGENT)
    intrinsics = torch.zeros_like(pose[..., :3, :3])
    intrinsics[..., 0, 0], intrinsics[..., 1, 1] = focal[..., 0], focal[..., 1]
    intrinsics[..., :2, 2], intrinsics[..., 2, 2] = half, 1
    return pose, intrinsics


def inverted(poses: Tensor) -> Tensor:
    """Return the inverse (..., 4, 4) of rigid transforms (..., 4, 4) or (..., 3, 4)."""
    inverse = torch.zeros(*poses.shape[:-2], 4, 4, dtype=poses.dtype, device=poses.device)
    inverse[..., :3, :3] = poses[..., :3, :3].mT
    inverse[..., :3, 3:] = -poses[..., :3, :3].mT @ poses[..., :3, 3:]
    inverse[..., 3, 3] = 1
    return inverse


def rotations(quaternion: Tensor) -> Tensor:
    """Return the matrices (..., 3, 3) of quaternions (..., 4), x y z w, of any length."""
    x, y, z, w = functional.normalize(quaternion, dim=-1).unbind(-1)
    entries = [
        1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w),
        2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w),
        2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y),
    ]  # fmt: skip
    return torch.stack(entries, dim=-1).reshape(*quaternion.shape[:-1], 3, 3)


def quaternions(rotation: Tensor) -> Tensor:
    """Return the quaternions (..., 4), x y z w with w >= 0, of matrices (..., 3, 3)."""
    m = rotation
    trace = m[..., 0, 0] + m[..., 1, 1] + m[..., 2, 2]
    off = [m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]]
    # 4 q q^T, whose row of the largest diagonal entry is the quaternion but for its length
    corner = m + m.mT + torch.eye(3, dtype=m.dtype, device=m.device) * (1 - trace)[..., None, None]
    side = torch.stack(off, dim=-1)
    last = torch.cat([side, 1 + trace[..., None]], dim=-1)
    outer = torch.cat([torch.cat([corner, side[..., None]], dim=-1), last[..., None, :]], dim=-2)
    largest = outer.diagonal(dim1=-2, dim2=-1).argmax(-1)
    row = outer.gather(-2, largest[..., None, None].expand(*largest.shape, 1, 4))[..., 0, :]
    unit = functional.normalize(row, dim=-1)
    return torch.where(unit[..., 3:] < 0, -unit, unit)


def normalised_cameras(world_to_camera: Tensor) -> Tensor:
    """Make the first camera the world and the median distance to it 1, as the network was trained: (B, S, 4, 4).

    The first camera's own distance of 0 counts, of two medians the lower one is taken, and it is at least 0.1.

    Raises:
        UnusableInput: not (B, S, 3 or 4, 4), or not finite.
    """
    if world_to_camera.ndim != 4 or world_to_camera.shape[-2:] not in ((3, 4), (4, 4)):
        raise UnusableInput(f"cameras must be (B, S, 4, 4) from world to camera, not {tuple(world_to_camera.shape)}")
    if not world_to_camera.isfinite().all():
        raise UnusableInput("cameras hold values that are not finite")
    whole = inverted(inverted(world_to_camera))
    relative = whole @ inverted(whole[:, :1])
    distance = inverted(relative)[..., :3, 3].norm(dim=-1).median(dim=1).values.clamp(min=_LEAST_DISTANCE)
    relative[..., :3, 3] /= distance[:, None, None]
    return relative
