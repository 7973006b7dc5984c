import numpy as np
import pytest

from pipeline.contract.classes import OCCUPIED_CLASSES, SemanticClass
from pipeline.stages.semantics.checks import LARGEST_CLASS, label_histogram
from pipeline.store.video import VideoStore
from tests.pipeline.stages.filling import replaced
from tests.pipeline.stored_room import FRAMES

SHAPE = (FRAMES, 96, 128)


def test_shares_of_labels_add_up_to_one_and_the_largest_is_named(stored_room: VideoStore):
    finding = label_histogram(stored_room)
    assert finding.passed
    assert list(finding.figures) == [c.name.lower() for c in OCCUPIED_CLASSES]
    assert sum(finding.figures.values()) == pytest.approx(1)
    largest = max(finding.figures, key=lambda name: finding.figures[name])
    assert f"the most frequent class: {largest}, {finding.figures[largest]:.0%}" in finding.detail


@pytest.mark.parametrize(("others", "passed"), [(0.04, False), (0.06, True)])
def test_a_video_of_nearly_one_class_is_suspicious(own_room: VideoStore, others: float, passed: bool):
    labels = np.full(SHAPE, SemanticClass.WALL, np.uint8)
    labels.reshape(-1)[: int(others * labels.size)] = SemanticClass.BED
    replaced(own_room, "semantics", labels=labels)
    assert label_histogram(own_room).passed == passed
    assert pytest.approx(0.05) == 1 - LARGEST_CLASS


def test_unknown_pixels_take_no_share(own_room: VideoStore):
    labels = np.full(SHAPE, SemanticClass.UNKNOWN, np.uint8)
    labels[0, :48], labels[0, 48:] = SemanticClass.WALL, SemanticClass.FLOOR
    replaced(own_room, "semantics", labels=labels)
    finding = label_histogram(own_room)
    assert finding.passed
    assert finding.figures["wall"] == finding.figures["floor"] == 0.5
    assert finding.detail.startswith("17% of the pixels are labelled"), "one frame of six"


@pytest.mark.parametrize("stranger", [0, 12, 77, 254])
def test_a_label_outside_the_list_is_found(own_room: VideoStore, stranger: int):
    labels = own_room.read("semantics", "labels")
    labels[0, :5] = stranger
    replaced(own_room, "semantics", labels=labels)
    assert not label_histogram(own_room).passed


def test_a_video_without_a_single_label_is_no_division_by_zero(own_room: VideoStore):
    replaced(own_room, "semantics", labels=np.full(SHAPE, SemanticClass.UNKNOWN, np.uint8))
    finding = label_histogram(own_room)
    assert not finding.passed
    assert set(finding.figures.values()) == {0.0}
