"""Ray casting against a mesh, by Open3D (Embree)."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.tours.mesh import Mesh

NO_TRIANGLE = np.uint32(0xFFFFFFFF)


@dataclass(frozen=True)
class Hits:
    """Where rays met the mesh.

    distance: (n,) float32, in lengths of the ray's direction, inf where it missed.
    triangle: (n,) uint32, NO_TRIANGLE where it missed. barycentric: (n, 2) float32.
    """

    distance: NDArray[np.float32]
    triangle: NDArray[np.uint32]
    barycentric: NDArray[np.float32]

    @property
    def found(self) -> NDArray[np.bool_]:
        """Tell which rays met a triangle, (n,)."""
        return np.asarray(self.triangle != NO_TRIANGLE)


class Caster(Protocol):
    """Whatever rays can be cast at: a house, or a house with people in it."""

    def cast(self, origins: NDArray[np.float32], directions: NDArray[np.float32]) -> Hits:
        """Cast rays from ``origins`` along ``directions``, both (n, 3) or one origin (3,), metres."""
        ...


class RayCaster:
    """Casts rays at a mesh, each call on one thread; several threads may call at once.

    chosen: (T,) which triangles there are; ids of triangles count these alone. None: all.
    """

    def __init__(self, mesh: Mesh, chosen: NDArray[np.bool_] | None = None) -> None:
        import open3d as o3d

        self._tensor = o3d.core.Tensor.from_numpy
        self._scene = o3d.t.geometry.RaycastingScene(nthreads=1)
        self._scene.add_triangles(
            self._tensor(mesh.vertices), self._tensor(mesh.triangles if chosen is None else mesh.triangles[chosen])
        )
        self.cast(np.zeros((1, 3), np.float32), np.ones((1, 3), np.float32))  # builds the tree before threads share it

    def cast(self, origins: NDArray[np.float32], directions: NDArray[np.float32]) -> Hits:
        """Cast rays from ``origins`` along ``directions``, both (n, 3) or one origin (3,), metres."""
        rays = np.empty((len(directions), 6), np.float32)
        rays[:, :3], rays[:, 3:] = origins, directions
        answer = self._scene.cast_rays(self._tensor(rays), nthreads=1)
        names = ("t_hit", "primitive_ids", "primitive_uvs")
        return Hits(*(answer[name].numpy() for name in names))

    def is_blocked(self, origins: NDArray[np.float32], directions: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Tell which of the segments from ``origins`` (n, 3) to ``origins + directions`` meet the mesh."""
        rays = np.concatenate([origins, directions], axis=1, dtype=np.float32)
        return np.asarray(self._scene.test_occlusions(self._tensor(rays), tnear=0.0, tfar=1.0, nthreads=1).numpy())
