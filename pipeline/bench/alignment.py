"""Benchmark of global alignment: this way, against 300 full-resolution Adam steps on the same pairs, in one run.

``python -m pipeline.bench.alignment --help``. The pairs are those of an analytic room with independent noise.
"""

import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from rich.progress import track
from skimage.transform import SimilarityTransform
from torch import Tensor

from pipeline.contract.arrays import Float64s
from pipeline.stages.reconstruction.dust3r.alignment.align import align
from pipeline.stages.reconstruction.dust3r.alignment.observations import Observations, sample
from pipeline.stages.reconstruction.dust3r.alignment.records import Known, PairPredictions
from pipeline.stages.reconstruction.dust3r.alignment.refine import evaluate
from pipeline.stages.reconstruction.dust3r.alignment.settings import AlignmentSettings
from pipeline.stages.reconstruction.dust3r.alignment.start import initial_state
from pipeline.stages.reconstruction.dust3r.alignment.state import State

UPSTREAM_STEPS = 300
UPSTREAM_SECONDS_A_STEP = {8: 0.634, 16: 1.532}
"""Of naver/dust3r's alignment at 224x224 with swin-3, by frames: one thread of a Xeon with AVX-512."""


@dataclass(frozen=True)
class PosedPointmaps:
    """Cameras to the world (N, 4, 4), and the points (N, H, W, 3) that they see, in their own frames."""

    camera_to_world: Float64s
    points: Float64s

    def world_points(self) -> Float64s:
        """Points of all cameras in the world, (N * H * W, 3)."""
        return _to_world(self.camera_to_world, self.points).reshape(-1, 3)


@dataclass(frozen=True)
class Errors:
    """After the one similarity that carries the points best onto the truth: metres and degrees."""

    points_rms: float
    rotation_max: float


def main(
    frames: Annotated[list[int] | None, typer.Option(help="images of the clip, may be repeated")] = None,
    size: Annotated[int, typer.Option(help="pixels a side")] = 224,
    noise: Annotated[float, typer.Option(help="metres, in a room of 6 m")] = 0.03,
    adam_steps: Annotated[int, typer.Option(help="steps of the baseline; upstream makes 300")] = UPSTREAM_STEPS,
    output: Annotated[Path, typer.Option(help="JSON file of the results")] = Path(".bench/alignment.json"),
) -> None:
    """Measure CPU seconds at one thread and print the ratios."""
    torch.set_num_threads(1)
    measured = [compare(count, size, noise, adam_steps) for count in frames or (8, 16)]
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(measured, indent=1))
    typer.echo(json.dumps(measured, indent=1))


def compare(frames: int, size: int, noise: float, adam_steps: int) -> dict[str, Any]:
    """Time and errors of both ways on one clip.

    Ours looks at one pixel in 25, Adam at all: against noise that is independent from pixel to pixel, as here and
    unlike a network's, that alone makes Adam's cameras up to five times as exact.
    """
    pairs, truth = room_pairs(frames, size, noise)
    start = time.process_time()
    result = align(pairs, AlignmentSettings())
    ours = time.process_time() - start
    errors = measure_errors(PosedPointmaps(result.camera_to_world, unproject(result.depth, result.focal)), truth)
    adam, seconds_a_step = descend(pairs, adam_steps)
    adam_errors = measure_errors(adam, truth)
    upstream = UPSTREAM_SECONDS_A_STEP.get(frames, float("nan")) * UPSTREAM_STEPS
    return {
        "clip": {"frames": frames, "size": size, "directed_pairs": len(pairs.edges), "noise_m": noise},
        "ours": {"seconds": ours, **asdict(errors)},
        "adam": {"steps": adam_steps, "seconds_a_step": seconds_a_step, **asdict(adam_errors)},
        "points_at_or_below_adams": errors.points_rms <= adam_errors.points_rms,
        "rotation_at_or_below_adams": errors.rotation_max <= adam_errors.rotation_max,
        "faster_than_adam": UPSTREAM_STEPS * seconds_a_step / ours,
        "faster_than_upstreams_measured_cost": upstream / ours,
    }


def room_pairs(frames: int, size: int, noise: float) -> tuple[PairPredictions, PosedPointmaps]:
    """Noisy pointmaps of cameras in a room of 5 x 2.6 x 6 m, and the truth of them.

    Pairs are upstream's swin-3: each image with the next three, cyclic, both ways.
    """
    rng = np.random.default_rng(0)
    cameras = np.stack([camera(n / max(1, frames - 1)) for n in range(frames)])
    points = np.stack([room_points(pose, size, size) for pose in cameras])
    forward = np.array([(n, (n + step) % frames) for n in range(frames) for step in (1, 2, 3)])
    edges = np.concatenate([forward, forward[:, ::-1]])
    to_world = cameras[edges[:, 0]]
    points1 = _into_frame(to_world, points[edges[:, 0]]) + rng.normal(0, noise, (len(edges), size, size, 3))
    points2 = _into_frame(to_world, points[edges[:, 1]]) + rng.normal(0, noise, points1.shape)
    confidence = np.full(points1.shape[:3], 3.0, np.float16)
    pairs = PairPredictions(
        frames, edges, points1.astype(np.float16), points2.astype(np.float16), confidence, confidence
    )
    return pairs, PosedPointmaps(cameras, _into_frame(cameras, points))


