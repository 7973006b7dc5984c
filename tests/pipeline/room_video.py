"""A real video of an analytic room: speckled surfaces, a camera that walks sideways. Made in seconds."""

from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.contract.camera import pointmap
from tests.pipeline.box_room import INTRINSICS, looking
from tests.pipeline.stored_room import ROOM

FPS = 10
SHAPE = (480, 640)
SPECKLE = 0.12
"""Metres: at 3 m and 500 pixels of focal length a speckle is 7 pixels wide, which SIFT finds and H.264 keeps."""

WARM = np.array([(230 - 12 * label, 190 - 9 * label, 150 - 4 * label) for label in range(12)])
"""Colour of every class; the benchmark's palette has a green floor and blue walls: meadow and sky to a filter."""


def write_room_video(path: Path, frames: int = 24) -> None:
    """Film the room while walking 4 cm sideways a frame, always looking ahead."""
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"crf": "16", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = SHAPE[1], SHAPE[0], "yuv420p"
        for picture in film_of(frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def film_of(frames: int) -> Iterator[NDArray[np.uint8]]:
    """Yield pictures of the room from a camera that walks sideways."""
    for frame in range(frames):
        x = 1.2 + 0.04 * frame
        yield picture_of_room(looking((x, 0.4, 1.5), (x + 0.2, 3.0, 0.9)))


def picture_of_room(camera_to_world: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return the picture (480, 640, 3) of the speckled room that a camera sees."""
    depth, labels = ROOM.view(camera_to_world, SHAPE)
    cells = np.floor(pointmap(depth, INTRINSICS, camera_to_world) / SPECKLE + 1e-3).astype(np.int64)
    speckles = np.random.default_rng(0).uniform(0.35, 1.0, (64, 64, 64))
    picture = WARM[labels] * speckles[tuple(np.moveaxis(cells % 64, -1, 0))][..., None]
    return cv2.GaussianBlur(picture, (0, 0), 0.7).astype(np.uint8)
