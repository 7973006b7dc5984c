"""Makes pictures of decoded frames: upright, with square pixels, cropped, of the size that is asked for, in BT.709."""

import os
import threading
from typing import Any, NamedTuple

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from pipeline.contract.arrays import Images
from pipeline.contract.padding import shown_columns
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH, WHOLE, Box
from pipeline.media.colour import BT2020, LIMITED, transfer_of, usual_range
from pipeline.media.orientation import Orientation


class _Converters(threading.local):
    """A converter for each thread.

    A frame that is converted by itself holds a converter that holds the frame, with threads of its own, until the
    garbage collector happens to look: a film of a thousand frames had hundreds of threads.
    """

    def __init__(self) -> None:
        self.converter = VideoReformatter()


_CONVERTERS = _Converters()
_OF_PARENTS: list[VideoReformatter] = []
"""Converters whose threads stayed behind when a process forked: neither used nor freed, which waits for them."""


def _begin_anew() -> None:
    _OF_PARENTS.append(_CONVERTERS.converter)
    _CONVERTERS.converter = VideoReformatter()


os.register_at_fork(after_in_child=_begin_anew)


def upright_size(frame: VideoFrame, stream: VideoStream) -> tuple[int, int]:
    """Return width and height of a frame as it is shown, pixels of the height's size."""
    width, height = (frame.height, frame.width) if Orientation.of(frame).transposed else (frame.width, frame.height)
    return round(width * _pixel_aspect(frame, stream)), height


def small_picture(frame: VideoFrame, stream: VideoStream, height: int) -> Images:
    """Return a frame with so many rows, (height, w, 3) uint8 RGB."""
    upright_width, upright_height = upright_size(frame, stream)
    return _made(frame, None, (max(1, round(upright_width * height / upright_height)), height))


def frame_picture(frame: VideoFrame, stream: VideoStream, box: Box = WHOLE) -> Images:
    """Return the centred 4:3 part of a box of a frame, (480, 640, 3) uint8 RGB; one that is kept whole, as ``Box``."""
    return _made(frame, _cut(frame, stream, box), (FRAME_WIDTH, FRAME_HEIGHT))


def own_size_picture(frame: VideoFrame, stream: VideoStream, box: Box = WHOLE) -> Images:
    """Return what ``frame_picture`` does with as many rows as the film has there, (h, h * 4 / 3, 3) uint8 RGB."""
    cut = _cut(frame, stream, box)
    return _made(frame, cut, (round(cut.height * FRAME_WIDTH / FRAME_HEIGHT), cut.height))


class Cut(NamedTuple):
    """A 4:3 part of a picture, pixels. shown: its first column that shows anything, and the one after the last.

    Beside those it is black, and it may be wider than the picture.
    """

    left: int
    top: int
    width: int
    height: int
    shown: tuple[int, int]

    def columns(self, count: int) -> NDArray[np.float64]:
        """Return where in the picture the middles of so many columns of the part lie (count,)."""
        return np.asarray(self.left + (np.arange(count) + 0.5) * self.width / count)

    def rows(self, count: int) -> NDArray[np.float64]:
        """Return where in the picture the middles of so many rows of the part lie (count,)."""
        return np.asarray(self.top + (np.arange(count) + 0.5) * self.height / count)

    def shows(self, columns: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Tell which places (n,) along the picture's width are not black in the part."""
        return np.asarray((columns >= self.shown[0]) & (columns < self.shown[1]))


def cut_of(width: int, height: int, pixel_aspect: float = 1.0, box: Box = WHOLE) -> Cut:
    """Return the largest centred 4:3 part of a box of a picture, or the smallest one around a box that stays whole."""
    left, top = round(width * box.left), round(height * box.top)
    inner_width, inner_height = round(width * box.right) - left, round(height * box.bottom) - top
    wide = FRAME_WIDTH / FRAME_HEIGHT / pixel_aspect
    if box.whole and inner_width * pixel_aspect < inner_height:
        around = round(inner_height * wide)
        return Cut(left + (inner_width - around) // 2, top, around, inner_height, (left, left + max(1, inner_width)))
    kept_width = max(1, min(inner_width, round(inner_height * wide)))
    kept_height = max(1, min(inner_height, round(inner_width / wide)))
    first = left + (inner_width - kept_width) // 2
    return Cut(first, top + (inner_height - kept_height) // 2, kept_width, kept_height, (first, first + kept_width))


def unpadded(rgb: Images) -> Images:
    """Return the centred 4:3 part of what a clip's pictures (n, 480, 640, 3) show, as large as they are."""
    columns = shown_columns(rgb)
    across = columns.stop - columns.start
    if across == rgb.shape[2]:
        return rgb
    cut = cut_of(across, rgb.shape[1])
    left = columns.start + cut.left
    middle = rgb[:, cut.top : cut.top + cut.height, left : left + cut.width]
    return np.stack([_resized(picture, (FRAME_WIDTH, FRAME_HEIGHT)) for picture in middle])


def _cut(frame: VideoFrame, stream: VideoStream, box: Box) -> Cut:
    turned = Orientation.of(frame).transposed
    width, height = (frame.height, frame.width) if turned else (frame.width, frame.height)
    return cut_of(width, height, _pixel_aspect(frame, stream), box)


def _made(frame: VideoFrame, cut: Cut | None, size: tuple[int, int]) -> Images:
    transfer = transfer_of(frame)
    converted = _CONVERTERS.converter.reformat(_of_its_range(frame), format="rgb48le" if transfer else "rgb24")
    picture = Orientation.of(frame).upright(converted.to_ndarray())
    resized = _resized(picture, size) if cut is None else _part(picture, cut, size)
    if transfer is None:
        return np.asarray(resized, np.uint8)
    return usual_range(np.asarray(resized, np.uint16), transfer, is_wide=int(frame.color_primaries) == BT2020)


def _of_its_range(frame: VideoFrame) -> VideoFrame:
    """Return a frame in a format that leaves its range open: formats that are of full range are taken for such.

    Decoders choose them by what the pictures say, where the container may say that the range is limited.
    """
    if int(frame.color_range) != LIMITED or not frame.format.name.startswith("yuvj"):
        return frame
    opened = VideoFrame(frame.width, frame.height, frame.format.name.replace("yuvj", "yuv"))
    for plane, copied in zip(frame.planes, opened.planes, strict=True):
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[:, : plane.width]
        padded = np.zeros((copied.height, copied.line_size), np.uint8)
        padded[:, : copied.width] = rows
        copied.update(padded.tobytes())
    opened.color_range, opened.colorspace = frame.color_range, frame.colorspace
    return opened


def _part(picture: NDArray[Any], cut: Cut, size: tuple[int, int]) -> NDArray[Any]:
    """Return a part of a picture in a size, black beside what it shows."""
    first, end = cut.shown
    inside = picture[cut.top : cut.top + cut.height, first:end]
    before, after = (round((column - cut.left) * size[0] / cut.width) for column in cut.shown)
    made = np.zeros((size[1], size[0], 3), picture.dtype)
    made[:, before:after] = _resized(inside, (after - before, size[1]))
    return made


def _pixel_aspect(frame: VideoFrame, stream: VideoStream) -> float:
    aspect = float(stream.sample_aspect_ratio or 1)
    return 1 / aspect if Orientation.of(frame).transposed else aspect


def _resized(picture: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    shrinks = size[0] * size[1] < picture.shape[0] * picture.shape[1]
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LANCZOS4)
