import numpy as np

from pipeline.contract.classes import SemanticClass, palette
from pipeline.pictures.stored import grid_page
from pipeline.stages.occupancy.preview import fullest_grid
from pipeline.store.video import VideoStore
from tests.pipeline.stages.filling import replaced
from tests.pipeline.stored_room import FRAMES


def test_the_grid_with_most_in_it_is_shown_beside_its_picture(own_room: VideoStore):
    counts = own_room.read("occupancy", "class_counts")
    for row in (1, 4):
        counts[:, 1:12] = 0
        counts[row, SemanticClass.FLOOR] = 9
        replaced(own_room, "occupancy", class_counts=counts)
        rgb = own_room.read("frames", "rgb", slice(row, row + 1))[0]
        expected = grid_page(rgb, own_room.read("occupancy", "labels", slice(row, row + 1))[0])
        assert np.array_equal(np.asarray(fullest_grid(own_room)), np.asarray(expected)), row


def test_neither_air_nor_unknown_makes_a_grid_full(own_room: VideoStore):
    counts = np.zeros((FRAMES, 13), np.int32)
    counts[0, SemanticClass.EMPTY] = counts[0, -1] = 1000
    counts[3, SemanticClass.OBJECTS] = 1
    replaced(own_room, "occupancy", class_counts=counts)
    shown = np.asarray(fullest_grid(own_room))
    rgb = own_room.read("frames", "rgb", slice(3, 4))[0]
    assert np.array_equal(shown, np.asarray(grid_page(rgb, own_room.read("occupancy", "labels", slice(3, 4))[0])))


def test_furniture_is_seen_in_its_colour(stored_room: VideoStore):
    picture = np.asarray(fullest_grid(stored_room).convert("RGB")).astype(int)
    bed = np.abs(picture - palette()[SemanticClass.BED]).max(axis=2) < 25
    assert bed.sum() > 100
