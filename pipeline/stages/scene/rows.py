"""Metric scenes as rows of the group ``scene``."""

import numpy as np

from pipeline.contract.records import MetricScene, Reconstruction
from pipeline.contract.scale import ScaleSource
from pipeline.store.group_writer import GroupWriter
from pipeline.store.groups import SCALE_SIGMA, WORLD_ID


def append_scene(group: GroupWriter, scene: MetricScene) -> None:
    """Append the rows of one clip to the group ``scene``."""
    n = len(scene.registered)
    group.append("intrinsics", scene.intrinsics.astype(np.float32))
    group.append("camera_to_world", scene.camera_to_world.astype(np.float32))
    group.append("depth", scene.depth.astype(np.float16))
    group.append("confidence", scene.confidence.astype(np.float16))
    group.append("registered", scene.registered)
    group.append("guessed", np.zeros(scene.depth.shape, np.bool_) if scene.guessed is None else scene.guessed)
    group.append("ceiling_height", np.full(n, scene.ceiling_height, np.float32))
    group.append("camera_height", np.full(n, scene.camera_height, np.float32))
    group.append("floor_height", np.zeros(n, np.float32) if scene.floor_height is None else scene.floor_height)
    group.append("up_confidence", np.full(n, scene.up_confidence, np.float32))
    group.append("depth_share", (scene.depth > 0).mean(axis=(1, 2)).astype(np.float32))
    group.append("scale_source", np.full(n, scene.scale_source, np.uint8))
    group.append(SCALE_SIGMA, np.full(n, scene.scale_sigma, np.float32))
    group.append("scale_cues", np.full(n, scene.scale_cues, np.uint16))
    group.append(WORLD_ID, np.full(n, scene.world_id, np.int32))
    group.append("world_from_reconstruction", np.repeat(scene.world_from_reconstruction[None], n, axis=0))


def blank_scene(like: Reconstruction) -> MetricScene:
    """Return a scene without cameras or depth, of the shape of a reconstruction."""
    n, h, w = like.depth.shape
    nothing = np.zeros((n, h, w), np.float32)
    return MetricScene(
        intrinsics=np.zeros((n, 3, 3), np.float32),
        camera_to_world=np.zeros((n, 4, 4), np.float32),
        depth=nothing,
        confidence=nothing,
        registered=np.zeros(n, np.bool_),
        ceiling_height=float("nan"),
        up_confidence=0.0,
        scale_source=ScaleSource.NONE,
        world_from_reconstruction=np.eye(4),
    )
