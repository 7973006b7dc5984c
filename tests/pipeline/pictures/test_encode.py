import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pipeline.pictures.encode import QUALITIES, jpeg


@given(st.integers(2_000, 60_000))
@settings(max_examples=10)
def test_jpeg_never_exceeds_its_limit(limit: int):
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
    assert len(jpeg(Image.fromarray(noise), limit)) <= limit


def test_jpeg_refuses_a_limit_that_no_picture_meets():
    with pytest.raises(ValueError, match="10 bytes"):
        jpeg(Image.new("RGB", (8, 8)), 10)


def test_a_picture_that_fits_keeps_its_size_and_the_best_quality():
    gradient = np.linspace(0, 255, 160, dtype=np.uint8)[None, :, None].repeat(120, axis=0).repeat(3, axis=2)
    image = Image.fromarray(gradient)
    read = Image.open(io.BytesIO(jpeg(image, 100_000)))
    assert (read.format, read.size) == ("JPEG", (160, 120))
    assert np.abs(np.asarray(read).astype(int) - gradient).max() <= 4


def test_a_picture_is_made_coarser_before_it_is_made_smaller():
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8))
    best, lowest = len(jpeg(noise, 10**6)), QUALITIES[-1]
    buffer = io.BytesIO()
    noise.save(buffer, "JPEG", quality=lowest, optimize=True)
    smallest = len(buffer.getvalue())
    assert smallest < best
    assert Image.open(io.BytesIO(jpeg(noise, smallest))).size == (160, 120)
    assert Image.open(io.BytesIO(jpeg(noise, smallest - 1))).size == (128, 96)


def test_transparent_and_grey_pictures_are_encoded_too():
    for mode in ("RGBA", "L", "P"):
        assert Image.open(io.BytesIO(jpeg(Image.new(mode, (8, 8)), 5000))).mode == "RGB"
