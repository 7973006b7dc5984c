"""The shapes everything is built of: sheets of vertices with a texture, and boxes, rods and cushions of them."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.classes import SemanticClass
from pipeline.tours.materials import Material

Vector = tuple[float, float, float]
Transform = NDArray[np.float64]


@dataclass(frozen=True)
class Sheet:
    """A flat or curved sheet with one texture.

    vertices: (rows + 1, columns + 1, 3) float64, metres; the front normal is (along columns) x (along rows).
    size: height and width in metres that the texture spans.
    start: where in the pattern (v, u in metres) the first vertex lies, so that neighbours continue one pattern.
    """

    vertices: NDArray[np.float64]
    size: tuple[float, float]
    start: tuple[float, float] = (0.0, 0.0)

    def moved(self, transform: Transform) -> "Sheet":
        """Return the sheet after the rigid ``transform`` (4, 4)."""
        return replace(self, vertices=self.vertices @ transform[:3, :3].T + transform[:3, 3])


@dataclass(frozen=True)
class Thing:
    """One instance: sheets with their materials, and the class they all belong to."""

    label: SemanticClass
    parts: tuple[tuple[Sheet, Material], ...]

    def moved(self, transform: Transform) -> "Thing":
        """Return the thing after the rigid ``transform`` (4, 4)."""
        return replace(self, parts=tuple((sheet.moved(transform), material) for sheet, material in self.parts))

    def painted(self, texel: float) -> "Thing":
        """Return the thing painted with texels no finer than ``texel`` metres."""
        return replace(
            self,
            parts=tuple((sheet, replace(material, texel=max(material.texel, texel))) for sheet, material in self.parts),
        )

    def bounds(self) -> NDArray[np.float64]:
        """Return the axis-aligned bounds, (2, 3) metres."""
        points = np.concatenate([sheet.vertices.reshape(-1, 3) for sheet, _ in self.parts])
        return np.stack([points.min(axis=0), points.max(axis=0)])


def thing(label: SemanticClass, *groups: tuple[tuple[Sheet, ...], Material]) -> Thing:
    """Make one instance of groups of sheets, each group with its material."""
    return Thing(label, tuple((sheet, material) for sheets, material in groups for sheet in sheets))


def quarter_turn(turns: int, origin: tuple[float, float], height: float = 0.0) -> Transform:
    """Return the transform that turns by ``turns`` x 90 degrees about z and moves (0, 0, 0) to ``origin``."""
    cosine, sine = ((1, 0), (0, 1), (-1, 0), (0, -1))[turns % 4]
    transform = np.eye(4)
    transform[:2, :2] = [[cosine, -sine], [sine, cosine]]
    transform[:3, 3] = [*origin, height]
    return transform


def rectangle(corner: Vector, along: Vector, up: Vector, start: tuple[float, float] = (0.0, 0.0)) -> Sheet:
    """Return the flat sheet corner, corner + along, corner + up; its front normal is along x up."""
    origin, right, rise = (np.array(v, np.float64) for v in (corner, along, up))
    vertices = np.stack([[origin, origin + right], [origin + rise, origin + rise + right]])
    return Sheet(vertices, (float(np.linalg.norm(rise)), float(np.linalg.norm(right))), start)


def box(low: Vector, high: Vector) -> tuple[Sheet, ...]:
    """Return the six faces of an axis-aligned box, normals outwards."""
    (x0, y0, z0), (x1, y1, z1) = low, high
    x, y, z = x1 - x0, y1 - y0, z1 - z0
    return (
        rectangle((x0, y0, z0), (x, 0, 0), (0, 0, z)),
        rectangle((x1, y0, z0), (0, y, 0), (0, 0, z)),
        rectangle((x1, y1, z0), (-x, 0, 0), (0, 0, z)),
        rectangle((x0, y1, z0), (0, -y, 0), (0, 0, z)),
        rectangle((x0, y0, z1), (x, 0, 0), (0, y, 0)),
        rectangle((x0, y1, z0), (x, 0, 0), (0, -y, 0)),
    )


def lathe(foot: Vector, profile: tuple[tuple[float, float], ...], sides: int = 12) -> tuple[Sheet, ...]:
    """Turn a ``profile`` of (radius, height) pairs about the vertical through ``foot``: rods, vases, lampshades."""
    angle = np.linspace(0, 2 * np.pi, sides + 1)
    circle = np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)], axis=-1)
    rings = np.stack([np.array(foot) + radius * circle + [0, 0, height] for radius, height in profile])
    steps = np.linalg.norm(np.diff(np.array(profile), axis=0), axis=1)
    girth = 2 * np.pi * max(radius for radius, _ in profile)
    return (Sheet(rings, (float(steps.sum()), girth)),)


def rod(foot: Vector, radius: float, height: float, sides: int = 8) -> tuple[Sheet, ...]:
    """Return an upright rod with a closed top."""
    return lathe(foot, ((radius, 0.0), (radius, height), (0.0, height)), sides)


def cushion(centre: Vector, radii: Vector, roundness: float = 0.45, sides: int = 12) -> tuple[Sheet, ...]:
    """Return a superellipsoid: 1 is an ellipsoid, towards 0 it becomes a box with rounded edges."""
    longitude = np.linspace(-np.pi, np.pi, 2 * sides + 1)
    latitude = np.linspace(-np.pi / 2, np.pi / 2, sides + 1)[:, None]
    around = np.stack(
        np.broadcast_arrays(_power(np.cos(longitude), roundness), _power(np.sin(longitude), roundness)), -1
    )
    flat = _power(np.cos(latitude), roundness)[..., None] * around
    rise = np.broadcast_to(_power(np.sin(latitude), roundness), flat.shape[:2])[..., None]
    vertices = np.concatenate([flat, rise], axis=-1) * np.array(radii) + np.array(centre)
    return (Sheet(vertices, (2 * (radii[2] + min(radii[0], radii[1])), 2.5 * (radii[0] + radii[1]))),)


def _power(value: NDArray[np.float64], exponent: float) -> NDArray[np.float64]:
    return np.sign(value) * np.abs(value) ** exponent
