"""A training step of Symphonies: time, peak memory and, on a graphics card, the share of its matrix rate.

``python -m training.bench.step --preset paper --device cuda``. One picture; forward and backward of the
``paper`` preset are 2.19 TFLOP. ``--aspp factored`` measures the cheaper context module.
"""

import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
import typer

from models.bench.memory import peak_bytes
from models.symphonies import PRESETS, Symphonies, Views
from training.studies.cost import TFLOP_A_PICTURE
from training.tasks.losses import CLASSES, Truth, occupancy_losses


@dataclass(frozen=True)
class StepCost:
    """What a step takes: seconds (wall, best of the repeats), seconds of processor time, peak memory.

    matmul_share: matrix rate of the step over that of a large product on the same device; None where not known.
    """

    preset: str
    aspp: str
    device: str
    precision: str
    seconds: float
    cpu_seconds: float
    peak_gib: float
    matmul_share: float | None


def main(
    preset: str = "paper",
    aspp: str = "full",
    device: str = "cuda" if torch.cuda.is_available() else "cpu",
    repeats: int = 1,
    output: Path = Path(".bench/training_step.json"),
) -> None:
    """Measure one picture's forward, losses and backward; bf16 on a graphics card."""
    cost = measure(preset, aspp, device, repeats)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(asdict(cost), indent=1), encoding="utf-8")
    typer.echo(json.dumps(asdict(cost), indent=1))


def measure(preset: str, aspp: Any, device: str, repeats: int) -> StepCost:
    """Time ``repeats`` steps and keep the best."""
    torch.manual_seed(0)
    network = Symphonies(replace(PRESETS[preset], aspp=aspp)).to(device).train()
    views, truth = _room(device)
    precision = torch.bfloat16 if device.startswith("cuda") else torch.float32
    walls, processors = [], []
    for _ in range(repeats):
        wall, processor = time.perf_counter(), time.process_time()
        with torch.autocast(device.partition(":")[0], precision, enabled=precision == torch.bfloat16):
            total = torch.stack([torch.stack(list(occupancy_losses(x, truth).values())).sum() for x in network(views)])
        torch.autograd.backward(total.sum())
        if device.startswith("cuda"):
            torch.cuda.synchronize()
        walls.append(time.perf_counter() - wall)
        processors.append(time.process_time() - processor)
    known = preset == "paper" and aspp == "full"
    share = TFLOP_A_PICTURE["paper"] / min(walls) / _matmul_tflops(device, precision) if known else None
    return StepCost(preset, str(aspp), device, str(precision), min(walls), min(processors), _peak_gib(device), share)


def _room(device: str) -> tuple[Views, Truth]:
    """Return an empty room 4.8 m wide, seen from one end: 43 % of the voxels in view, as on NYUv2."""
    v, u = torch.meshgrid(torch.arange(480) + 0.5, torch.arange(640) + 0.5, indexing="ij")
    rays = torch.stack([(u - 320) / 518.9, (v - 240) / 518.9, torch.ones_like(u)], dim=-1)
    limits = torch.tensor([2.4, 1.25, 4.6])
    depth = (limits / rays.abs().clamp(min=1e-6)).amin(dim=-1)
    pose = torch.eye(4)
    pose[:3, :3] = torch.tensor([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
    pose[:3, 3] = torch.tensor([2.4, 0.1, 1.3])
    intrinsics = torch.tensor([[518.9, 0, 320], [0, 518.9, 240], [0, 0, 1]])
    rgb = torch.randint(0, 255, (1, 3, 480, 640), dtype=torch.uint8)
    shown = Views(rgb, depth[None], intrinsics[None], pose[None], torch.zeros(1, 3)).to(torch.device(device))
    labels = torch.randint(0, CLASSES, (1, 129600), device=device)
    return shown, Truth(labels, torch.randint(-1, 64, (1, 129600), device=device))


def _matmul_tflops(device: str, precision: torch.dtype) -> float:
    side = 8192 if device.startswith("cuda") else 2048
    a, b = (torch.randn(side, side, device=device, dtype=precision) for _ in range(2))
    times = []
    for _ in range(5):
        start = time.perf_counter()
        a @ b
        if device.startswith("cuda"):
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return 2 * side**3 / min(times) / 1e12


def _peak_gib(device: str) -> float:
    if device.startswith("cuda"):
        return torch.cuda.max_memory_allocated() / 2**30
    return peak_bytes() / 2**30


if __name__ == "__main__":
    typer.run(main)
