"""Where things seem to be that are seen through panes and in mirrors: where a reconstruction finds them."""

from dataclasses import dataclass

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
    origins = np.broadcast_to(origin, directions.shape).astype(np.float32)
    hits = caster.cast(origins, directions)
    triangle = np.where(hits.found, hits.triangle, 0)
    depth = np.where(hits.found, hits.distance, 0).astype(np.float32)
    surfaces = np.where(hits.found, mesh.surfaces[triangle], SurfaceKind.PLAIN).astype(np.uint8)
    instances = np.where(hits.found, mesh.instances[triangle], 0).astype(np.uint16)
    apparent = _followed((mesh, caster), (origins, directions), BOUNCES)
    return ApparentView(
        depth.reshape(shape), apparent.reshape(shape), surfaces.reshape(shape), instances.reshape(shape)
    )


def _followed(house: tuple[Mesh, Caster], rays: tuple[Floats, Floats], bounces: int) -> Floats:
    """Return how far rays (n, 3) get, through panes and by mirrors, in lengths of their directions; 0 = to the sky."""
    (mesh, caster), (origins, directions) = house, rays
    hits = caster.cast(origins, directions)
    triangle, distance = np.where(hits.found, hits.triangle, 0), np.where(hits.found, hits.distance, 0)
    travelled = np.asarray(distance, np.float32)
    surfaces = np.where(hits.found, mesh.surfaces[triangle], SurfaceKind.PLAIN)
    goes_on = np.flatnonzero((surfaces == SurfaceKind.GLASS) | (surfaces == SurfaceKind.MIRROR))
    if bounces and len(goes_on):
        ahead = directions[goes_on]
        back = reflected(ahead, mesh.normals[triangle[goes_on]])
        ahead = np.where((surfaces[goes_on] == SurfaceKind.MIRROR)[:, None], back, ahead).astype(np.float32)
        starts = origins[goes_on] + distance[goes_on, None] * directions[goes_on] + AHEAD * ahead
        further = _followed(house, (starts.astype(np.float32), ahead), bounces - 1)
        travelled[goes_on] = np.where(further > 0, travelled[goes_on] + further, 0)
    return travelled
