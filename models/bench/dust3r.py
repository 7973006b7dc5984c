"""Benchmark of DUSt3R over a clip: each image encoded once, against both images encoded for every pair.

``python -m models.bench.dust3r --help``. Weights are made from their names, so no checkpoint is needed.
"""

import json
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from models import name_made
from models.dust3r import Dust3r, Dust3rConfig
from models.dust3r.pairs import predict_pairs

SMALL = Dust3rConfig(
    enc_embed_dim=384, enc_depth=12, enc_num_heads=6, dec_embed_dim=256, dec_depth=10, dec_num_heads=4, head_type="dpt"
)

Measurement = dict[str, Any]


def main(
    frames: Annotated[int, typer.Option(help="frames of the clip")] = 8,
    width: Annotated[int, typer.Option(help="pixels, a multiple of 16")] = 512,
    height: Annotated[int, typer.Option(help="pixels, a multiple of 16")] = 384,
    window: Annotated[int, typer.Option(help="next frames each frame is paired with, both ways")] = 3,
    small: Annotated[bool, typer.Option(help="a network a fortieth of ViT-Large's size")] = False,
    device: Annotated[str, typer.Option(help="torch device")] = "cpu",
    threads: Annotated[int, typer.Option(help="CPU threads")] = 1,
    output: Annotated[Path, typer.Option(help="JSON file of the results")] = Path(".bench/dust3r.json"),
) -> None:
    """Measure in one run and print ratios."""
    torch.set_num_threads(threads)
    network = Dust3r(SMALL if small else Dust3rConfig()).eval().requires_grad_(requires_grad=False)
    name_made.fill(network)
    network.to(device)
    images = torch.from_numpy(np.stack([name_made.image(f"frame {n}", height, width) for n in range(frames)]))
    edges = sliding_window(frames, window)
    measured: Measurement = {
        "clip": {"frames": frames, "size": [width, height], "directed_pairs": len(edges), "threads": threads},
        "whole_clip": compare_clip(network, images, edges),
        "parts": measure_parts(network, images),
    }
    if network.device.type == "cuda":
        measured["gpu"] = measure_gpu(network, images, edges)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(measured, indent=1))
    typer.echo(json.dumps(measured, indent=1))


def sliding_window(frames: int, window: int) -> NDArray[np.int64]:
    """Directed pairs (E, 2) of each frame with the next ``window`` ones, not cyclic."""
    forward = [(n, n + step) for n in range(frames) for step in range(1, window + 1) if n + step < frames]
    return np.array([pair for a, b in forward for pair in ((a, b), (b, a))])


def compare_clip(network: Dust3r, images: Tensor, edges: NDArray[np.int64]) -> Measurement:
    """All pairs of a clip: this way, and as upstream does, with the largest difference of the outputs."""
    with tempfile.TemporaryDirectory() as folder:
        once, stored = timed(network, lambda: predict_pairs(network, images, edges, Path(folder), batch_size=1))
        every, difference = timed(network, lambda: _encode_every_time(network, images, edges, stored.points2))
    return {"encode_once_s": once, "encode_every_time_s": every, "faster": every / once, "difference": difference}


def measure_parts(network: Dust3r, images: Tensor) -> Measurement:
    """Seconds of each part of one pair, and what fused attention and preparing views ahead save."""
    with torch.inference_mode():
        encode, tokens = timed(network, lambda: network.encode(images[:1]))
        with sdpa_kernel(SDPBackend.MATH):
            plain_encode, _ = timed(network, lambda: network.encode(images[:1]))
        prepare, view1 = timed(network, lambda: network.prepare(tokens, 1))
        view2 = network.prepare(tokens, 2)
        decode, _ = timed(network, lambda: network.decode_prepared(view1, view2))
        embed, _ = timed(network, lambda: network.decoder_embed(tokens.features))
        head = network.downstream_head1
        branch, _ = timed(network, lambda: head.start(tokens.features, tokens.grid))
    return {
        "encode_s": encode,
        "fused_attention_faster": plain_encode / encode,
        "prepare_one_view_s": prepare,
        "of_that_head_branch_s": branch,
        "of_that_decoder_embed_s": embed,
        "decode_prepared_pair_s": decode,
        "prepared_views_faster": (decode + 2 * prepare) / decode,
    }


def measure_gpu(network: Dust3r, images: Tensor, edges: NDArray[np.int64]) -> Measurement:
    """Pairs a second in float32 and bfloat16 by batch size, and what bfloat16 costs in accuracy."""
    rates: Measurement = {}
    with tempfile.TemporaryDirectory() as folder:
        exact = network(images[:1], images[1:2])[0].points
        for dtype in (torch.float32, torch.bfloat16):
            network.cast_body(dtype)
            for batch in (1, 4, 16, 64):
                run = partial(predict_pairs, network, images, edges, Path(folder), batch)
                run()
                seconds, _ = timed(network, run)
                rates[f"{str(dtype)[6:]} batch {batch}"] = {"pairs_per_s": len(edges) / seconds, "clip_s": seconds}
        rounded = network(images[:1], images[1:2])[0].points
    error = (rounded - exact).norm(dim=-1) / exact.norm(dim=-1)
    return {"rates": rates, "bfloat16_median_relative_error": float(error.median())}


def timed(network: Dust3r, run: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of a call, and what it gave: of the CPU, which other work does not distort, or of the wall for a GPU."""
    on_gpu = network.device.type == "cuda"
    clock = time.perf_counter if on_gpu else time.process_time
    start = clock()
    result = run()
    if on_gpu:
        torch.cuda.synchronize()
    return clock() - start, result


def _encode_every_time(network: Dust3r, images: Tensor, edges: NDArray[np.int64], ours: NDArray[np.float16]) -> float:
    """Run every pair from its two images; return the largest median relative difference to ``ours``."""
    differences = []
    with torch.inference_mode():
        for row, (first, second) in enumerate(edges):
            _, two = network(images[first : first + 1], images[second : second + 1])
            points = two.points[0].float().cpu()
            missed = (points - torch.from_numpy(ours[row].astype(np.float32))).norm(dim=-1)
            differences.append(float((missed / points.norm(dim=-1)).median()))
    return max(differences)


if __name__ == "__main__":
    typer.run(main)
