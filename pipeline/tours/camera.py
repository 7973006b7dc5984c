"""The camera: intrinsics, poses, rays, and the handheld walk that moves it."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH

Point = tuple[float, float]


class PictureCamera(Protocol):
    """A camera that takes one picture: from where, and in which direction, each of its pixels looks."""

    @property
    def size(self) -> tuple[int, int]:
        """Return width and height of the picture, pixels."""
        ...

    @property
    def focal(self) -> np.float32:
        """Return the focal length, pixels."""
        ...

    def rays(self, pixels: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return origins (3,) or (n, 3) and directions (n, 3), one long along the camera's axis, of pixels (n, 2)."""
        ...


class Movement(Protocol):
    """How a shot's camera moves, for ``duration`` seconds."""

    @property
    def duration(self) -> float:
        """Seconds."""

    def at(self, seconds: float) -> NDArray[np.float64]:
        """Return camera_to_world (4, 4) float64, ``seconds`` after the start."""


def intrinsics_of(field_of_view: float) -> NDArray[np.float32]:
    """Return the (3, 3) intrinsics of a 640x480 picture ``field_of_view`` degrees wide: square pixels, centred."""
    focal = FRAME_WIDTH / 2 / np.tan(np.radians(field_of_view) / 2)
    return np.array([[focal, 0, FRAME_WIDTH / 2], [0, focal, FRAME_HEIGHT / 2], [0, 0, 1]], np.float32)


def pose(position: NDArray[np.float64], yaw: float, pitch: float, roll: float) -> NDArray[np.float64]:
    """Return camera_to_world (4, 4): looking along ``yaw`` (from +x towards +y), ``pitch`` upwards, radians."""
    forward = np.array([np.cos(pitch) * np.cos(yaw), np.cos(pitch) * np.sin(yaw), np.sin(pitch)])
    level = np.array([np.sin(yaw), -np.cos(yaw), 0])
    down = np.cross(forward, level)
    matrix = np.eye(4)
    matrix[:3, 0] = np.cos(roll) * level + np.sin(roll) * down
    matrix[:3, 1] = np.cos(roll) * down - np.sin(roll) * level
    matrix[:3, 2], matrix[:3, 3] = forward, position
    return matrix


def ray_directions(
    intrinsics: NDArray[np.float32], camera_to_world: NDArray[np.float64], pixels: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return world directions (n, 3) of ``pixels`` (n, 2), one unit long along the camera's axis: distance is depth."""
    x = (pixels[:, 0] - intrinsics[0, 2]) / intrinsics[0, 0]
    y = (pixels[:, 1] - intrinsics[1, 2]) / intrinsics[1, 1]
    directions = np.stack([x, y, np.ones_like(x)], axis=-1) @ camera_to_world[:3, :3].T
    return directions.astype(np.float32)


@dataclass(frozen=True)
class Pinhole:
    """The camera of ordinary tours: 640x480 pixels, all exposed at one moment; camera_to_world is (4, 4) float64."""

    intrinsics: NDArray[np.float32]
    camera_to_world: NDArray[np.float64]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture, pixels."""
        return FRAME_WIDTH, FRAME_HEIGHT

    @property
    def focal(self) -> np.float32:
        """Focal length, pixels."""
        return np.float32(self.intrinsics[0, 0])

    def rays(self, pixels: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the origin (3,) and the directions (n, 3) of ``pixels`` (n, 2)."""
        directions = ray_directions(self.intrinsics, self.camera_to_world, pixels)
        return self.camera_to_world[:3, 3].astype(np.float32), directions


@dataclass(frozen=True)
class Walk:
    """A walk along a bent line with a slow pan and an unsteady hand.

    start, bend, end: floor positions, metres (a quadratic Bezier curve). yaw, pitch: (at start, at end), radians.
    shake: (turn in radians, shift in metres), amplitudes; tremor_seed draws its phases.
    """

    start: Point
    bend: Point
    end: Point
    eye_height: float
    yaw: tuple[float, float]
    pitch: tuple[float, float]
    duration: float
    shake: tuple[float, float]
    tremor_seed: int

    def at(self, seconds: float) -> NDArray[np.float64]:
        """Return camera_to_world (4, 4) float64, ``seconds`` after the walk's start."""
        share = seconds / self.duration
        weights = np.array([(1 - share) ** 2, 2 * share * (1 - share), share**2])
        floor = weights @ np.array([self.start, self.bend, self.end])
        yaw, pitch = (a + (b - a) * _eased(share) for a, b in (self.yaw, self.pitch))
        return shaken(np.array([*floor, self.eye_height]), (yaw, pitch), seconds, self.shake, self.tremor_seed)


def shaken(
    position: NDArray[np.float64],
    gaze: tuple[float, float],
    seconds: float,
    shake: tuple[float, float],
    tremor_seed: int,
    steps: float = 1.5,
) -> NDArray[np.float64]:
    """Return camera_to_world (4, 4) at a position (3,), metres, looking along (yaw, pitch) out of an unsteady hand.

    steps: how much more the camera goes up and down with every step than the hand shakes.
    """
    tremor = _tremor(tremor_seed, seconds)
    turn, shift = shake
    moved = position + shift * tremor[:3]
    moved[2] += steps * shift * np.sin(2 * np.pi * 1.7 * seconds)
    return pose(moved, gaze[0] + turn * tremor[3], gaze[1] + turn * tremor[4], 0.7 * turn * tremor[5])


def _tremor(seed: int, seconds: float) -> NDArray[np.float64]:
    """Return six smooth random curves of about unit amplitude."""
    draw = np.random.default_rng(seed)
    hertz, phase = draw.uniform(0.3, 2.2, (6, 3)), draw.uniform(0, 2 * np.pi, (6, 3))
    return np.asarray(np.sin(2 * np.pi * hertz * seconds + phase).sum(axis=1) / np.sqrt(3))


def _eased(share: float) -> float:
    bounded = min(max(share, 0.0), 1.0)
    return 0.5 * share + 0.5 * bounded * bounded * (3 - 2 * bounded)
