"""Things as one triangle mesh, with a place in the texture atlas for every sheet."""

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.classes import SemanticClass
from pipeline.tours.materials import Material
from pipeline.tours.surfaces import Sheet, Thing

ATLAS_WIDTH = 4096
BORDER = 8
"""Texels around every patch, so that the atlas can be halved three times before neighbours bleed into one another."""


@dataclass(frozen=True)
class Patch:
    """A sheet's place in the atlas: the rectangle (row, column, height, width) in texels, without its border."""

    sheet: Sheet
    material: Material
    label: SemanticClass
    place: tuple[int, int, int, int]


@dataclass(frozen=True)
class Mesh:
    """Triangles of a whole house.

    vertices (V, 3) float32 metres; triangles (T, 3) uint32; texels (T, 3, 2) float32, atlas (x, y) of each corner;
    texel_size (T,) float32 metres; labels (T,) uint8; instances (T,) uint16, from 1; surfaces (T,) uint8,
    ``SurfaceKind``.
    """

    vertices: NDArray[np.float32]
    triangles: NDArray[np.uint32]
    texels: NDArray[np.float32]
    texel_size: NDArray[np.float32]
    labels: NDArray[np.uint8]
    instances: NDArray[np.uint16]
    surfaces: NDArray[np.uint8]
    patches: tuple[Patch, ...]
    atlas_height: int

    @functools.cached_property
    def normals(self) -> NDArray[np.float32]:
        """Unit normals of the triangles, (T, 3)."""
        a, b, c = (self.vertices[self.triangles[:, i]] for i in range(3))
        normals = np.cross(b - a, c - a)
        return np.asarray(normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12), np.float32)


def build_mesh(things: tuple[Thing, ...]) -> Mesh:
    """Triangulate ``things``; instance ids count from 1 in their order."""
    parts = [(sheet, material, item.label, i + 1) for i, item in enumerate(things) for sheet, material in item.parts]
    shapes = [_texture_shape(sheet, material) for sheet, material, _, _ in parts]
    places, height = _pack(shapes)
    grids = [_triangulate(part[0], place) for part, place in zip(parts, places, strict=True)]
    counts = [len(triangles) for _, triangles, _ in grids]
    firsts = np.cumsum([0, *(len(vertices) for vertices, _, _ in grids)])
    return Mesh(
        vertices=np.concatenate([vertices for vertices, _, _ in grids]).astype(np.float32),
        triangles=np.concatenate([t + first for (_, t, _), first in zip(grids, firsts, strict=False)]).astype(
            np.uint32
        ),
        texels=np.concatenate([texels for _, _, texels in grids]).astype(np.float32),
        texel_size=np.repeat([material.texel for _, material, _, _ in parts], counts).astype(np.float32),
        labels=np.repeat([label for _, _, label, _ in parts], counts).astype(np.uint8),
        instances=np.repeat([instance for _, _, _, instance in parts], counts).astype(np.uint16),
        surfaces=np.repeat([material.surface for _, material, _, _ in parts], counts).astype(np.uint8),
        patches=tuple(Patch(sheet, m, label, place) for (sheet, m, label, _), place in zip(parts, places, strict=True)),
        atlas_height=height,
    )


def _texture_shape(sheet: Sheet, material: Material) -> tuple[int, int]:
    height, width = (int(np.clip(round(side / material.texel), 2, ATLAS_WIDTH - 2 * BORDER)) for side in sheet.size)
    return height, width


def _pack(shapes: list[tuple[int, int]]) -> tuple[list[tuple[int, int, int, int]], int]:
    """Pack rectangles onto shelves, tallest first; return their places and the height of the atlas."""
    places = [(0, 0, 0, 0)] * len(shapes)
    top, left, shelf = 0, 0, 0
    for i in sorted(range(len(shapes)), key=lambda i: (-shapes[i][0], i)):
        height, width = shapes[i]
        if left + width + 2 * BORDER > ATLAS_WIDTH:
            top, left, shelf = top + shelf, 0, 0
        places[i] = (top + BORDER, left + BORDER, height, width)
        left += -(-(width + 2 * BORDER) // BORDER) * BORDER
        shelf = max(shelf, -(-(height + 2 * BORDER) // BORDER) * BORDER)
    return places, top + shelf


def _triangulate(
    sheet: Sheet, place: tuple[int, int, int, int]
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Return vertices (V, 3), triangles (T, 3) and atlas coordinates of the triangles' corners (T, 3, 2)."""
    rows, columns = sheet.vertices.shape[0], sheet.vertices.shape[1]
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = (index[i : i + rows - 1, j : j + columns - 1].ravel() for i, j in ((0, 0), (0, 1), (1, 1), (1, 0)))
    triangles = np.concatenate([np.stack([a, b, c], axis=-1), np.stack([a, c, d], axis=-1)])
    top, left, height, width = place
    y, x = np.meshgrid(np.linspace(0, height, rows), np.linspace(0, width, columns), indexing="ij")
    texels = np.stack([x.ravel() + left, y.ravel() + top], axis=-1)
    return sheet.vertices.reshape(-1, 3), triangles, texels[triangles]
