"""Films say who they are, through a codec and the pipeline's picture size."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.media import read_each
from tests.torture.identity import FRAMES, Identity, identify, picture, write_film


@pytest.mark.parametrize("identity", [Identity(0, 0, 0), Identity(7, 3, 200), Identity(15, 15, 255)])
def test_a_picture_says_who_it_is(identity: Identity):
    assert identify(cv2.resize(picture(identity), (640, 480), interpolation=cv2.INTER_AREA)) == identity
    assert Identity.of(identity.code) == identity


def test_every_frame_of_a_film_says_so_after_compression_and_the_same_film_is_the_same_file(tmp_path: Path):
    for name in ("one", "other"):
        write_film(tmp_path / name, 5, 2)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()
    (frames,) = read_each(tmp_path / "one", [np.arange(FRAMES)])
    assert [identify(frame) for frame in frames] == [Identity(5, 2, frame) for frame in range(FRAMES)]
