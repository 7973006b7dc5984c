"""Pictures as upstream's loader makes them."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.da3.preprocess import prepare_views
from models.errors import UnusableInput
from models.indoor.places365 import IMAGENET_MEAN, IMAGENET_STD
from models.san.name_seeded import photo
from tests.models.da3.test_network import REFERENCE

PREPARED = sorted({name.split("/")[1] for name in REFERENCE.arrays if name.startswith("pictures/")} - {"mixed"})


def grey_levels(images: NDArray[np.float32]) -> NDArray[np.int64]:
    return np.round((images.transpose(0, 2, 3, 1) * IMAGENET_STD + IMAGENET_MEAN) * 255).astype(np.int64)


@pytest.mark.parametrize("case", PREPARED)
def test_pictures_and_intrinsics_are_upstreams(case: str):
    name, size, side, method = case.split("_", 3)
    height, width = map(int, size.split("x"))
    found = prepare_views([photo(name, height, width)], int(side), method)
    ours = grey_levels(found.images.numpy())[0].transpose(2, 0, 1)[:, ::24, ::24]
    difference = np.abs(ours - REFERENCE.arrays[f"pictures/{case}/pixels"].astype(np.int64))
    assert difference.max() <= 1
    assert (difference == 0).mean() > 0.999
    given, expected = (REFERENCE.arrays[f"pictures/{case}/{name}"] for name in ("intrinsics_in", "intrinsics"))
    assert np.allclose(found.input_intrinsics(given[None])[0], expected, atol=1e-3)


def test_intrinsics_go_there_and_back():
    found = prepare_views([photo("a", 333, 777)])
    intrinsics = np.array([[[500.0, 0, 300], [0, 520, 150], [0, 0, 1]]])
    assert np.allclose(found.original_intrinsics(found.input_intrinsics(intrinsics)), intrinsics)


def test_pictures_of_two_sizes_are_cut_to_what_both_have():
    found = prepare_views([photo("a", 480, 640), photo("c", 640, 480)])
    assert found.images.shape == (2, 3, 378, 378)
    assert found.sizes == ((480, 640), (640, 480))
    difference = grey_levels(found.images.numpy()).transpose(0, 3, 1, 2)[..., ::24, ::24] - REFERENCE.arrays[
        "pictures/mixed/pixels"
    ].astype(np.int64)
    assert np.abs(difference).max() <= 1
    assert np.allclose(found.to_input[0], [[0.7875, 0, -63], [0, 0.7875, 0], [0, 0, 1]])


@pytest.mark.parametrize(("height", "width"), [(28, 42), (1, 1), (14, 504)])
def test_small_pictures_are_enlarged(height: int, width: int):
    shape = prepare_views([photo("a", height, width)]).images.shape
    assert max(shape[2:]) == 504
    assert min(shape[2:]) >= 14


@pytest.mark.parametrize(
    ("pictures", "message"),
    [
        ([], "no pictures"),
        ([np.zeros((4, 4, 3))], "uint8 RGB"),
        ([np.zeros((4, 4), np.uint8)], "uint8 RGB"),
        ([np.zeros((0, 4, 3), np.uint8)], "uint8 RGB"),
        ([np.zeros((4, 900, 3), np.uint8)], "too flat"),
    ],
)
def test_what_is_no_picture_is_refused(pictures: list[NDArray[np.uint8]], message: str):
    with pytest.raises(UnusableInput, match=message):
        prepare_views(pictures)


def test_a_method_that_there_is_not_is_refused():
    with pytest.raises(UnusableInput, match="upper_bound_resize"):
        prepare_views([photo("a", 28, 28)], method="stretch")
