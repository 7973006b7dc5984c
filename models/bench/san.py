"""Speed and memory of SAN ViT-B/16 on frames of 640x480, beside the machine's own rate of matrix products.

``python -m models.bench.san [batch] [device]`` prints one JSON object. Weights are synthetic (seeded by their names),
which changes no operation. Times are CPU seconds of the process on a CPU, so that neighbours on the machine do not
count.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from models.bench.memory import peak_bytes
from models.bench.operations import counted
from models.san import San
from models.san.config import RELEASED, SanConfig
from models.san.name_seeded import name_seeded_san, photo
from models.san.preprocess import resize_short_side

CLASSES = 11
MATRIX_SIDE = 2048
REPEATS = 3


@dataclass(frozen=True)
class SanBenchmark:
    """seconds_a_frame: image network alone; read_out_seconds_a_frame: its semantic map at 640x480.

    gigaflops_a_frame: matrix products and convolutions of the image network, two operations a multiplication.
    hardware_gigaflops: rate of a large matrix product, the best of a few; share_of_hardware: the network's of that.
    peak_memory_gb: resident memory with weights on a CPU, allocated memory on a GPU.
    map_change_by_bfloat16: root mean square change of the semantic map, relative to the map.
    label_change_by_bfloat16: share of pixels whose best class becomes another; name-seeded regions are so alike that
    this is no forecast for trained weights, for which the notes of the stage ``semantics`` tell it.
    """

    device: str
    threads: int
    batch: int
    seconds_a_frame: float
    read_out_seconds_a_frame: float
    frames_a_second: float
    gigaflops_a_frame: float
    hardware_gigaflops: float
    share_of_hardware: float
    peak_memory_gb: float
    map_change_by_bfloat16: float
    label_change_by_bfloat16: float


@torch.inference_mode()
def measure(batch: int = 4, device: str = "cpu", config: SanConfig = RELEASED["san_vit_b_16"]) -> SanBenchmark:
    """Run the network on ``batch`` frames and report."""
    network = name_seeded_san(config).to(device)
    text = _spread_classes(config.embedding).to(device)
    frames = torch.stack([torch.from_numpy(photo(str(n), 480, 640)).permute(2, 0, 1) for n in range(batch)])
    images = resize_short_side(frames.to(device))
    network.propose(images[:1])
    rate = _hardware_rate(device)
    _reset_peak(device)
    seconds = _seconds(lambda: network.propose(images), device) / batch
    read_out = _seconds(lambda: network(images[:1], text).semantic_map(480, 640), device) - seconds
    peak = _peak_gigabytes(device)
    needed = operations(config, tuple(images.shape[2:]))
    map_change, label_change = _changes(network, images[:1], text, device)
    return SanBenchmark(
        device=device,
        threads=torch.get_num_threads(),
        batch=batch,
        seconds_a_frame=seconds,
        read_out_seconds_a_frame=max(read_out, 0.0),
        frames_a_second=1 / seconds,
        gigaflops_a_frame=needed / 1e9,
        hardware_gigaflops=rate / 1e9,
        share_of_hardware=needed / seconds / rate,
        peak_memory_gb=peak,
        map_change_by_bfloat16=map_change,
        label_change_by_bfloat16=label_change,
    )


def _spread_classes(embedding: int) -> Tensor:
    """Return classes (C, E) in random directions: words through name-seeded weights would be all alike."""
    return functional.normalize(torch.randn(CLASSES, embedding, generator=torch.Generator().manual_seed(0)), dim=-1)


def _changes(network: San, images: Tensor, text: Tensor, device: str) -> tuple[float, float]:
    """Return how much bfloat16 changes the semantic map, and the share of labels."""
    exact = network(images, text).semantic_map(480, 640)
    with torch.autocast(device.split(":", maxsplit=1)[0], torch.bfloat16):
        rounded = network(images, text).semantic_map(480, 640).float()
    changed = rounded.argmax(dim=1) != exact.argmax(dim=1)
    return float((rounded - exact).norm() / exact.norm()), float(changed.float().mean())


def operations(config: SanConfig, size: tuple[int, ...]) -> float:
    """Count the operations of one picture of ``size`` (h, w)."""
    return counted(lambda: San(config).propose(torch.zeros(1, 3, *size, dtype=torch.uint8)))


def _hardware_rate(device: str) -> float:
    matrix = torch.randn(MATRIX_SIDE, MATRIX_SIDE, device=device)
    best = min(_seconds(lambda: matrix @ matrix, device) for _ in range(REPEATS))
    return 2 * MATRIX_SIDE**3 / best


def _seconds(run: Callable[[], object], device: str) -> float:
    """CPU seconds of one thread's share of ``run`` on a CPU, wall seconds on a GPU."""
    if device == "cpu":
        start = time.process_time()
        run()
        return (time.process_time() - start) / torch.get_num_threads()
    torch.cuda.synchronize()
    start = time.perf_counter()
    run()
    torch.cuda.synchronize()
    return time.perf_counter() - start


def _reset_peak(device: str) -> None:
    if device == "cpu":
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    else:
        torch.cuda.reset_peak_memory_stats()


def _peak_gigabytes(device: str) -> float:
    if device != "cpu":
        return torch.cuda.max_memory_allocated() / 1e9
    return peak_bytes() / 1e9


if __name__ == "__main__":
    given = sys.argv[1:]
    result = measure(int(given[0]) if given else 4, given[1] if len(given) > 1 else "cpu")
    json.dump(asdict(result), sys.stdout, indent=1)
