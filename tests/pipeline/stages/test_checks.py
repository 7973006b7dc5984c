"""Checks of stored results: sound ones pass, damaged ones do not, and the figures are right."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.classes import SemanticClass
from pipeline.stages.indoor_clips.checks import frames_shape
from pipeline.stages.occupancy.checks import grid_shape
from pipeline.stages.registry import stages
from pipeline.stages.scene.checks import depth_share, up_confidence
from pipeline.stages.semantics.checks import label_histogram
from pipeline.store.store import Store
from pipeline.store.video import VideoStore
from tests.pipeline.stored_room import FRAMES, store_room


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("original")
    store_room(folder)
    return folder


@pytest.fixture
def room(original: Path, tmp_path: Path) -> VideoStore:
    shutil.copytree(original, tmp_path, dirs_exist_ok=True)
    return Store(tmp_path).video("room")


def test_an_exact_room_passes_every_check(room: VideoStore):
    findings = [check(room) for stage in stages().values() for check in stage.checks]
    assert all(finding.passed for finding in findings)
    assert depth_share(room).figures["median"] == 1.0, "every ray of a closed room ends on a surface"


def test_shares_of_labels_add_up_to_one(room: VideoStore):
    assert sum(label_histogram(room).figures.values()) == pytest.approx(1)
    assert sum(grid_shape(room).figures.values()) == pytest.approx(1)


def test_a_video_of_one_class_is_suspicious(room: VideoStore):
    labels = np.full((FRAMES, 96, 128), SemanticClass.WALL, np.uint8)
    _replace(room, "semantics", {"labels": labels})
    assert not label_histogram(room).passed


def test_a_label_outside_the_list_is_found(room: VideoStore):
    labels = room.read("semantics", "labels")
    labels[0, :5] = 77
    _replace(room, "semantics", {"labels": labels})
    assert not label_histogram(room).passed


def test_depth_on_few_pixels_and_doubtful_up_are_found(room: VideoStore):
    arrays = {"registered": np.ones(FRAMES, bool), "depth_share": np.full(FRAMES, 0.1, np.float32)}
    _replace(room, "scene", {**arrays, "up_confidence": np.linspace(0.2, 1, FRAMES, dtype=np.float32)})
    assert not depth_share(room).passed
    assert not up_confidence(room).passed
    assert up_confidence(room).figures["least"] == pytest.approx(0.2)


def test_grids_that_lost_voxels_are_found(room: VideoStore):
    counts = room.read("occupancy", "class_counts")
    _replace(room, "occupancy", {"labels": room.read("occupancy", "labels"), "class_counts": counts - 1})
    assert not grid_shape(room).passed


def test_rows_that_do_not_match_are_found(room: VideoStore):
    arrays = {name: room.read("frames", name) for name in ("rgb", "clip_id", "frame_index", "time_s", "indoor_score")}
    _replace(room, "frames", {**arrays, "time_s": arrays["time_s"][:-1]})
    assert not frames_shape(room).passed


def _replace(video: VideoStore, name: str, arrays: dict[str, np.ndarray]) -> None:
    with video.write_group(name, {}) as group:
        for array, rows in arrays.items():
            group.append(array, rows)
