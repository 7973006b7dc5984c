"""Ways to spoil a clip so that its reconstruction may go wrong as real ones do; what is true of it stays known."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.contract.camera import pointmap
from pipeline.contract.records import FRAME_HEIGHT, FRAME_WIDTH
from pipeline.quality.calibration.filmed import KnownClip

Spoil = Callable[[KnownClip, KnownClip], KnownClip]
"""Takes a clip, and one of another house for what mixes them."""

REPEATS_M = 0.3
"""Metres after which a repeated pattern comes again."""


def as_filmed(clip: KnownClip, other: KnownClip) -> KnownClip:
    """Leave it as it is."""
    del other
    return clip


def published(clip: KnownClip, other: KnownClip) -> KnownClip:
    """Shrink it to half, blur it along its motion, and compress it as a platform does."""
    del other
    return replace(clip, rgb=np.stack([_published(frame) for frame in clip.rgb]))


def two_houses(clip: KnownClip, other: KnownClip) -> KnownClip:
    """Go on in another house without a cut being seen."""
    return _joined(clip, other, np.arange(len(clip.rgb)) >= len(clip.rgb) // 2)


def mixed_houses(clip: KnownClip, other: KnownClip) -> KnownClip:
    """Show another house in every third frame."""
    return _joined(clip, other, np.arange(len(clip.rgb)) % 3 == 1)


def few_frames(clip: KnownClip, other: KnownClip) -> KnownClip:
    """Keep four frames, as far apart as the clip allows."""
    del other
    chosen = np.linspace(0, len(clip.rgb) - 1, 4).astype(int)
    kept = {name: getattr(clip, name)[chosen] for name in ("rgb", "camera_to_world", "depth", "place")}
    return replace(clip, **kept)


def mirrored(clip: KnownClip, other: KnownClip) -> KnownClip:
    """Mirror the second half of the frames."""
    del other
    later = np.arange(len(clip.rgb)) >= len(clip.rgb) // 2
    rgb = np.where(later[:, None, None, None], clip.rgb[:, :, ::-1], clip.rgb)
    return replace(clip, rgb=rgb, place=clip.place + later)


def plain(clip: KnownClip, other: KnownClip) -> KnownClip:
    """Take the texture away and leave noise."""
    del other
    draw = np.random.default_rng(0)
    noise = draw.normal(0, 3, clip.rgb.shape)
    smooth = np.stack([cv2.GaussianBlur(frame, (0, 0), 5) for frame in clip.rgb])
    return replace(clip, rgb=np.clip(smooth + noise, 0, 255).astype(np.uint8))


def repeated(clip: KnownClip, other: KnownClip) -> KnownClip:
    """Paper every surface with one pattern that comes again every 30 cm."""
    del other
    frames = []
    for rgb, depth, pose in zip(clip.rgb, clip.depth, clip.camera_to_world, strict=True):
        phase = 2 * np.pi * pointmap(depth, clip.intrinsics, pose) / REPEATS_M
        pattern = 1 + 0.45 * np.sign(np.prod(np.sin(phase + 0.3), axis=-1)) * (depth > 0)
        wide = cv2.resize(pattern, (FRAME_WIDTH, FRAME_HEIGHT), interpolation=cv2.INTER_LINEAR)
        frames.append(np.clip(cv2.GaussianBlur(rgb, (0, 0), 6) * wide[..., None], 0, 255).astype(np.uint8))
    return replace(clip, rgb=np.stack(frames))


def bent(clip: KnownClip, other: KnownClip) -> KnownClip:
    """Film it through a wide lens that bends straight lines (a barrel of 8 % at the corner)."""
    del other
    rows, columns = np.mgrid[:FRAME_HEIGHT, :FRAME_WIDTH].astype(np.float32) + np.float32(0.5)
    x, y = columns - FRAME_WIDTH / 2, rows - FRAME_HEIGHT / 2
    grow = 1 + 0.08 * (x**2 + y**2) / (FRAME_WIDTH / 2) ** 2 * 0.64
    across, down = (x * grow + FRAME_WIDTH / 2 - 0.5, y * grow + FRAME_HEIGHT / 2 - 0.5)
    maps = across.astype(np.float32), down.astype(np.float32)
    mode = cv2.BORDER_REFLECT
    return replace(
        clip, rgb=np.stack([cv2.remap(frame, *maps, cv2.INTER_LINEAR, borderMode=mode) for frame in clip.rgb])
    )


SPOILS: Mapping[str, Spoil] = {
    found.__name__: found
    for found in (
        as_filmed, published, two_houses, mixed_houses, few_frames, mirrored, plain, repeated, bent,
    )
}  # fmt: skip

ONCE = ("as_filmed", "published")
"""Kinds in which every house is filmed; the others are spoilt."""


def _joined(clip: KnownClip, other: KnownClip, elsewhere: NDArray[np.bool_]) -> KnownClip:
    def pick(name: str) -> Any:
        return np.stack([getattr(other if away else clip, name)[k] for k, away in enumerate(elsewhere.tolist())])

    picked = {name: pick(name) for name in ("rgb", "camera_to_world", "depth")}
    return replace(clip, **picked, place=elsewhere.astype(np.int64))


def _published(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    small = cv2.resize(frame, (FRAME_WIDTH // 2, FRAME_HEIGHT // 2), interpolation=cv2.INTER_AREA)
    _, packed = cv2.imencode(".jpg", cv2.blur(small, (4, 1)), [cv2.IMWRITE_JPEG_QUALITY, 30])
    received = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
    return np.asarray(cv2.resize(received, (FRAME_WIDTH, FRAME_HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8)
