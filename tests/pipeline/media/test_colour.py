"""A high dynamic range comes out as the usual one would have been filmed."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.media import frames_near, probe, read_frames
from pipeline.media.colour import KNEE, Transfer, usual_range
from tests.pipeline.media.patches import BT601, BT709, COLOURS, Coding, film_of_patches, patches_of
from tests.pipeline.videos import walk

BT2020_FROM_BT709 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
"""BT.2087, table 2."""


def coded(usual: NDArray[np.uint8], transfer: Transfer) -> NDArray[np.uint16]:
    """Code pictures of 8 bits for a high dynamic range with white at 203 cd/m2, as BT.2408 says."""
    light = 203 * (usual / 255) ** 2.2 @ BT2020_FROM_BT709.T
    if transfer == "PQ":  # BT.2100, table 4, the inverse
        m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
        power = (light / 10000) ** m1
        signal = ((c1 + c2 * power) / (1 + c3 * power)) ** m2
    else:  # BT.2100, table 5, the inverse
        luminance = light @ [0.2627, 0.6780, 0.0593]
        scene = light / 1000 * np.maximum(luminance / 1000, 1e-12)[..., None] ** (1 / 1.2 - 1)
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        signal = np.where(scene <= 1 / 12, np.sqrt(3 * scene), a * np.log(np.maximum(12 * scene - b, 1e-9)) + c)
    return np.asarray(np.clip(signal, 0, 1) * 65535, np.uint16)


@pytest.mark.parametrize("transfer", ["PQ", "HLG"])
def test_what_was_coded_comes_back(transfer: Transfer):
    usual = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    found = usual_range(coded(usual, transfer), transfer, is_wide=True)
    below = usual.max(axis=-1) < 255 * KNEE ** (1 / 2.2)
    assert np.abs(found[below].astype(int) - usual[below]).max() <= 3
    assert np.abs(found.astype(int) - usual).mean() < 3


def test_light_beyond_white_is_compressed_and_colours_beyond_the_gamut_stay_colours():
    brighter = np.linspace(0, 65535, 200).astype(np.uint16)[:, None].repeat(3, axis=1)
    found = usual_range(brighter, "PQ", is_wide=True)[:, 0].astype(int)
    assert np.all(np.diff(found) >= 0)
    assert found[-1] == 255
    green = usual_range(np.array([[0, 30000, 0]], np.uint16), "PQ", is_wide=True)[0]
    assert green[1] > max(green[0], green[2])


@pytest.mark.parametrize(("transfer", "number"), [("PQ", 16), ("HLG", 18)])
@pytest.mark.parametrize(("primaries", "matrix"), [(9, 9), (2, 9), (9, 2), (2, 2)])
def test_a_film_of_ten_bits_is_read_as_the_usual_film_and_is_of_bt2020_where_it_does_not_say(
    tmp_path: Path, transfer: Transfer, number: int, primaries: int, matrix: int
):
    frames = walk(3, 4, size=(160, 120))
    path = tmp_path / "film.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx265", rate=10, options={"x265-params": "log-level=none:lossless=1"})
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv444p10le"
        context = stream.codec_context
        context.color_trc, context.color_range = number, 1
        context.color_primaries, context.colorspace = primaries, matrix
        for index, rgb in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(coded(rgb, transfer), format="rgb48le")
            frame = frame.reformat(format="yuv444p10le", dst_colorspace=9, dst_color_range=1)
            frame.color_trc, frame.color_primaries, frame.colorspace = number, primaries, matrix
            frame.pts, frame.time_base = index, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert probe(path).notes == (f"its high dynamic range ({transfer}) is mapped to BT.709",)
    found = read_frames(path, np.arange(4))[:, ::4, ::4]
    assert np.abs(found.astype(int) - np.stack(frames)).mean() < 8


X264, X265 = "qp=4", "qp=4:log-level=none"
DISAGREEING = [
    Coding("libvpx", ".webm", True, BT709, {"crf": "4", "b": "5M"}),
    *(Coding("libx264", end, True, BT709, {"x264-params": f"{X264}:fullrange=off"}) for end in (".mkv", ".mp4")),
    *(Coding("libx264", end, False, BT709, {"x264-params": f"{X264}:fullrange=on"}) for end in (".mkv", ".mp4")),
    *(Coding("libx264", end, False, BT709, {"x264-params": f"{X264}:colormatrix=bt470bg"}) for end in (".mkv", ".mp4")),
    Coding("libx264", ".mp4", False, BT601, {"x264-params": f"{X264}:colormatrix=bt709"}),
    Coding("libx265", ".mp4", True, BT709, {"x265-params": f"{X265}:range=limited"}),
]
"""VP8 knows one way to code colours alone; the encoders of the others are told to say another thing in the pictures."""

AGREEING = [
    Coding("libx264", end, full, matrix, {"x264-params": X264})
    for end in (".mkv", ".mp4", ".ts")
    for full, matrix in ((False, BT709), (True, BT601))
]


@pytest.mark.parametrize("coding", [*DISAGREEING, *AGREEING])
def test_colours_are_coded_as_the_container_says(tmp_path: Path, coding: Coding):
    path = film_of_patches(tmp_path / f"film{coding.suffix}", coding)
    assert np.abs(patches_of(read_frames(path, np.array([1]))[0]) - COLOURS).max() <= 3
    for picture in frames_near(path, np.array([0.2, 0.7])):  # every seek begins with what a decoder has written over
        assert np.abs(patches_of(picture) - COLOURS).max() <= 3


def test_the_pictures_count_where_the_container_has_no_place_for_colours(tmp_path: Path):
    coding = Coding("libx264", ".ts", True, BT709, {"x264-params": f"{X264}:fullrange=on"})
    path = film_of_patches(tmp_path / "film.ts", coding._replace(full_range=False))
    limited_as_full = 16 + COLOURS * 219 / 255
    assert np.abs(patches_of(read_frames(path, np.array([1]))[0])[3:] - limited_as_full[3:]).max() <= 3
