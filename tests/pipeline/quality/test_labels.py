from collections.abc import Mapping

import numpy as np
import pytest

from pipeline.contract.arrays import Images
from pipeline.contract.classes import SemanticClass
from pipeline.contract.records import MetricScene, Semantics
from pipeline.quality import labels as measured
from pipeline.quality.labels import labels_on_true_cameras


class OneClass:
    """Labels every pixel alike, and keeps what it was asked to label."""

    name = "one_class"
    weights: Mapping[str, str] = {}

    def __init__(self, label: SemanticClass) -> None:
        self.label = label
        self.asked: list[tuple[tuple[int, ...], tuple[int, ...]]] = []

    def segment(self, rgb: Images, scene: MetricScene) -> Semantics:
        self.asked.append((rgb.shape, scene.depth.shape))
        labels = np.full(scene.depth.shape, self.label, np.uint8)
        return Semantics(labels, np.zeros(labels.shape, np.uint16))


def test_on_true_cameras_completion_is_perfect_and_classes_are_as_good_as_the_labels(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(measured, "FRAMES_A_SHOT", 1)
    walls = OneClass(SemanticClass.WALL)
    figures = labels_on_true_cameras(walls, [3])
    assert set(walls.asked) == {((1, 480, 640, 3), (1, 480, 640))}
    assert len(walls.asked) == 4, "one a shot of a tour with four indoor shots"
    # Every surface lies where it should; one class of eleven is right somewhere, and wrong wherever it is another's.
    assert figures["IoU"] == 1
    assert 0 < figures["mIoU"] < 1 / 11
    assert 0 < figures["mIoU of pixels"] < 1 / 11


def test_no_tour_gives_figures_of_nothing():
    assert labels_on_true_cameras(OneClass(SemanticClass.WALL), []) == {"IoU": 0, "mIoU": 0, "mIoU of pixels": 0}
