import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pipeline.pictures.encode import jpeg


@given(st.integers(2_000, 60_000))
@settings(max_examples=10, deadline=None)
def test_jpeg_never_exceeds_its_limit(limit: int):
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
    assert len(jpeg(Image.fromarray(noise), limit)) <= limit


def test_jpeg_refuses_a_limit_that_no_picture_meets():
    with pytest.raises(ValueError, match="10 bytes"):
        jpeg(Image.new("RGB", (8, 8)), 10)
