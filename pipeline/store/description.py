"""What stored data say of themselves, for readers that know nothing of this program: axes, classes, grid, version."""

from typing import Any

from pipeline.contract.classes import COUNTED_CLASSES, palette
from pipeline.contract.grid import FLOOR_MARGIN, GRID_SHAPE, VOXEL_SIZE

FORMAT_VERSION = 2
"""Of a hierarchy: 1 said nothing of itself (releases up to 0.2); since 2 it has these attributes and names of axes."""

_MATRIX = ("frame", "matrix_row", "matrix_column")
_MAP = ("frame", "row", "column")
_GRID = ("frame", "x", "y", "z")
_AXES = {
    "rgb": ("frame", "picture_row", "picture_column", "channel"),
    "intrinsics": ("frame", "intrinsics_row", "intrinsics_column"),
    "camera_to_world": _MATRIX,
    "grid_from_world": _MATRIX,
    "world_from_reconstruction": _MATRIX,
    "origin": ("frame", "axis"),
    "class_counts": ("frame", "label"),
    "distortion": ("frame", "coefficient"),
    "rolling_shutter": ("frame", "motion_and_enlargement"),
    "region_embeddings": ("region", "embedding"),
    "region_of_voxel": _GRID,
    "mixture_ranges": ("mixture_range", "bound"),
    "mixtures": ("mixture_entry", "member"),
}
_MAPS_OR_GRIDS = ("depth", "confidence", "labels", "regions", "moving", "guessed", "depth_source")


def axes(array: str, dimensions: int) -> tuple[str, ...]:
    """Return the names of the axes of a stored array; one name has one length within a group.

    Pixels of depth maps are ``row`` and ``column``, those of pictures ``picture_row`` and ``picture_column``.
    """
    named = _AXES.get(array, ())
    if array in _MAPS_OR_GRIDS:
        named = _GRID if dimensions == len(_GRID) else _MAP
    if len(named) == dimensions:
        return named
    return ("frame", *(f"{array}_{axis}" for axis in range(1, dimensions)))


def root_attributes() -> dict[str, Any]:
    """Return the attributes of a video's hierarchy."""
    colours = palette()
    return {
        "format_version": FORMAT_VERSION,
        "classes": [
            {"id": int(label), "name": label.name.lower(), "colour": colours[label].tolist()}
            for label in COUNTED_CLASSES
        ],
        "voxel_size_m": VOXEL_SIZE,
        "grid_shape": list(GRID_SHAPE),
        "grid_axes": ["x", "y", "z"],
        "grid_convention": (
            "occupancy/labels[frame, x, y, z]; z up; origin is the corner of voxel (0, 0, 0) in the frame that "
            "grid_from_world leads to; floor((p - origin) / voxel_size_m) maps a point p of that frame to its voxel"
        ),
        "floor_margin_m": FLOOR_MARGIN,
        "camera_convention": "x right, y down, z forward; camera_to_world in metres; pixel centres at integers + 0.5",
    }
