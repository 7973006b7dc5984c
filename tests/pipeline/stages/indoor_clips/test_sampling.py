import numpy as np
import pytest

from pipeline.stages.indoor_clips.sampling import evenly_spaced


@pytest.mark.parametrize(
    ("frames", "most", "kept"),
    [(9, 3, [0, 4, 8]), (9, 2, [0, 8]), (9, 1, [0]), (3, 8, [0, 1, 2]), (1, 5, [0]), (10, 4, [0, 3, 6, 9])],
)
def test_frames_are_spread_from_the_first_to_the_last(frames: int, most: int, kept: list[int]):
    rgb = np.broadcast_to(np.arange(frames, dtype=np.uint8)[:, None, None, None], (frames, 2, 3, 3))
    assert evenly_spaced(rgb, most)[:, 0, 0, 0].tolist() == kept
