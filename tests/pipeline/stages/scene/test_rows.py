from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.records import MetricScene, Reconstruction
from pipeline.contract.scale import ScaleSource
from pipeline.stages.scene.rows import append_scene, blank_scene
from pipeline.store.rows import read_scene
from pipeline.store.store import Store
from tests.pipeline.box_room import Box, Room, film, looking

CAMERAS = [looking((0.1 * i, 0, 1.5), (0.5, 2, 1.2)) for i in range(3)]


@pytest.fixture(scope="module")
def scene() -> MetricScene:
    return film(Room(Box((-1.5, -1.0, 0.0), (2.0, 3.0, 2.6))), CAMERAS, (12, 16))[0]


def test_scenes_read_back_clip_by_clip(tmp_path: Path, scene: MetricScene):
    other = replace(
        scene,
        ceiling_height=float("nan"),
        up_confidence=0.25,
        scale_source=ScaleSource.CAMERA_HEIGHT,
        world_from_reconstruction=2 * np.eye(4),
        guessed=scene.depth > np.median(scene.depth),
        floor_height=np.array([0.0, 0.3, 2.6], np.float32),
    )
    video = Store(tmp_path).video("a")
    with video.write_group("scene") as group:
        append_scene(group, scene)
        append_scene(group, other)
    for rows, written in ((slice(0, 3), scene), (slice(3, 6), other)):
        found = read_scene(video, rows)
        for field in fields(MetricScene):
            given, read = getattr(written, field.name), getattr(found, field.name)
            given = np.zeros_like(read) if given is None else given
            # float16 keeps eleven bits of depth.
            assert np.allclose(read, given, rtol=2**-11, equal_nan=True), field.name
        assert (found.depth.dtype, found.scale_source) == (np.float32, written.scale_source)


def test_the_share_of_pixels_with_depth_is_kept_for_every_frame(tmp_path: Path, scene: MetricScene):
    depth = scene.depth.copy()
    depth[1, :6] = 0
    video = Store(tmp_path).video("a")
    with video.write_group("scene") as group:
        append_scene(group, replace(scene, depth=depth))
    assert video.read("scene", "depth_share").tolist() == [1.0, 0.5, 1.0]


def test_a_blank_scene_has_the_shape_of_its_reconstruction_and_nothing_else(scene: MetricScene):
    like = Reconstruction(scene.intrinsics, scene.camera_to_world, scene.depth, scene.confidence, scene.registered)
    blank = blank_scene(like)
    assert blank.depth.shape == blank.confidence.shape == like.depth.shape
    assert not any(array.any() for array in (blank.intrinsics, blank.camera_to_world, blank.depth, blank.registered))
    assert (blank.up_confidence, blank.scale_source) == (0, ScaleSource.NONE)
    assert np.isnan(blank.ceiling_height)
