"""Pictures and depth maps as files: there and back, of any size, or named where they are none."""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from training.data.pictures import read_depth_png, read_picture, write_picture
from training.errors import BrokenBenchmark


def test_depth_comes_back_to_the_last_bit(tmp_path: Path):
    depth = np.random.default_rng(0).integers(0, 65_536, (480, 640)).astype(np.uint16)
    write_picture(tmp_path / "d.png", depth)
    assert np.array_equal(read_depth_png(tmp_path / "d.png"), depth)


def test_colours_come_back_in_their_order(tmp_path: Path):
    red = np.zeros((480, 640, 3), np.uint8)
    red[..., 0] = 200
    write_picture(tmp_path / "red.jpg", red)
    picture, size = read_picture(tmp_path / "red.jpg")
    assert size == (480, 640)
    assert np.abs(picture.reshape(-1, 3).mean(axis=0) - (200, 0, 0)).max() < 3, "JPEG at quality 95"


def test_another_size_is_only_taken_where_any_will_do(tmp_path: Path):
    write_picture(tmp_path / "small.jpg", np.full((240, 320, 3), 90, np.uint8))
    with pytest.raises(BrokenBenchmark, match=r"small\.jpg is 320x240 instead of 640x480"):
        read_picture(tmp_path / "small.jpg")
    picture, size = read_picture(tmp_path / "small.jpg", any_size=True)
    assert (picture.shape, size) == ((480, 640, 3), (240, 320))
    assert np.abs(picture.astype(int) - 90).max() < 3


def test_depth_of_another_size_is_sampled_and_never_mixed(tmp_path: Path):
    depth = np.where(np.arange(320) < 160, 1000, 4000).astype(np.uint16)[None].repeat(240, axis=0)
    write_picture(tmp_path / "d.png", depth)
    found = read_depth_png(tmp_path / "d.png", any_size=True)
    assert found.shape == (480, 640)
    assert set(np.unique(found).tolist()) == {1000, 4000}, "no depth between the two walls"
    with pytest.raises(BrokenBenchmark, match="instead of 640x480"):
        read_depth_png(tmp_path / "d.png")


def test_a_depth_map_of_eight_bits_or_in_colour_is_refused(tmp_path: Path):
    for name, array in (("grey", np.zeros((480, 640), np.uint8)), ("colour", np.zeros((480, 640, 3), np.uint16))):
        cv2.imwrite(str(tmp_path / f"{name}.png"), array)
        with pytest.raises(BrokenBenchmark, match=f"{name}.png is no depth map of 16 bits"):
            read_depth_png(tmp_path / f"{name}.png")


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_is_named(tmp_path: Path, content: bytes):
    (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(BrokenBenchmark, match=r"x\.png is no picture, or cut short"):
        read_depth_png(tmp_path / "x.png")


def claiming(suffix: str, height: int, width: int) -> bytes:
    """A small picture whose header says that it has another size."""
    content = bytearray(cv2.imencode(suffix, np.zeros((480, 640, 3), np.uint8))[1].tobytes())
    if suffix == ".jpg":
        content[:] = content.replace(struct.pack(">HH", 480, 640), struct.pack(">HH", height, width), 1)
    else:
        content[16:24] = struct.pack(">II", width, height)
        content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    return bytes(content)


@pytest.mark.parametrize("size", [(10_000, 12_000), (20_000, 30_000)])
@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_header_that_claims_more_pixels_than_any_camera_has_takes_no_memory(
    tmp_path: Path, suffix: str, size: tuple[int, int]
):
    (tmp_path / f"large{suffix}").write_bytes(claiming(suffix, *size))
    with pytest.raises(BrokenBenchmark, match="says that it has more than 100,000,000 pixels"):
        read_picture(tmp_path / f"large{suffix}", any_size=True)


def test_a_missing_picture_says_that_the_benchmark_is_incomplete(tmp_path: Path):
    with pytest.raises(BrokenBenchmark, match=r"is missing: No such file or directory\. The benchmark is incomplete"):
        read_picture(tmp_path / "gone.jpg")
