"""Checks of the stage ``indoor_clips``."""

from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH
from pipeline.stages.base import Finding
from pipeline.store.groups import FRAMES
from pipeline.store.video import VideoStore


def frames_shape(video: VideoStore) -> Finding:
    """Every kept frame is a 640 x 480 picture with its clip, number and time."""
    shape = video.read(FRAMES, "rgb", slice(0, 1)).shape[1:]
    lengths = {name: len(video.read(FRAMES, name)) for name in ("clip_id", "frame_index", "time_s", "indoor_score")}
    passed = shape == (FRAME_HEIGHT, FRAME_WIDTH, 3) and len(set(lengths.values())) == 1
    return Finding(passed, f"pictures of shape {shape}; rows: {lengths}", {"frames": lengths["clip_id"]})
