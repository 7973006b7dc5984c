"""Verified matches out of COLMAP's database, read with SQLite: pycolmap's libraries clash with OpenCV's."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pipeline.contract.arrays import Float64s

IMAGES_AT_MOST = 2**31 - 1
"""COLMAP names a pair by ``first * IMAGES_AT_MOST + second``."""


class MatchedPair(NamedTuple):
    """Two frames and the pixels (m, 2) of each that show the same points, as RANSAC left them."""

    first: int
    second: int
    pixels: Float64s
    pixels_second: Float64s


def verified_matches(folder: Path) -> list[MatchedPair]:
    """Return the verified matches of the database in ``folder`` that has most of them; none where there is none."""
    found = [_matches(path) for path in sorted(folder.glob("*.db"))]
    return max(found, key=lambda pairs: sum(len(pair.pixels) for pair in pairs), default=[])


def _matches(path: Path) -> list[MatchedPair]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        frames = {
            key: int(name.partition(".")[0]) for key, name in database.execute("SELECT image_id, name FROM images")
        }
        pixels = {
            key: np.frombuffer(data, np.float32).reshape(count, columns)[:, :2].astype(np.float64)
            for key, count, columns, data in database.execute("SELECT image_id, rows, cols, data FROM keypoints")
            if count
        }
        rows = database.execute("SELECT pair_id, rows, data FROM two_view_geometries WHERE rows > 0").fetchall()
    pairs = []
    for pair_id, count, data in rows:
        first, second = divmod(pair_id, IMAGES_AT_MOST)
        chosen = np.frombuffer(data, np.uint32).reshape(count, 2)
        pairs.append(
            MatchedPair(frames[first], frames[second], pixels[first][chosen[:, 0]], pixels[second][chosen[:, 1]])
        )
    return pairs
