"""A view of three frames with every class in its grids, for pages."""

import numpy as np

from pipeline.contract.classes import FILLED_LABELS, SemanticClass
from pipeline.contract.grid import GRID_SHAPE, VOXEL_SIZE
from pipeline.pictures.viewer.clip_view import ClipView
from pipeline.pictures.viewer.cloud import Cloud
from tests.pipeline.box_room import looking

FRAMES = 3
HOSTILE = "</title><script>document.title='taken'</script>\"><img src=https://example.org/a.png onerror=alert(1)>"


def made_up_view(title: str = "a room", points: int = 2000) -> ClipView:
    """Return a floor with a block of every label in a row, seen empty space above, unknown beyond."""
    draw = np.random.default_rng(1)
    grids = np.full((FRAMES, *GRID_SHAPE), SemanticClass.UNKNOWN, np.uint8)
    grids[:, :, :30, 2:20] = SemanticClass.EMPTY
    grids[:, :, :30, 0] = SemanticClass.FLOOR
    for frame in range(FRAMES):
        for place, label in enumerate(FILLED_LABELS):
            grids[frame, 2 + 4 * place : 5 + 4 * place, 8 + 6 * frame : 14 + 6 * frame, 1 : 4 + place] = label
    world_from_voxel = np.repeat(np.diag([VOXEL_SIZE, VOXEL_SIZE, VOXEL_SIZE, 1.0])[None], FRAMES, axis=0)
    steps = draw.integers(0, 1000, (points, 3)).astype(np.uint16)
    return ClipView(
        title=title,
        video_id="room",
        clip_id=4,
        rows=np.arange(FRAMES),
        time_s=np.arange(FRAMES) / 2,
        pictures=np.stack([np.full((480, 640, 3), 60 + 70 * i, np.uint8) for i in range(FRAMES)]),
        labels=draw.integers(1, 12, (FRAMES, 24, 32)).astype(np.uint8),
        intrinsics=np.repeat(np.array([[500.0, 0, 320], [0, 500, 240], [0, 0, 1]], np.float32)[None], FRAMES, axis=0),
        camera_to_world=np.stack([looking((2.4, 0.2 + i / 5, 1.5), (2.4, 3, 0.5)) for i in range(FRAMES)]).astype(
            np.float32
        ),
        grids=grids,
        world_from_voxel=world_from_voxel,
        cloud=Cloud(
            np.zeros(3), steps, draw.integers(0, 256, (points, 3)).astype(np.uint8), np.full(points, 3, np.uint8)
        ),
        facts=[title],
    )
