"""The rows of 8-bit codes that are nearest to a text: exhaustively, part by part, on all cores.

NumKong, USearch's kernels, compares a query with every row in integers, which halves what has to be read from memory
beside float16. Whoever asks compares the best again in float16.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from models.extras import extra

LARGEST = 0.5
"""Component of a unit vector that 127 stands for; larger ones are cut off."""

ROWS_COMPARED = 250_000
"""Rows that a thread compares at once: 2 MB of scores."""


def codes_of(vectors: NDArray[np.floating]) -> NDArray[np.int8]:
    """Return unit vectors in 8 bits a number."""
    levels = np.rint(np.clip(np.asarray(vectors, np.float32) / LARGEST, -1, 1) * 127)
    return np.asarray(levels, np.int8)


def nearest_codes(
    parts: Sequence[NDArray[np.int8]], text: NDArray[np.int8], count: int, threads: int = 0
) -> NDArray[np.int64]:
    """Return the rows (up to ``count``) whose products with a text's codes (E,) are largest, in rising order.

    parts: codes (R, E) of which rows are counted through; of rows with equal products the first are taken, so that it
    makes no difference how rows are divided into parts. threads: 0 = one a core.
    """
    with extra("query", "asking a dataset in words"):
        from numkong import cdist

    def best_of(block: tuple[int, NDArray[np.int8]]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        first, codes = block
        products = np.asarray(cdist(text[None], codes, "dot"))[0]  # lets other threads run
        best = _largest(products, count)
        return first + best, products[best]

    rows, products = np.zeros(0, np.int64), np.zeros(0)
    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        for found in pool.map(best_of, _blocks(parts)):
            rows, products = np.concatenate([rows, found[0]]), np.concatenate([products, found[1]])
            best = _largest(products, count)
            rows, products = rows[best], products[best]
    return rows


def _blocks(parts: Sequence[NDArray[np.int8]]) -> Iterator[tuple[int, NDArray[np.int8]]]:
    """Yield the first row and the codes of what a thread compares at once."""
    before = 0
    for codes in parts:
        for start in range(0, len(codes), ROWS_COMPARED):
            yield before + start, codes[start : start + ROWS_COMPARED]
        before += len(codes)


def _largest(values: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Return where the ``count`` largest of values (n,) are, in rising order; of equal ones the first."""
    if count >= len(values):
        return np.arange(len(values))
    least = np.partition(values, len(values) - count)[len(values) - count]
    above, ties = np.flatnonzero(values > least), np.flatnonzero(values == least)
    return np.sort(np.concatenate([above, ties[: count - len(above)]]))