def descend(pairs: PairPredictions, steps: int) -> tuple[PosedPointmaps, float]:
    """First-order descent on every pixel, as DUSt3R's own alignment goes about it; CPU seconds of a step beside it.

    The start is ours. Variables: a dense depth map and a pose per image, a focal length, a scale per pair, whose mean
    is held; mean distance weighted by confidence; Adam with upstream's rates, cosine from 0.01 to 1e-6.
    """
    seen = _every_pixel(pairs)
    state = initial_state(seen, Known(), shared_focal=True)
    fit = evaluate(seen, state, torch.ones_like(seen.weight), noise=0.01)
    seen = replace(seen, points=seen.points.float(), weight=seen.weight.float(), pixels=seen.pixels.float())
    free = [value.float().requires_grad_() for value in (fit.depth.log(), state.log_scale, state.log_focal)]
    twist = torch.zeros(seen.image_count, 6, requires_grad=True)
    optimiser = torch.optim.Adam([*free, twist], lr=0.01, betas=(0.9, 0.9))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps, eta_min=1e-6)
    poses, now = state.camera_to_world.float(), state
    start = time.process_time()
    for _ in track(range(steps), f"Adam, {seen.image_count} frames"):
        log_depth, log_scale, log_focal = free
        held = State(poses, log_scale - log_scale.mean(), log_focal)
        now = held.moved(twist, torch.zeros(()), torch.zeros(()))
        on_rays = log_depth.exp()[..., None] * now.world_rays(seen.pixels) + now.camera_to_world[:, None, :3, 3]
        loss = _mean_distance(on_rays[seen.target], now.world_points(seen), seen.weight)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    spent = (time.process_time() - start) / steps
    depth = free[0].detach().exp().double().view(-1, *pairs.confidence1.shape[1:])
    points = unproject(depth.numpy(), now.log_focal.detach().exp().double().numpy())
    return PosedPointmaps(now.camera_to_world.detach().double().numpy(), points), spent


def measure_errors(found: PosedPointmaps, truth: PosedPointmaps) -> Errors:
    """Compare cameras and points with the truth."""
    world, true_world = found.world_points(), truth.world_points()
    fit = SimilarityTransform.from_estimate(world[::7], true_world[::7])
    missed = np.linalg.norm(fit(world) - true_world, axis=-1)
    turned = fit.params[:3, :3] / fit.scale @ found.camera_to_world[:, :3, :3]
    chord = np.linalg.norm(turned - truth.camera_to_world[:, :3, :3], axis=(1, 2)) / np.sqrt(8)
    angle = np.degrees(2 * np.arcsin(np.clip(chord, 0, 1)))
    return Errors(float(np.sqrt((missed**2).mean())), float(angle.max()))


def unproject(depth: NDArray[np.floating], focal: Float64s) -> Float64s:
    """Points (N, H, W, 3) in their cameras' frames, principal point in the middle."""
    height, width = depth.shape[1:]
    y, x = np.mgrid[:height, :width] + 0.5
    slope = np.stack([x - width / 2, y - height / 2], -1) / focal[:, None, None, None]
    points: Float64s = np.concatenate([slope, np.ones_like(slope[..., :1])], -1) * depth[..., None]
    return points


def _every_pixel(pairs: PairPredictions) -> Observations:
    height, width = pairs.confidence1.shape[1:]
    pixels = height * width
    settings = AlignmentSettings(pixels_per_image=pixels, max_observations=2 * len(pairs.edges) * pixels)
    return sample(pairs, (width / 2, height / 2), settings)


def _mean_distance(points: Tensor, others: Tensor, weight: Tensor) -> Tensor:
    distance: Tensor = (points - others).norm(dim=-1)
    return (distance * weight).mean()


def camera(along: float) -> Float64s:
    """Camera to world (4, 4) at a place on the walk, 0 to 1."""
    turn = np.radians(-20 + 40 * along)
    pose = np.eye(4)
    pose[:3, :3] = [[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]]
    pose[:3, 3] = [2.0 + 1.2 * along, 1.1, 1.0 + 0.8 * along]
    return pose


def room_points(pose: Float64s, height: int, width: int) -> Float64s:
    """Points (height, width, 3) in the world, of the walls of the room that a camera of 53 degrees sees."""
    rays = unproject(np.ones((1, height, width)), np.array([float(width)]))[0] @ pose[:3, :3].T
    with np.errstate(divide="ignore"):
        exits = np.where(rays > 0, (np.array([5.0, 2.6, 6.0]) - pose[:3, 3]) / rays, -pose[:3, 3] / rays)
    points: Float64s = pose[:3, 3] + rays * exits.min(-1)[..., None]
    return points


def _to_world(cameras: Float64s, points: Float64s) -> Float64s:
    moved: Float64s = np.einsum("nij,nhwj->nhwi", cameras[:, :3, :3], points) + cameras[:, None, None, :3, 3]
    return moved


def _into_frame(cameras: Float64s, points: Float64s) -> Float64s:
    return _to_world(np.asarray(np.linalg.inv(cameras), np.float64), points)


if __name__ == "__main__":
    typer.run(main)
