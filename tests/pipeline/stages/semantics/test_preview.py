import numpy as np

from pipeline.contract.classes import SemanticClass, palette
from pipeline.pictures.labels import label_overlay
from pipeline.stages.semantics.preview import labelled_frame
from pipeline.store.video import VideoStore
from tests.pipeline.stages.filling import replaced
from tests.pipeline.stored_room import FRAMES


def test_the_middle_frame_is_shown_with_its_labels(stored_room: VideoStore):
    row = FRAMES // 2
    rgb = stored_room.read("frames", "rgb", slice(row, row + 1))[0]
    expected = label_overlay(rgb, stored_room.read("semantics", "labels", slice(row, row + 1))[0])
    assert np.array_equal(np.asarray(labelled_frame(stored_room)), np.asarray(expected))


def test_a_frame_with_a_camera_is_chosen(own_room: VideoStore):
    labels = np.full((FRAMES, 96, 128), SemanticClass.WALL, np.uint8)
    labels[1] = SemanticClass.BED
    replaced(own_room, "semantics", labels=labels)
    replaced(own_room, "scene", registered=np.arange(FRAMES) == 1)
    legend = np.asarray(labelled_frame(own_room).convert("RGB"))
    assert (legend == palette()[SemanticClass.BED]).all(axis=2).sum() > 50
    assert not (legend == palette()[SemanticClass.WALL]).all(axis=2).any()
