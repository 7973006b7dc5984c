"""Where things seem to be that are seen through panes and in mirrors: where a reconstruction finds them."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Floats
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH
from pipeline.tours.camera import Pinhole
from pipeline.tours.materials import SurfaceKind
from pipeline.tours.mesh import Mesh
from pipeline.tours.optics import AHEAD, BOUNCES, reflected
from pipeline.tours.raycast import Caster


@dataclass(frozen=True)
class ApparentView:
    """One frame, (h, w) each. depth: true z-depth, metres, of panes and mirrors themselves; 0 = sky.

    apparent: z-depth of what is made out, behind a pane or in a mirror, where it seems to be; 0 = sky.
    surfaces: ``SurfaceKind`` of what a ray meets first. instances: uint16, of the same, 0 = none.
    """

    depth: Floats
    apparent: Floats
    surfaces: NDArray[np.uint8]
    instances: NDArray[np.uint16]


def apparent_view(mesh: Mesh, caster: Caster, camera: Pinhole, shape: tuple[int, int]) -> ApparentView:
    """Follow a ray through the middle of every pixel of a picture of ``shape`` (h, w) of what the camera sees."""
    height, width = shape
    x, y = np.meshgrid(
        (np.arange(width) + 0.5) * FRAME_WIDTH / width, (np.arange(height) + 0.5) * FRAME_HEIGHT / height
    )
    origin, directions = camera.rays(np.stack([x.ravel(), y.ravel()], axis=-1).astype(np.float32))
    rays = _Rays(np.broadcast_to(origin, directions.shape).astype(np.float32), directions)
    met = _meet(mesh, caster, rays)
    instances = np.where(met.distance > 0, mesh.instances[met.triangle], 0).astype(np.uint16)
    apparent = _followed((mesh, caster), rays, met, BOUNCES)
    return ApparentView(
        met.distance.reshape(shape), apparent.reshape(shape), met.surfaces.reshape(shape), instances.reshape(shape)
    )


class _Rays(NamedTuple):
    """Origins and directions of rays, (n, 3) each."""

    origins: Floats
    directions: Floats


class _Met(NamedTuple):
    """What n rays meet first. triangle: 0 for the sky; distance: in lengths of their directions, 0 = sky."""

    triangle: NDArray[np.int64]
    distance: Floats
    surfaces: NDArray[np.uint8]


def _meet(mesh: Mesh, caster: Caster, rays: _Rays) -> _Met:
    hits = caster.cast(rays.origins, rays.directions)
    triangle = np.where(hits.found, hits.triangle, 0)
    surfaces = np.where(hits.found, mesh.surfaces[triangle], SurfaceKind.PLAIN).astype(np.uint8)
    return _Met(triangle, np.where(hits.found, hits.distance, 0).astype(np.float32), surfaces)


def _followed(house: tuple[Mesh, Caster], rays: _Rays, met: _Met, bounces: int) -> Floats:
    """Return how far rays get, through panes and by mirrors, in lengths of their directions (n,); 0 = to the sky."""
    travelled, is_mirror = met.distance.copy(), met.surfaces == SurfaceKind.MIRROR
    goes_on = np.flatnonzero((met.surfaces == SurfaceKind.GLASS) | is_mirror)
    if bounces and len(goes_on):
        ahead = rays.directions[goes_on]
        points = rays.origins[goes_on] + met.distance[goes_on, None] * ahead
        back = reflected(ahead, house[0].normals[met.triangle[goes_on]])
        ahead = np.where(is_mirror[goes_on, None], back, ahead).astype(np.float32)
        onward = _Rays((points + AHEAD * ahead).astype(np.float32), ahead)
        further = _followed(house, onward, _meet(*house, onward), bounces - 1)
        travelled[goes_on] = np.where(further > 0, travelled[goes_on] + further, 0)
    return travelled
