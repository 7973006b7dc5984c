"""Arrays as text for a page: deflated, in base64, laid out so that neighbours are alike."""

import base64
import zlib

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Floats
from pipeline.pictures.viewer.cloud import Cloud

HOTTEST = 254
"""Byte of the highest score; 0 stands for no score, 1 for the lowest."""


def packed(values: NDArray[np.uint8] | bytes) -> str:
    """Return bytes deflated (RFC 1951) in base64; a browser reads them with ``DecompressionStream('deflate-raw')``."""
    content = values if isinstance(values, bytes) else np.ascontiguousarray(values).tobytes()
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return base64.b64encode(deflate.compress(content) + deflate.flush()).decode()


def unpacked(text: str) -> NDArray[np.uint8]:
    """Return the bytes (p,) that ``packed`` made text of."""
    return np.frombuffer(zlib.decompress(base64.b64decode(text), -zlib.MAX_WBITS), np.uint8)


def cloud_planes(cloud: Cloud) -> NDArray[np.uint8]:
    """Return a cloud of p points as (9, p) uint8.

    Low bytes of x, y and z, then their high bytes, each coordinate as the difference from the point before, modulo
    2**16; then the two bytes of the colour with 5, 6 and 5 bits for red, green and blue; then labels.
    """
    steps = np.diff(cloud.steps, axis=0, prepend=np.zeros((1, 3), np.uint16)).T
    red, green, blue = cloud.colours.astype(np.uint16).T
    colour = (red >> 3) << 11 | (green >> 2) << 5 | blue >> 3
    return np.stack([*(steps & 255).astype(np.uint8), *(steps >> 8).astype(np.uint8), *_halves(colour), cloud.labels])


def heat_bytes(scores: Floats) -> tuple[NDArray[np.uint8], tuple[float, float]]:
    """Return scores as bytes, 0 = none, 1 the lowest to 254 the highest, and those two scores; nan = none."""
    given = np.isfinite(scores)
    low, high = (float(scores[given].min()), float(scores[given].max())) if given.any() else (0.0, 1.0)
    share = (np.where(given, scores, low) - low) / max(high - low, 1e-9)
    return np.where(given, 1 + np.rint(share * (HOTTEST - 1)), 0).astype(np.uint8), (low, high)


def _halves(values: NDArray[np.uint16]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    return (values & 255).astype(np.uint8), (values >> 8).astype(np.uint8)
