import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from models.errors import UnusableInput
from models.san.name_seeded import photo
from models.san.preprocess import CLIP_MEAN, CLIP_STD, DIVISOR, LONGEST_SIDE, normalise_and_pad, resize_short_side
from tests.models.san.networks import planes

FLOAT = torch.zeros(())


@pytest.mark.parametrize(("height", "width", "size"), [(480, 640, (640, 853)), (853, 480, (1137, 640))])
def test_resizing_is_that_of_pillow_within_one_grey_level(height: int, width: int, size: tuple[int, int]):
    rgb = photo("a", height, width)
    resized = resize_short_side(torch.from_numpy(rgb).permute(2, 0, 1)[None])[0]
    expected = np.asarray(Image.fromarray(rgb).resize(size[::-1], Image.Resampling.BILINEAR), np.float32)
    assert resized.shape[1:] == size
    assert np.abs(resized.permute(1, 2, 0).numpy() - expected).max() <= 1


def test_very_long_pictures_are_capped_on_their_long_side():
    assert resize_short_side(torch.zeros(1, 3, 10, 100)).shape == (1, 3, 256, 2560)


@given(st.integers(20, 400), st.integers(20, 400), st.integers(16, 64))
def test_the_short_side_is_as_asked_and_the_shape_is_kept(height: int, width: int, short: int):
    resized = resize_short_side(torch.zeros(1, 1, height, width), short)
    new_height, new_width = resized.shape[-2:]
    assert min(new_height, new_width) == short
    assert max(new_height, new_width) <= LONGEST_SIDE
    assert abs(new_width * height - new_height * width) <= max(height, width), "half a pixel of the longer side"


def test_grey_levels_stay_whole_and_in_range():
    resized = resize_short_side(planes("a", 50, 70)[None], 33)
    assert torch.equal(resized, resized.round())
    assert 0 <= resized.min() < resized.max() <= 255


def test_padding_is_mean_colour_to_the_right_and_below():
    batch = normalise_and_pad(torch.full((1, 3, 33, 64), 255.0), like=FLOAT)
    assert batch.pixels.shape == (1, 3, 64, 64)
    assert batch.sizes == ((33, 64),)
    assert (batch.pixels[:, :, 33:] == 0).all()
    assert torch.allclose(batch.pixels[0, :, 0, 0], torch.tensor([1.9303, 2.0749, 2.1459]), atol=1e-4)


def test_normalising_takes_off_the_mean_in_units_of_the_deviation():
    picture = planes("a", 32, 64)
    mean, std = (torch.tensor(numbers)[:, None, None] for numbers in (CLIP_MEAN, CLIP_STD))
    expected = (picture / 255 - mean) / std
    assert torch.allclose(normalise_and_pad([picture], like=FLOAT).pixels[0], expected, atol=1e-5)


@given(st.lists(st.tuples(st.integers(1, 70), st.integers(1, 70)), min_size=1, max_size=4))
def test_a_batch_is_as_large_as_its_largest_sides_and_each_picture_lies_in_its_corner(sizes: list[tuple[int, int]]):
    batch = normalise_and_pad([torch.full((3, *size), 255, dtype=torch.uint8) for size in sizes], like=FLOAT)
    assert batch.sizes == tuple(sizes)
    for side, largest in zip(batch.pixels.shape[2:], map(max, zip(*sizes, strict=True)), strict=True):
        assert side % DIVISOR == 0
        assert 0 <= side - largest < DIVISOR
    for row, (height, width) in zip(batch.pixels, sizes, strict=True):
        assert torch.count_nonzero(row) == 3 * height * width


def test_a_batch_has_the_type_of_the_network():
    assert normalise_and_pad([planes("a", 32, 32)], like=FLOAT.bfloat16()).pixels.dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("images", "complaint"),
    [
        ([], "no picture given"),
        ([torch.zeros(4, 32, 32)], r"picture 0 has shape \(4, 32, 32\)"),
        ([torch.zeros(3, 32, 32), torch.zeros(32, 32)], r"picture 1 has shape \(32, 32\)"),
        ([torch.zeros(3, 0, 32)], r"picture 0 has shape \(3, 0, 32\)"),
        ([torch.full((3, 32, 32), torch.nan)], "picture 0 holds values that are not finite"),
        ([torch.zeros(3, 8, 8), torch.full((3, 8, 8), torch.inf)], "picture 1 holds values that are not finite"),
    ],
)
def test_pictures_that_cannot_be_read_are_refused_by_their_number(images: list[Tensor], complaint: str):
    with pytest.raises(UnusableInput, match=complaint):
        normalise_and_pad(images, like=FLOAT)
