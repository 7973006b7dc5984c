"""SAN in the pipeline: a built tour labelled by words, asked for other words, and without what moves."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.san.clip import ClipExtractor
from pipeline.contract.camera import pointmap
from pipeline.contract.grid import GRID_SHAPE, voxel_index
from pipeline.contract.overlap import overlap
from pipeline.quality import tour_quality
from pipeline.stages.base import Workbench
from pipeline.stages.chain import made_by
from pipeline.stages.run import process_video
from pipeline.store.rows import read_labels, read_scene
from pipeline.tours.truth import tour_of, true_clip
from tests.pipeline.module_calls import counted_calls
from tests.pipeline.small_tour import small_settings
from tests.pipeline.stages.semantics.tiny_san import cached_checkpoint, tiny_settings, write_vocabulary


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with cached_checkpoint(tmp_path_factory.mktemp("weights")) as path:
        yield path


def labelled(workbench: Workbench, checkpoint: Path, vocabulary: Path, **occupancy: Any) -> list[str]:
    """Run all stages with these words; returns the stages that were not reused."""
    san = tiny_settings(checkpoint, vocabulary=str(vocabulary))
    settings = small_settings(semantics={"backend": "san", "san": san}, occupancy=occupancy)
    reports = process_video(replace(workbench, settings=settings))
    return [report.provenance.stage for report in reports if not report.reused]


def test_an_edited_vocabulary_labels_again_without_the_image_network(
    copied_tour: Workbench, weights: Path, tmp_path: Path
):
    video, words = copied_tour.video, tmp_path / "words.yaml"
    write_vocabulary(words, "wooden")
    with counted_calls(ClipExtractor) as pictures:
        assert labelled(copied_tour, weights, words) == ["semantics", "occupancy"]
    assert sum(pictures) == len(video.read("frames", "rgb"))
    before = video.read("semantics", "labels")
    write_vocabulary(words, "heavy", moving=("old cat",))
    with counted_calls(ClipExtractor) as pictures:
        assert labelled(copied_tour, weights, words) == ["semantics", "occupancy"]
    assert pictures == []
    assert (video.read("semantics", "labels") != before).any()
    made = made_by(video, "semantics")
    assert made is not None
    assert made.settings["san"]["vocabulary"]["moving"] == ["old cat"]
    assert labelled(copied_tour, weights, words) == []


def test_what_moves_fills_no_voxel(copied_tour: Workbench, weights: Path, tmp_path: Path):
    video = copied_tour.video
    words = write_vocabulary(tmp_path / "words.yaml", "wooden", moving=("old cat",))
    # By rays, what stands still beside it may fill a voxel that it lies in.
    labelled(copied_tour, weights, words, occupied_by="points")
    rows = slice(0, len(video.read("frames", "rgb")))
    scene, semantics = read_scene(video, rows), read_labels(video, rows)
    assert semantics.moving is not None
    assert 0.01 < semantics.moving[scene.depth > 0].mean() < 0.99
    still, moved = filled(video, scene.depth, ~semantics.moving), filled(video, scene.depth, semantics.moving)
    labels = video.read("occupancy", "labels")[0]
    assert (moved & ~still).any()
    # Points on the border of a voxel may fall to either side in the compiled loop.
    assert ((labels[moved & ~still] > 0) & (labels[moved & ~still] < 255)).mean() < 0.01
    assert (labels[still] == 0).mean() < 0.01


def filled(video: Any, depth: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Voxels of the first frame's grid that hold a chosen pixel of any frame."""
    held = np.zeros(GRID_SHAPE, np.bool_)
    to_grid, origin = video.read("occupancy", "grid_from_world")[0], video.read("occupancy", "origin")[0]
    cameras = zip(video.read("scene", "intrinsics"), video.read("scene", "camera_to_world"), strict=True)
    for view, mask, (intrinsics, pose) in zip(depth, chosen & (depth > 0), cameras, strict=True):
        index = voxel_index(pointmap(view, intrinsics, to_grid @ pose)[mask], origin)
        held[tuple(index[((index >= 0) & (index < GRID_SHAPE)).all(axis=1)].T)] = True
    return held


def test_scores_are_those_of_the_stored_labels(copied_tour: Workbench, weights: Path, tmp_path: Path):
    video, words = copied_tour.video, write_vocabulary(tmp_path / "words.yaml", "wooden")
    labelled(copied_tour, weights, words, vote="confidence")
    san = tiny_settings(weights, vocabulary=str(words))
    settings = small_settings(semantics={"backend": "san", "san": san}, occupancy={"vote": "confidence"})
    tour = tour_of(video)
    assert tour is not None
    rows = np.flatnonzero(video.read("scene", "registered"))
    truth = true_clip(tour, video.read("frames", "frame_index")[rows]).semantics.labels
    labels = video.read("semantics", "labels")[rows]
    step = truth.shape[1] // labels.shape[1]
    expected = overlap(labels, truth[:, step // 2 :: step, step // 2 :: step]).miou
    figures = {row.name: row.value for row in tour_quality(video.files, [video.video_id], settings).figures()}
    assert figures["mIoU of pixels, 11 classes"] == pytest.approx(expected, abs=1e-6)
