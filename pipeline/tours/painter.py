"""Pictures of what the camera sees: textures, sky, smooth edges and the sensor's noise."""

import functools
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Floats
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH
from pipeline.tours.albedo import paint
from pipeline.tours.atlas import Atlas
from pipeline.tours.camera import PictureCamera, Pinhole
from pipeline.tours.materials import Material, SurfaceKind
from pipeline.tours.mesh import Mesh
from pipeline.tours.optics import BOUNCES, Seen, Surroundings, seen_with_optics
from pipeline.tours.people.crowd import Crowd
from pipeline.tours.raycast import Caster, Hits

SUB_PIXELS = np.array([[-0.375, -0.125], [0.125, -0.375], [0.375, 0.125], [-0.125, 0.375]], np.float32)
"""A rotated grid of four samples a pixel, for pixels on an edge."""
EDGE_STEP = 0.02
"""Relative change of inverse depth between neighbours that makes an edge."""
SKY_SIZE = 512


def pixel_centres(width: int = FRAME_WIDTH, height: int = FRAME_HEIGHT) -> Floats:
    """Return the centres of all pixels (height * width, 2), row by row."""
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    return np.stack([x.ravel(), y.ravel()], axis=-1).astype(np.float32)


@dataclass(frozen=True)
class Painter:
    """Paints views of a lit house with one camera; crowd: the people in it, whose triangles ``mesh`` has too."""

    mesh: Mesh
    caster: Caster
    atlas: Atlas
    intrinsics: Floats
    sky: Floats
    crowd: Crowd | None = None

    def during(self, shot_id: int, seconds: float) -> "Painter":
        """Return the painter of one moment of a shot, when people stand where they do."""
        here = None if self.crowd is None else self.crowd.caster(shot_id, seconds)
        return self if here is None else replace(self, caster=here)

    def view(self, camera_to_world: NDArray[np.float64]) -> Floats:
        """Return the picture (480, 640, 3) float32 in 0..255 from a pose, without noise."""
        return self.paint(Pinhole(self.intrinsics, camera_to_world))

    def paint(self, camera: PictureCamera) -> Floats:
        """Return the picture (height, width, 3) float32 in 0..255 of any camera, without noise."""
        width, height = camera.size
        pixels = pixel_centres(width, height)
        seen, hits = self._shade(camera, pixels)
        colours, shape = seen.colours, (height, width)
        edges = self._edges(np.where(hits.found, hits.triangle.astype(np.int64), -1), hits.distance, shape)
        if self._shines:
            edges |= self._edges(seen.triangle, seen.distance, shape)
        edge = np.flatnonzero(edges)
        around = (pixels[edge][:, None] + SUB_PIXELS).reshape(-1, 2)
        finer, _ = self._shade(camera, around)
        colours[edge] = finer.colours.reshape(-1, len(SUB_PIXELS), 3).mean(axis=1)
        return colours.reshape(height, width, 3)

    def sample(self, camera: PictureCamera, number: int) -> Floats:
        """Return a picture as ``paint`` does with one sample a pixel, the ``number``-th: several are to be averaged."""
        width, height = camera.size
        pixels = pixel_centres(width, height) + SUB_PIXELS[number % len(SUB_PIXELS)]
        return self._shade(camera, pixels)[0].colours.reshape(height, width, 3)

    def _shade(self, camera: PictureCamera, pixels: Floats) -> tuple[Seen, Hits]:
        """Return what ``pixels`` (n, 2) show and what their rays met."""
        origins, directions = camera.rays(pixels)
        return self._trace((origins, directions), np.zeros(1, np.float32), camera.focal, BOUNCES)

    def _trace(
        self, rays: tuple[Floats, Floats], travelled: Floats, focal: np.float32, bounces: int
    ) -> tuple[Seen, Hits]:
        """Follow rays (origins, directions), each (n, 3), through ``bounces`` panes and mirrors at most."""
        origins, directions = rays
        hits = self.caster.cast(origins, directions)
        triangle = np.where(hits.found, hits.triangle, 0)
        distance = np.where(hits.found, hits.distance, 1)
        texels, level = self._texels(triangle, hits, directions, (distance + travelled) / focal)
        colours = self.atlas.look_up(*_as_image(texels, level)).reshape(-1, 3)[: len(directions)]
        missed = ~hits.found
        if missed.any():
            colours[missed] = sky_colour(self.sky, directions[missed])
        seen = Seen(colours, np.where(hits.found, triangle.astype(np.int64), -1), distance + travelled)
        if not self._shines or bounces == 0:
            return seen, hits
        met = Surroundings(
            np.asarray(origins + distance[:, None] * directions, np.float32),
            directions,
            self.mesh.normals[triangle],
            distance + travelled,
        )
        surfaces = np.where(hits.found, self.mesh.surfaces[triangle], SurfaceKind.PLAIN)
        return seen_with_optics(
            seen, surfaces, met, lambda o, d, t: self._trace((o, d), t, focal, bounces - 1)[0]
        ), hits

    @functools.cached_property
    def _shines(self) -> bool:
        return bool((self.mesh.surfaces != SurfaceKind.PLAIN).any())

    def _texels(
        self, triangle: NDArray[np.uint32], hits: Hits, directions: Floats, pixel: Floats
    ) -> tuple[Floats, Floats]:
        """Return atlas coordinates (n, 2) and atlas level (n,) with texels as large as a ``pixel`` (n,), metres."""
        corners = self.mesh.texels[triangle]
        u, v = hits.barycentric[:, :1], hits.barycentric[:, 1:]
        texels = corners[:, 0] * (1 - u - v) + corners[:, 1] * u + corners[:, 2] * v
        cosine = np.abs(np.einsum("ij,ij->i", self.mesh.normals[triangle], directions))
        footprint = pixel / self.mesh.texel_size[triangle]
        level = np.log2(np.maximum(footprint / np.sqrt(np.maximum(cosine, 0.02)), 1e-3))
        return texels.astype(np.float32), level.astype(np.float32)

    def _edges(self, triangle: NDArray[np.int64], distance: Floats, shape: tuple[int, int]) -> NDArray[np.bool_]:
        """Tell which pixels (height * width,) have a neighbour on another thing or at another depth; -1 is the sky."""
        found = triangle >= 0
        instance = np.where(found, self.mesh.instances[np.maximum(triangle, 0)], 0)
        nearness = np.where(found, 1 / np.maximum(distance, 1e-3), 0)
        edge = np.zeros(shape, bool)
        for axis in (0, 1):
            for values, step in ((instance.reshape(shape), 0), (nearness.reshape(shape), EDGE_STEP)):
                change = np.abs(np.diff(values.astype(np.float32), axis=axis)) > step
                low, high = (slice(None, -1), slice(1, None)) if axis == 0 else (np.s_[:, :-1], np.s_[:, 1:])
                edge[low] |= change
                edge[high] |= change
        return edge.ravel()


