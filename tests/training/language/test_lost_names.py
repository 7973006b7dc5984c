"""Rungs against voxels whose names are known to be in their features, or not."""

import numpy as np
import pytest

from pipeline.contract.classes import SemanticClass
from training.checkpoints import new_network
from training.errors import UnusableDataset
from training.language.embeddings import SpokenFrames
from training.language.lost_names import SpokenVoxels, rung_table, rungs, spoken_voxels
from training.language.words import ClassWords
from training.tasks.losses import CLASSES

WORDS = ClassWords(np.eye(3, dtype=np.float32), np.array([3, 5, 11], np.uint8))
WALL, CHAIR = int(SemanticClass.WALL), int(SemanticClass.CHAIR)


def voxels(chairs: float, told: float, seed: int = 0) -> SpokenVoxels:
    """Walls and a few chairs, of two videos; features tell chairs from walls by ``told`` deviations."""
    rng = np.random.default_rng(seed)
    is_chair = rng.random(4000) < chairs
    features = rng.standard_normal((4000, 4)) + told * is_chair[:, None] * [1, 0, 0, 0]
    targets = WORDS.vectors[is_chair.astype(int)] + 0.05 * rng.standard_normal((4000, 3))
    videos = np.where(rng.random(4000) < 0.5, "one", "two")
    return SpokenVoxels(features.astype(np.float32), targets.astype(np.float32), videos)


def test_names_that_features_hold_are_found_by_every_rung():
    for found in rungs(voxels(0.5, 12), WORDS).values():
        assert found.class_iou[CHAIR] > 0.95
        assert found.class_iou[WALL] > 0.95


def test_rare_names_that_features_hardly_hold_are_said_only_where_classes_count_alike():
    found = rungs(voxels(0.05, 1.5), WORDS)
    alike = found["direction, linear, voxels alike"].predicted[CHAIR]
    balanced = found["direction, linear, classes alike"].predicted[CHAIR]
    assert balanced > 5 * max(int(alike), 1)


def test_features_without_names_name_nothing_better_than_chance():
    found = rungs(voxels(0.5, 0), WORDS)["name, linear, classes alike"]
    assert found.class_iou[CHAIR] < 0.45
    lines = rung_table({"a": found}).splitlines()
    assert lines[2].startswith("| voxels with that target | 0 |")
    assert lines[3].startswith("| a | 0.0 |")


def test_one_video_holds_nothing_out():
    alone = voxels(0.5, 1)
    with pytest.raises(UnusableDataset, match="no video can be held out"):
        rungs(SpokenVoxels(alone.features, alone.targets, np.full(4000, "one")), WORDS)


def test_voxels_of_a_frame_have_features_and_targets(first: SpokenFrames, words: ClassWords):
    found = spoken_voxels(new_network("tiny", CLASSES), first, most=50)
    assert found.features.shape[0] == found.targets.shape[0] == len(found.videos) == 50
    assert found.targets.shape[1] == words.vectors.shape[1]
