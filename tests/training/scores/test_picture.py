"""A prediction beside its truth, as a picture."""

import io

import numpy as np
from PIL import Image

from tests.training.rooms import RoomFrames
from training.scores.picture import prediction_page, prediction_picture

ROOM = RoomFrames(1)[0]


def test_a_picture_stays_below_its_size_and_can_be_read():
    for limit in (20_000, 400_000):
        content = prediction_picture(ROOM, ROOM.labels, limit)
        assert len(content) <= limit
        assert Image.open(io.BytesIO(content)).format == "JPEG"


def test_what_is_unknown_in_the_truth_is_left_out_of_the_prediction():
    everywhere = np.full_like(ROOM.labels, 3)
    known = np.where(ROOM.labels == 255, 0, everywhere).astype(np.uint8)
    assert (ROOM.labels == 255).any()
    pages = [np.asarray(prediction_page(ROOM, predicted)) for predicted in (everywhere, known)]
    assert np.array_equal(*pages)


def test_another_prediction_is_another_picture():
    right, wrong = (np.asarray(prediction_page(ROOM, labels)) for labels in (ROOM.labels, ROOM.labels[::-1].copy()))
    assert right.shape[1] == wrong.shape[1], "each grid has its place"
    assert not np.array_equal(right, wrong)