def _as_image(texels: Floats, level: Floats) -> tuple[Floats, Floats]:
    """Lay pixels out in rows of 640, because cv2.remap takes no side of 32768 or more."""
    rows = -(-len(level) // FRAME_WIDTH)
    missing = rows * FRAME_WIDTH - len(level)
    padded = np.pad(texels, ((0, missing), (0, 0))), np.pad(level, (0, missing))
    return padded[0].reshape(rows, FRAME_WIDTH, 2), padded[1].reshape(rows, FRAME_WIDTH)


def paint_sky(rng: np.random.Generator) -> Floats:
    """Return clouds (SKY_SIZE, SKY_SIZE) float32, share of white, over the unit square of directions."""
    noise = paint(
        Material("smooth", (0.5, 0.5, 0.5), seed=int(rng.integers(1 << 30))), (3.0, 3.0), (0, 0), (SKY_SIZE, SKY_SIZE)
    )
    return np.asarray(np.clip((noise[..., 0] - 0.5) * 14, 0, 1), np.float32)


def sky_colour(clouds: Floats, directions: Floats) -> Floats:
    """Return sky colours (n, 3) float32 in 0..255 of ``directions`` (n, 3): blue above, pale at the horizon, clouds."""
    rise = np.clip(directions[:, 2] / np.linalg.norm(directions, axis=1), 0, 1)
    plane = directions[:, :2] / (np.abs(directions[:, 2:]) + 0.35)
    at = np.clip((plane * 0.2 + 0.5) * SKY_SIZE, 0, SKY_SIZE - 1).astype(int)
    white = (clouds[at[:, 1], at[:, 0]] * np.clip(rise * 5 - 0.3, 0, 1))[:, None]
    blue = np.array([190, 215, 240]) + np.sqrt(rise)[:, None] * np.array([-110, -80, -15])
    return np.asarray(blue + white * (np.array([246, 247, 250]) - blue), np.float32)


def with_noise(picture: Floats, deviation: float, seed: tuple[int, int]) -> NDArray[np.uint8]:
    """Return ``picture`` as uint8 with the sensor's noise of one frame."""
    noise = np.random.default_rng(seed).standard_normal(picture.shape, dtype=np.float32)
    return np.asarray(np.clip(picture + deviation * noise + 0.5, 0, 255), np.uint8)


def title_card(rng: np.random.Generator, text: str) -> Floats:
    """Return a title card (480, 640, 3) float32: text on a gradient."""
    top, bottom = rng.uniform(20, 110, 3), rng.uniform(60, 200, 3)
    card = np.empty((FRAME_HEIGHT, FRAME_WIDTH, 3), np.uint8)
    card[:] = np.linspace(top, bottom, FRAME_HEIGHT)[:, None].astype(np.uint8)
    cv2.rectangle(card, (70, 170), (570, 310), (235, 235, 235), 2)
    for line, y, size in ((text, 235, 1.4), ("a walk through the house", 280, 0.7)):
        (width, _), _ = cv2.getTextSize(line, cv2.FONT_HERSHEY_DUPLEX, size, 2)
        cv2.putText(
            card, line, ((FRAME_WIDTH - width) // 2, y), cv2.FONT_HERSHEY_DUPLEX, size, (245, 245, 240), 2, cv2.LINE_AA
        )
    return card.astype(np.float32)
