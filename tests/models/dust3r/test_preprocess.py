from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from models.dust3r.preprocess import plan_crop, preprocess, read_image
from models.errors import UnusableInput


@pytest.mark.parametrize(
    ("width", "height", "image_size", "expected"),
    [
        (640, 480, 512, (512, 384)),
        (1920, 1080, 512, (512, 288)),
        (1080, 1920, 512, (288, 512)),
        (600, 600, 512, (512, 384)),
        (300, 200, 512, (512, 336)),
        (640, 480, 224, (224, 224)),
        (224, 224, 224, (224, 224)),
    ],
)
def test_sizes_are_those_of_upstreams_loader(width: int, height: int, image_size: int, expected: tuple[int, int]):
    assert plan_crop(width, height, image_size).size == expected


def test_square_pictures_stay_square_on_request():
    assert plan_crop(600, 600, 512, square_ok=True).size == (512, 512)
    assert plan_crop(640, 480, 224, keep_shape=True).size == (224, 160)


@given(width=st.integers(60, 4000), height=st.integers(60, 4000), image_size=st.sampled_from([160, 224, 256, 512]))
def test_the_cut_lies_inside_and_is_made_of_patches(width: int, height: int, image_size: int):
    try:
        crop = plan_crop(width, height, image_size)
    except UnusableInput:
        assert max(width, height) >= image_size / 20.5 * min(width, height)
        return
    assert crop.size[0] % 16 == crop.size[1] % 16 == 0
    assert 0 <= crop.left <= crop.resized[0] - crop.size[0]
    assert 0 <= crop.top <= crop.resized[1] - crop.size[1]


def test_values_are_normalised_from_the_resized_picture():
    picture = np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    images, crop = preprocess(picture[None])
    resized = np.asarray(Image.fromarray(picture).resize((512, 384), Image.Resampling.LANCZOS), np.float32)
    assert images.shape == (1, 3, 384, 512)
    assert (crop.left, crop.top) == (0, 0)
    assert np.abs(images[0].permute(1, 2, 0).numpy() - (resized / 255 - 0.5) / 0.5).max() < 1e-6  # float32 rounding


def test_small_pictures_grow_with_the_smoother_filter():
    picture = np.random.default_rng(1).integers(0, 256, (96, 128, 3), dtype=np.uint8)
    images, _ = preprocess(picture[None])
    grown = np.asarray(Image.fromarray(picture).resize((512, 384), Image.Resampling.BICUBIC), np.float32)
    assert np.abs(images[0].permute(1, 2, 0).numpy() - (grown / 255 - 0.5) / 0.5).max() < 1e-6


@pytest.mark.parametrize(("width", "height", "image_size"), [(640, 480, 512), (640, 480, 224), (1000, 700, 512)])
def test_intrinsics_return_to_the_original_picture(width: int, height: int, image_size: int):
    crop = plan_crop(width, height, image_size)
    seen = np.array([[400.0, 0, crop.size[0] / 2], [0, 400, crop.size[1] / 2], [0, 0, 1]])
    original = crop.original_intrinsics(seen)
    point = np.array([0.1, -0.2, 1.0])
    scale = np.array(crop.resized) / (width, height)
    in_network = (original @ point)[:2] * scale - (crop.left, crop.top)
    assert np.allclose(in_network, (seen @ point)[:2], atol=1e-9)
    assert (
        abs(original[0, 2] - width / 2) <= 0.5 * width / crop.resized[0] + 1e-9
    )  # half a resized pixel, where a border is odd


def test_maps_return_to_their_place():
    crop = plan_crop(640, 480, 224)
    whole = crop.uncut(np.ones((1, 224, 224), np.float32))
    assert whole.shape == (1, 224, 299)
    assert whole.sum() == 224 * 224


def test_files_are_turned_as_their_exif_says(tmp_path: Path):
    picture = Image.fromarray(np.zeros((40, 60, 3), np.uint8))
    exif = picture.getexif()
    exif[0x0112] = 6  # the camera was held upright
    picture.save(tmp_path / "turned.jpg", exif=exif)
    assert read_image(tmp_path / "turned.jpg").shape == (60, 40, 3)


def test_what_is_no_picture_is_refused(tmp_path: Path):
    (tmp_path / "no.jpg").write_bytes(b"\xff\xd8 not a picture")
    with pytest.raises(UnusableInput):
        read_image(tmp_path / "no.jpg")
    for broken in (np.zeros((2, 4, 4, 3)), np.zeros((4, 4, 3), np.uint8), np.zeros((0, 64, 64, 3), np.uint8)):
        with pytest.raises(UnusableInput):
            preprocess(broken)
