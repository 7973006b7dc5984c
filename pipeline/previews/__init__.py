"""Pictures of what every stage made, small enough for the event log or large enough for a page."""

from pipeline.previews.choice import preview
from pipeline.previews.clips import ClipRow, clip_sheet
from pipeline.previews.depth import depth_beside_picture
from pipeline.previews.encode import jpeg
from pipeline.previews.floor_plan import floor_plan
from pipeline.previews.labels import label_overlay
from pipeline.previews.slices import grid_slices
from pipeline.previews.voxels import isometric

__all__ = [
    "ClipRow",
    "clip_sheet",
    "depth_beside_picture",
    "floor_plan",
    "grid_slices",
    "isometric",
    "jpeg",
    "label_overlay",
    "preview",
]
