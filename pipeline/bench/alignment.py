"""Benchmark of global alignment: this way, against full-resolution Adam on the same pairs, in one run.

``python -m pipeline.bench.alignment --help``. The pairs are those of an analytic room with independent noise.
"""

import json
import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from torch import Tensor

from pipeline.alignment import AlignmentSettings, Known, PairPredictions, video_pairs
from pipeline.alignment.align import align
from pipeline.alignment.observations import sample
from pipeline.alignment.refine import evaluate
from pipeline.alignment.start import initial_state
from pipeline.alignment.state import State

Array = NDArray[np.float64]


def main(
    frames: Annotated[int, typer.Option(help="images of the clip")] = 8,
    size: Annotated[int, typer.Option(help="pixels a side")] = 224,
    noise: Annotated[float, typer.Option(help="metres, in a room of 6 m")] = 0.03,
    adam_steps: Annotated[int, typer.Option(help="steps of the baseline that are timed; upstream makes 300")] = 10,
    output: Annotated[Path, typer.Option(help="JSON file of the results")] = Path(".bench/alignment.json"),
) -> None:
    """Measure CPU seconds at one thread and print the ratio."""
    torch.set_num_threads(1)
    pairs, truth = room_pairs(frames, size, noise)
    start = time.process_time()
    result = align(pairs, AlignmentSettings())
    ours = time.process_time() - start
    step = adam_step_seconds(pairs, adam_steps)
    measured: dict[str, Any] = {
        "clip": {"frames": frames, "size": size, "directed_pairs": len(pairs.edges)},
        "ours_s": ours,
        "rotation_error_degrees": rotation_errors(result.camera_to_world, truth).max(),
        "adam_s_per_step": step,
        "adam_300_steps_s": 300 * step,
        "faster": 300 * step / ours,
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(measured, indent=1))
    typer.echo(json.dumps(measured, indent=1))


def room_pairs(frames: int, size: int, noise: float) -> tuple[PairPredictions, Array]:
    """Noisy pointmaps of cameras in a room of 5 x 2.6 x 6 m, and the cameras (N, 4, 4)."""
    rng = np.random.default_rng(0)
    cameras = np.stack([_camera(n / max(1, frames - 1)) for n in range(frames)])
    points = np.stack([_room_points(camera, size) for camera in cameras])
    edges = video_pairs(frames, window=3, strides=(), complete_up_to=2)
    inverse = np.linalg.inv(cameras[edges[:, 0]])
    one, two = (
        (np.einsum("nij,nhwj->nhwi", inverse[:, :3, :3], points[edges[:, side]]) + inverse[:, None, None, :3, 3])
        for side in (0, 1)
    )
    points1, points2 = ((maps + rng.normal(0, noise, maps.shape)).astype(np.float16) for maps in (one, two))
    confidence = np.full(one.shape[:3], 3.0, np.float16)
    return PairPredictions(frames, edges, points1, points2, confidence, confidence), cameras


def adam_step_seconds(pairs: PairPredictions, steps: int) -> float:
    """CPU seconds of one step of first-order descent on every pixel, as DUSt3R's own alignment goes about it.

    Variables: a dense depth map and a pose per image, a focal length, a scale per pair; mean absolute distance.
    """
    side = pairs.confidence1.shape[1]
    every_pixel = AlignmentSettings(pixels_per_image=side * side, max_observations=2 * len(pairs.edges) * side * side)
    seen = sample(pairs, (side / 2, side / 2), every_pixel)
    state = initial_state(seen, Known(), shared_focal=True)
    fit = evaluate(seen, state, torch.ones_like(seen.weight), noise=0.01)
    seen = type(seen)(**{**vars(seen), "points": seen.points.float(), "weight": seen.weight.float()})
    pixels = seen.pixels.float()
    free = [value.float().requires_grad_() for value in (fit.depth.log(), state.log_scale, state.log_focal)]
    twist = torch.zeros(seen.image_count, 6, requires_grad=True)
    optimiser = torch.optim.Adam([*free, twist], lr=0.01, betas=(0.9, 0.9))
    poses = state.camera_to_world.float()
    start = time.process_time()
    for _ in range(steps):
        log_depth, log_scale, log_focal = free
        now = State(poses, log_scale, log_focal).moved(twist, torch.zeros(()), torch.zeros(()))
        on_rays = log_depth.exp()[..., None] * now.world_rays(pixels) + now.camera_to_world[:, None, :3, 3]
        loss = _mean_distance(on_rays[seen.target], now.world_points(seen), seen.weight)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return (time.process_time() - start) / steps


def rotation_errors(found: Array, truth: Array) -> Array:
    """Degrees (N,) between cameras, both seen from their first camera."""
    turns = [np.linalg.inv(cameras[0])[:3, :3] @ cameras[:, :3, :3] for cameras in (found, truth)]
    chord = np.linalg.norm(turns[0] - turns[1], axis=(1, 2)) / np.sqrt(8)
    errors: Array = np.degrees(2 * np.arcsin(chord))
    return errors


def _mean_distance(points: Tensor, others: Tensor, weight: Tensor) -> Tensor:
    distance: Tensor = (points - others).norm(dim=-1)
    return (distance * weight).mean()


def _camera(along: float) -> Array:
    turn = np.radians(-20 + 40 * along)
    camera = np.eye(4)
    camera[:3, :3] = [[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]]
    camera[:3, 3] = [2.0 + 1.2 * along, 1.1, 1.0 + 0.8 * along]
    return camera


def _room_points(camera: Array, size: int) -> Array:
    """Points (size, size, 3) of the walls that a camera of 53 degrees sees."""
    y, x = (np.mgrid[:size, :size] + 0.5 - size / 2) / size
    rays = np.stack([x, y, np.ones_like(x)], -1) @ camera[:3, :3].T
    with np.errstate(divide="ignore"):
        exits = np.where(rays > 0, (np.array([5.0, 2.6, 6.0]) - camera[:3, 3]) / rays, -camera[:3, 3] / rays)
    points: Array = camera[:3, 3] + rays * exits.min(-1)[..., None]
    return points


if __name__ == "__main__":
    typer.run(main)
