"""Backends whose results carry the identity of the pictures they were made from; they come as another package's do.

Geometry is that of an analytic room, so that the stages behind them do their real work.
"""

import os
from functools import cache
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from pipeline.contract.arrays import Images
from pipeline.contract.classes import SemanticClass
from pipeline.contract.records import IndoorScore, MetricScene, Reconstruction, Semantics
from pipeline.stages.backends import Backend
from tests.pipeline.box_room import Box, Room, film, looking
from tests.torture.identity import FRAMES, identify

SHAPE = (48, 64)
DIGITS = 7
"""Labels at the upper left corner that say the code, base 8, and before it the edition of the settings."""

FX = 480.0
STEP = 1e-3
ENTRY_POINTS = """[youtube_occ.backends]
indoor_clips.traced = tests.torture.traced:INDOOR
reconstruction.traced = tests.torture.traced:RECONSTRUCTION
semantics.traced = tests.torture.traced:SEMANTICS
"""
ROOM = Room(Box((0, 0, 0), (4, 3.6, 2.6)), (Box((2.6, 2.4, 0), (3.9, 3.5, 0.5), SemanticClass.BED),))
CAMERAS = [looking((1.2 + 0.08 * i, 0.4, 1.5), (1.9, 3.0, 0.8)) for i in range(FRAMES)]


class TracedSettings(BaseModel):
    """Settings that change results."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    edition: int = Field(0, ge=0, le=7, description="of the settings; it is in every result")


class Traced:
    """The three backends: what they say depends on nothing but the pictures, the edition and the place in the clip."""

    name = "traced"
    weights: ClassVar[dict[str, str]] = {}

    def __init__(self, edition: int) -> None:
        self._edition = edition

    def score(self, rgb: Images) -> IndoorScore:
        """Believe every clip; the score tells the first frame."""
        return IndoorScore(0.5 + identify(rgb[0]).code / 4**9)

    def reconstruct(self, rgb: Images, scratch: Path) -> Reconstruction:
        """Return the room from cameras that the frames' numbers name; focal lengths say the codes."""
        who = [identify(picture) for picture in rgb]
        entered("reconstruction", who[0].video, self._edition)
        known = [_views()[0][found.frame % FRAMES] for found in who]
        (scratch / "work").write_bytes(rgb[:, ::16, ::16].tobytes())
        intrinsics = np.tile(np.array([[FX, 0, 320], [0, FX, 240], [0, 0, 1]], np.float32), (len(who), 1, 1))
        intrinsics[:, 0, 0] += np.array([found.code * STEP for found in who], np.float32)
        depth = np.stack(known)
        cameras = np.stack([CAMERAS[found.frame % FRAMES] for found in who]).astype(np.float32)
        ones = np.ones(len(who), np.bool_)
        return Reconstruction(intrinsics, cameras, depth, np.full_like(depth, 0.5 + self._edition / 16), ones)

    def segment(self, rgb: Images, scene: MetricScene) -> Semantics:
        """Return the room's labels; the first ones say the edition and the codes."""
        del scene
        who = [identify(picture) for picture in rgb]
        entered("semantics", who[0].video, self._edition)
        labels = np.stack([_views()[1][found.frame % FRAMES] for found in who])
        for found, shown in zip(who, labels, strict=True):
            shown[0, :DIGITS] = label_digits(found.code, self._edition)
        return Semantics(labels, (labels % 5 + 1).astype(np.uint16))


def label_digits(code: int, edition: int) -> NDArray[np.uint8]:
    """Return the labels that say a code and an edition."""
    return np.array([1 + edition, *(1 + code // 8**place % 8 for place in range(DIGITS - 1))], np.uint8)


def entered(stage: str, video: int, edition: int) -> None:
    """Write down that work was done: a line a clip in the file that the environment names, also before a kill."""
    ledger = os.open(os.environ["TORTURE_LEDGER"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(ledger, f"{stage} {video} {edition} {os.getpid()}\n".encode())
    finally:
        os.close(ledger)


@cache
def _views() -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    scene, semantics = film(ROOM, CAMERAS, SHAPE)
    return scene.depth, semantics.labels


def traced(stage: object, own: TracedSettings, scratch: Path | None) -> Traced:
    """Return the backend of any of the three stages."""
    del stage, scratch
    return Traced(own.edition)


INDOOR = RECONSTRUCTION = SEMANTICS = Backend("traced", TracedSettings, traced)
