import numpy as np

from pipeline.pictures.thumbnails import thumbnails
from pipeline.store.video import VideoStore
from tests.pipeline.stored_room import FPS, FRAMES


def test_thumbnails_are_the_frames_at_their_times(room: VideoStore):
    stored = room.read("frames", "rgb")
    with room.local_file("source.mp4") as path:
        found = thumbnails(path, [0.0, (FRAMES - 1) / FPS, 1000.0])
    assert len(found) == 2, "the time past the end gives none"
    difference = np.abs(found.astype(int) - stored[[0, FRAMES - 1]])
    assert np.median(difference) <= 6, "colours survive H.264 and chroma subsampling"
