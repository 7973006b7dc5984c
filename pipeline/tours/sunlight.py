"""Patches of sun that fall through clear windows: sharper than lamplight, so sampled more finely where they are."""

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.contract.classes import SemanticClass
from pipeline.tours.light import SHADOW_REACH, SUN, SUNLIGHT, Points, raster
from pipeline.tours.materials import SurfaceKind
from pipeline.tours.mesh import Mesh, Patch
from pipeline.tours.raycast import RayCaster

COARSE, SPACING = 0.12, 0.025
"""Metres between the points at which sun is looked for, and between those at which its patches are drawn."""
MOST = 240
STRENGTH = 1.3


def with_sun(light: list[NDArray[np.float32]], mesh: Mesh) -> list[NDArray[np.float32]]:
    """Return the light of every indoor patch with the sun that glass lets through."""
    caster = RayCaster(mesh, mesh.surfaces != SurfaceKind.GLASS)
    indoor = [i for i, patch in enumerate(mesh.patches) if _catches_sun(patch)]
    rasters = [raster(mesh.patches[i].sheet, COARSE) for i in indoor]
    points, normals = (np.concatenate([pair[k].reshape(-1, 3) for pair in rasters]) for k in (0, 1))
    counts = [pair[0].shape[0] * pair[0].shape[1] for pair in rasters]
    lit = np.split(_sun(points, normals, caster) > 0, np.cumsum(counts)[:-1])
    answer = list(light)
    for i, seen in zip(indoor, lit, strict=True):
        if seen.any():
            answer[i] = _drawn(light[i], mesh.patches[i], caster)
    return answer


def _catches_sun(patch: Patch) -> bool:
    return patch.label != SemanticClass.UNKNOWN and not patch.material.glows


def _drawn(light: NDArray[np.float32], patch: Patch, caster: RayCaster) -> NDArray[np.float32]:
    points, normals = raster(patch.sheet, SPACING, MOST)
    shape = points.shape[:2]
    sun = _sun(points.reshape(-1, 3), normals.reshape(-1, 3), caster).reshape(shape)
    y, x = (np.linspace(0, n - 1, m, dtype=np.float32) for n, m in zip(light.shape, shape, strict=False))
    finer = cv2.remap(light, *np.meshgrid(x, y), cv2.INTER_LINEAR)
    return np.asarray(finer + STRENGTH * sun[..., None] * np.array(SUNLIGHT), np.float32)


def _sun(points: Points, normals: Points, caster: RayCaster) -> NDArray[np.float64]:
    """Return the share of the sun that falls on points (n, 3) with normals (n, 3), (n,)."""
    cosine = normals @ SUN
    lit = np.flatnonzero(cosine > 0)
    towards = np.broadcast_to((SUN * SHADOW_REACH).astype(np.float32), (len(lit), 3))
    free = lit[~caster.is_blocked(points[lit].astype(np.float32), towards)]
    share = np.zeros(len(points))
    share[free] = cosine[free]
    return share
