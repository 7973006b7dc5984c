import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.pictures.viewer.cloud import Cloud
from pipeline.pictures.viewer.packing import cloud_planes, heat_bytes, packed, unpacked


@given(st.binary(max_size=2000))
def test_what_is_packed_comes_back(content: bytes):
    assert unpacked(packed(content)).tobytes() == content


def test_a_cloud_comes_back_from_its_planes():
    draw = np.random.default_rng(3)
    steps = draw.integers(0, 2**16, (500, 3)).astype(np.uint16)
    colours, labels = draw.integers(0, 256, (500, 3)).astype(np.uint8), draw.integers(0, 13, 500).astype(np.uint8)
    planes = cloud_planes(Cloud(np.zeros(3), steps, colours, labels)).astype(np.int64)
    back = np.cumsum(planes[:3] + planes[3:6] * 256, axis=1) % 2**16
    assert np.array_equal(back.T, steps)
    colour = planes[6] + planes[7] * 256
    assert np.abs((colour >> 11) * 255 / 31 - colours[:, 0]).max() <= 8.3, "five bits of red"
    assert np.abs((colour >> 5 & 63) * 255 / 63 - colours[:, 1]).max() <= 4.1
    assert np.abs((colour & 31) * 255 / 31 - colours[:, 2]).max() <= 8.3
    assert np.array_equal(planes[8], labels)


def test_heat_runs_from_the_lowest_to_the_highest_score_and_nothing_is_0():
    scores = np.array([np.nan, -0.2, 0.25, 0.4], np.float32)
    found, bounds = heat_bytes(scores)
    assert found.tolist() == [0, 1, 191, 254]
    assert np.allclose(bounds, (-0.2, 0.4))
    assert heat_bytes(np.full(3, np.nan, np.float32))[0].tolist() == [0, 0, 0]
    assert heat_bytes(np.full(3, 0.3, np.float32))[0].tolist() == [1, 1, 1]
