import numpy as np
import pytest

from pipeline.pictures.clips import KEPT
from pipeline.stages.video.preview import SHOWN, frames_of_source
from pipeline.store.video import VideoStore


def test_frames_of_the_whole_video_stand_in_a_row_in_their_order(stored_room: VideoStore):
    sheet = np.asarray(frames_of_source(stored_room).convert("RGB")).astype(int)
    strip = sheet[-40, :]
    borders = np.flatnonzero((np.abs(strip - KEPT) < 12).all(axis=1))
    # Every thumbnail has a border at its left and one at its right, each three pixels wide.
    groups = 1 + np.count_nonzero(np.diff(borders) > 1)
    assert groups in (SHOWN + 1, 2 * SHOWN)


def test_the_first_half_of_the_room_and_its_negative_can_be_told_apart(stored_room: VideoStore):
    sheet = np.asarray(frames_of_source(stored_room).convert("RGB")).astype(float)
    thumbnails = sheet[-80:-10]
    thirds = np.array_split(thumbnails, SHOWN, axis=1)
    # The second clip of the stored video is the negative of the first.
    first, last = thirds[0][:, 20:-20].mean(), thirds[-1][:, 20:-20].mean()
    assert first + last == pytest.approx(255, abs=40)
