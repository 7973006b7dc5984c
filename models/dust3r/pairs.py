"""Pointmaps of many pairs of images, each image encoded once, kept in half precision on disk."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.dust3r.heads import PointMap
from models.dust3r.network import Dust3r, PreparedView, Tokens
from models.errors import OutOfDeviceMemory, UnusableInput
from models.memory import is_out_of_memory
from models.paging import release

_log = logging.getLogger(__name__)

_LARGEST_HALF = 65504.0
_BYTES_PER_PIXEL = 6000
"""Peak of decoding one pair with a DPT head, two views of 128 channels in float32 and their copies (measured: 5300)."""
_DEVICE_SHARE = 0.6
_KEPT_VIEWS = 40
"""Prepared views kept at a time, 17 MB each at 512x384: a sliding window with long strides stays inside."""

T = TypeVar("T")


@dataclass(frozen=True)
class PairPointMaps:
    """Pointmaps of E directed pairs, float16 memory maps; values beyond float16 are clipped.

    points1, points2: (E, H, W, 3) in the first camera's frame. confidence1, confidence2: (E, H, W), raw.
    batch_size: pairs decoded at a time in the end; halved: whether the device's memory made it smaller.
    """

    points1: NDArray[np.float16]
    points2: NDArray[np.float16]
    confidence1: NDArray[np.float16]
    confidence2: NDArray[np.float16]
    batch_size: int
    halved: bool


def predict_pairs(
    network: Dust3r, images: Tensor, edges: NDArray[np.int64], folder: Path, batch_size: int | None = None
) -> PairPointMaps:
    """Run the network on pairs ``edges`` (E, 2) of images (N, 3, H, W) in [-1, 1]; results go to files in ``folder``.

    batch_size: pairs at a time; None sizes it to the memory at hand. Where the device runs out of memory the batch
    is halved, which is logged, and the work goes on.

    Raises:
        UnusableInput: images the network cannot take.
        OutOfDeviceMemory: not even one pair fits.
    """
    height, width = images.shape[-2:]
    points1, points2 = (_half_file(folder / f"points{side}.npy", (len(edges), height, width, 3)) for side in (1, 2))
    confidence1, confidence2 = (_half_file(folder / f"confidence{side}.npy", points1.shape[:3]) for side in (1, 2))
    wanted = batch_size or _fitting_batch(network.device, height * width)
    with torch.inference_mode():
        tokens, used = encode_each(network, images, wanted)
        for rows, (one, two), batch in decode_pairs(network, tokens, edges, used):
            used = batch
            points1[rows], confidence1[rows] = _to_half(one.points), _to_half(one.confidence)
            points2[rows], confidence2[rows] = _to_half(two.points), _to_half(two.confidence)
            release(points1, points2, confidence1, confidence2)
    return PairPointMaps(points1, points2, confidence1, confidence2, used, halved=used < wanted)


def encode_each(network: Dust3r, images: Tensor, batch_size: int) -> tuple[list[Tokens], int]:
    """Encode every image once; one ``Tokens`` of batch 1 for each, and the batch size in use at the end.

    Raises:
        UnusableInput: no image, or some that the network cannot take.
        OutOfDeviceMemory: not even one image fits.
    """
    if not len(images):
        raise UnusableInput("no image given")

    def encode(rows: Sequence[int]) -> list[Tokens]:
        tokens = network.encode(images[rows[0] : rows[-1] + 1])
        return [tokens[row : row + 1] for row in range(len(rows))]

    batches = list(halving_batches(range(len(images)), batch_size, encode))
    return [tokens for _, encoded, _ in batches for tokens in encoded], batches[-1][2]


def decode_pairs(
    network: Dust3r, tokens: Sequence[Tokens], edges: NDArray[np.int64], batch_size: int
) -> Iterator[tuple[Sequence[int], tuple[PointMap, PointMap], int]]:
    """Decode pairs in batches: rows of ``edges``, pointmaps of both images, and the batch size in use."""

    @lru_cache(maxsize=_KEPT_VIEWS)
    def view(image: int, side: int) -> PreparedView:
        return network.prepare(tokens[image], side)

    def decode(rows: Sequence[int]) -> tuple[PointMap, PointMap]:
        first = PreparedView.concatenate([view(int(edges[row, 0]), 1) for row in rows])
        second = PreparedView.concatenate([view(int(edges[row, 1]), 2) for row in rows])
        return network.decode_prepared(first, second)

    yield from halving_batches(range(len(edges)), batch_size, decode)


def halving_batches(
    rows: range, batch_size: int, run: Callable[[Sequence[int]], T]
) -> Iterator[tuple[Sequence[int], T, int]]:
    """Run batches of rows in order, halving the batch whenever the device runs out of memory.

    Raises:
        OutOfDeviceMemory: a single row does not fit.
    """
    start = 0
    while start < len(rows):
        batch = rows[start : start + batch_size]
        result = _run_if_it_fits(run, batch)
        if result is not None:
            yield batch, result, batch_size
            start += len(batch)
            continue
        if batch_size == 1:
            raise OutOfDeviceMemory("not even one pair fits into the device's memory; use smaller images")
        batch_size //= 2
        torch.cuda.empty_cache()
        _log.warning("the device ran out of memory; going on with %d at a time", batch_size)


def _run_if_it_fits(run: Callable[[Sequence[int]], T], batch: Sequence[int]) -> T | None:
    """Return nothing where memory ran out; leaving the handler frees what the failed batch had allocated."""
    try:
        return run(batch)
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        return None


def _half_file(path: Path, shape: tuple[int, ...]) -> NDArray[np.float16]:
    return np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=shape)


def _to_half(values: Tensor) -> NDArray[np.float16]:
    half: NDArray[np.float16] = values.clamp(-_LARGEST_HALF, _LARGEST_HALF).half().cpu().numpy()
    return half


def _fitting_batch(device: torch.device, pixels: int) -> int:
    """Pairs to decode at a time: one on a CPU, where more gain nothing, else what the free memory holds."""
    if device.type != "cuda":
        return 1
    free, _ = torch.cuda.mem_get_info(device)
    return max(1, min(64, int(_DEVICE_SHARE * free / (_BYTES_PER_PIXEL * pixels))))
