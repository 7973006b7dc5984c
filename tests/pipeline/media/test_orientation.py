"""Eight ways to lay a picture, each of which comes out upright."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.media import frames_at, iterate, probe
from tests.pipeline.media.films import EIGHT, with_matrix
from tests.pipeline.videos import write_video

UPRIGHT = np.zeros((96, 128, 3), np.uint8)
UPRIGHT[:48, :64, 0] = 220
UPRIGHT[48:, :64, 1] = 220
UPRIGHT[:48, 64:, 2] = 220


@pytest.mark.parametrize(("a", "b", "c", "d"), EIGHT)
def test_a_picture_is_shown_as_the_display_matrix_says(tmp_path: Path, a: int, b: int, c: int, d: int):
    """The stored pixel (x, y) is shown at (a x + c y, b x + d y); here the upright picture is stored accordingly."""
    stored = UPRIGHT[::b, ::c].swapaxes(0, 1) if b else UPRIGHT[::d, ::a]
    path = write_video(tmp_path / "film.mp4", [np.ascontiguousarray(stored)] * 3)
    with_matrix(path, a, b, c, d)
    assert (probe(path).width, probe(path).height) == (128, 96)
    picture = next(iterate(path, 96)).rgb
    assert picture.shape == UPRIGHT.shape
    assert np.abs(picture.astype(int) - UPRIGHT)[8:-8:8, 8:-8:8].mean() < 12
    large = next(frames_at(path, np.array([1]))).rgb
    assert np.abs(large[::40, ::40].astype(int) - np.repeat(np.repeat(UPRIGHT, 5, 0), 5, 1)[::40, ::40]).mean() < 12
