from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.classes import SemanticClass
from pipeline.contract.records import Semantics
from pipeline.stages.semantics.rows import append_semantics, blank_semantics
from pipeline.store.rows import has_embeddings, read_labels
from pipeline.store.store import Store
from pipeline.store.video import VideoStore

SHAPE = (2, 3, 4)


@pytest.fixture
def video(tmp_path: Path) -> VideoStore:
    return Store(tmp_path).video("a")


def labelled(seed: int, regions: tuple[int, ...] | None = None) -> Semantics:
    """Labels of a clip; ``regions`` are the numbers of regions of its frames, if they have embeddings."""
    draw = np.random.default_rng(seed)
    rows = sum(regions or ())
    return Semantics(
        labels=draw.integers(1, 12, SHAPE).astype(np.uint8),
        regions=draw.integers(0, 3, SHAPE).astype(np.uint16),
        confidence=draw.integers(1, 255, SHAPE).astype(np.uint8),
        moving=draw.random(SHAPE) < 0.1,
        region_embeddings=draw.normal(size=(rows, 8)).astype(np.float16) if regions else None,
        region_offsets=np.cumsum([0, *regions]) if regions else None,
    )


def test_labels_read_back_clip_by_clip(video: VideoStore):
    clips = [labelled(0), labelled(1)]
    with video.write_group("semantics") as group:
        for clip in clips:
            append_semantics(group, clip, 0)
    for number, clip in enumerate(clips):
        found = read_labels(video, slice(2 * number, 2 * number + 2))
        for name in ("labels", "regions", "confidence", "moving"):
            assert np.array_equal(getattr(found, name), getattr(clip, name)), name
    assert not has_embeddings(video)


def test_every_region_finds_its_embedding_whatever_clips_came_before(video: VideoStore):
    clips = [labelled(0, (2, 1)), labelled(1, (0, 3))]
    so_far = 0
    with video.write_group("semantics") as group:
        for clip in clips:
            so_far = append_semantics(group, clip, so_far)
    assert so_far == 6
    offsets, embeddings = video.read("semantics", "region_offset"), video.read("semantics", "region_embeddings")
    assert offsets.tolist() == [0, 2, 3, 3]
    second = clips[1].region_embeddings
    assert second is not None
    # Region 2 of the last frame has row offset + 2 - 1.
    assert np.array_equal(embeddings[offsets[3] + 2 - 1], second[1])


def test_a_clip_without_embeddings_among_others_moves_nothing(video: VideoStore):
    with video.write_group("semantics") as group:
        so_far = append_semantics(group, labelled(0, (2, 1)), 0)
        so_far = append_semantics(group, blank_semantics(np.zeros(SHAPE, np.float32)), so_far)
        so_far = append_semantics(group, labelled(2, (1, 1)), so_far)
    assert so_far == 5
    assert video.read("semantics", "region_offset").tolist() == [0, 2, 3, 3, 3, 4]


def test_a_backend_that_grades_nothing_is_certain_of_its_labels_and_sees_nothing_move(video: VideoStore):
    labels = np.full(SHAPE, SemanticClass.WALL, np.uint8)
    labels[0] = SemanticClass.UNKNOWN
    with video.write_group("semantics") as group:
        append_semantics(group, Semantics(labels, np.zeros(SHAPE, np.uint16)), 0)
    found = read_labels(video, slice(0, 2))
    assert found.confidence is not None
    assert found.moving is not None
    assert (found.confidence[0] == 0).all()
    assert (found.confidence[1] == 255).all()
    assert not found.moving.any()


def test_a_blank_clip_has_no_label_and_no_region():
    blank = blank_semantics(np.ones(SHAPE, np.float32))
    assert (blank.labels == SemanticClass.UNKNOWN).all()
    assert not blank.regions.any()
    assert blank.labels.shape == blank.regions.shape == SHAPE
