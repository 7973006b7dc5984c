"""DUSt3R on a GPU: pairs a second by number format and batch, share of the card's matrix rate, cost of bfloat16."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from models.dust3r import Dust3r
from models.dust3r.pairs import predict_pairs
from models.errors import OutOfDeviceMemory

BATCHES = (1, 4, 16, 64)
MATRIX_SIDE = 8192
REPEATS = 5


def measure_gpu(network: Dust3r, images: Tensor, edges: NDArray[np.int64]) -> dict[str, Any]:
    """Run all pairs of a clip in float32 and with a bfloat16 body, in batches; the network stays in bfloat16.

    share_of_peak: operations that one pair needs when each image is encoded once, over the rate of a large matrix
    product in the same format. bfloat16_error: median relative difference of points to float32's.
    """
    rates: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        operations = clip_operations(network, images, len(edges))
        exact = network(images[:1], images[1:2])[0].points
        for dtype in (torch.float32, torch.bfloat16):
            network.cast_body(dtype)
            peak = matrix_rate(network.device, dtype)
            for batch in BATCHES:
                seconds = _clip_seconds(network, images, edges, Path(folder), batch)
                rates[f"{str(dtype)[6:]}, {batch} pairs at once"] = {
                    "pairs_per_s": len(edges) / seconds,
                    "clips_per_minute": 60 / seconds,
                    "share_of_peak": operations / seconds / peak,
                }
        rounded = network(images[:1], images[1:2])[0].points
    error = (rounded - exact).norm(dim=-1) / exact.norm(dim=-1)
    return {"card": torch.cuda.get_device_name(), "rates": rates, "bfloat16_error": float(error.median())}


def clip_operations(network: Dust3r, images: Tensor, pairs: int) -> float:
    """Count the operations of a clip: every image encoded once, every pair decoded."""
    with FlopCounterMode(display=False) as encoding:
        tokens = network.encode(images[:1])
    with FlopCounterMode(display=False) as decoding:
        network.decode(tokens, tokens)
    return float(len(images) * encoding.get_total_flops() + pairs * decoding.get_total_flops())


def matrix_rate(device: torch.device, dtype: torch.dtype) -> float:
    """Operations a second of a large matrix product, the best of a few."""
    matrix = torch.randn(MATRIX_SIDE, MATRIX_SIDE, device=device, dtype=dtype)
    return 2 * MATRIX_SIDE**3 / min(_seconds(lambda: matrix @ matrix) for _ in range(REPEATS))


def _clip_seconds(network: Dust3r, images: Tensor, edges: NDArray[np.int64], folder: Path, batch: int) -> float:
    """Seconds of the second run; nan where the batch does not fit."""

    def run() -> object:
        return predict_pairs(network, images, edges, folder, batch)

    try:
        run()
        return _seconds(run)
    except OutOfDeviceMemory:
        return float("nan")


def _seconds(run: Callable[[], object]) -> float:
    torch.cuda.synchronize()
    start = time.perf_counter()
    run()
    torch.cuda.synchronize()
    return time.perf_counter() - start
