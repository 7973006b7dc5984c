"""Benchmark of DUSt3R over a clip: each image encoded once, against both images encoded for every pair.

``python -m models.bench.dust3r --help``. Weights are synthetic, seeded by their names, so no checkpoint is needed.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, TypeVar

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from models import name_seeded
from models.bench.dust3r_gpu import measure_gpu
from models.dust3r import Dust3r, Dust3rConfig, PointMap
from models.dust3r.pairs import decode_pairs, encode_each

SMALL = Dust3rConfig(
    enc_embed_dim=384, enc_depth=12, enc_num_heads=6, dec_embed_dim=256, dec_depth=10, dec_num_heads=4, head_type="dpt"
)
T = TypeVar("T")


@dataclass
class ClipSeconds:
    """Seconds of one clip; those of the baselines are of the pairs that were run, the others do the same work.

    every_time: both images encoded for every pair, as upstream goes about it; plain: with attention that is not
    fused, as upstream's is. difference: largest relative difference of points and of confidences to the baselines'.
    """

    directed_pairs: int
    encode: float = 0.0
    decode: float = 0.0
    every_time: list[float] = field(default_factory=list)
    every_time_plain: list[float] = field(default_factory=list)
    difference: float = 0.0

    def report(self) -> dict[str, Any]:
        """Return totals and ratios."""
        ours = self.encode + self.decode
        totals = {
            name: float(np.mean(seconds)) * self.directed_pairs
            for name, seconds in (("every_time", self.every_time), ("every_time_plain", self.every_time_plain))
        }
        return {
            **asdict(self),
            "encode_once_s": ours,
            "every_time_s": totals["every_time"],
            "every_time_plain_s": totals["every_time_plain"],
            "faster_than_every_time": totals["every_time"] / ours,
            "faster_than_upstreams_way": totals["every_time_plain"] / ours,
        }


def main(
    frames: Annotated[int, typer.Option(help="frames of the clip")] = 8,
    width: Annotated[int, typer.Option(help="pixels, a multiple of 16")] = 512,
    height: Annotated[int, typer.Option(help="pixels, a multiple of 16")] = 384,
    window: Annotated[int, typer.Option(help="next frames each frame is paired with, both ways")] = 3,
    baseline_pairs: Annotated[int, typer.Option(help="pairs run each other way; all do the same work")] = 6,
    small: Annotated[bool, typer.Option(help="a network a seventh of ViT-Large's size")] = False,
    device: Annotated[str, typer.Option(help="torch device")] = "cpu",
    threads: Annotated[int, typer.Option(help="CPU threads")] = 1,
    output: Annotated[Path, typer.Option(help="JSON file of the results")] = Path(".bench/dust3r.json"),
) -> None:
    """Measure in one run and print ratios."""
    torch.set_num_threads(threads)
    network = name_seeded_network(SMALL if small else Dust3rConfig()).to(device)
    images = name_seeded_images(frames, height, width)
    edges = cyclic_window(frames, window)
    with torch.inference_mode():
        parts = measure_parts(network, images)
        clip = compare_clip(network, images, edges, baseline_pairs)
    measured = {
        "clip": {"frames": frames, "size": [width, height], "window": window, "threads": threads, "device": device},
        "parts": parts,
        "whole_clip": clip.report(),
        "gpu": measure_gpu(network, images, edges) if network.device.type == "cuda" else "no GPU",
    }
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(measured, indent=1))
    typer.echo(json.dumps(measured, indent=1))


def name_seeded_network(config: Dust3rConfig) -> Dust3r:
    """Make a network with weights that are functions of their names, ready for inference."""
    network = Dust3r(config).eval().requires_grad_(requires_grad=False)
    name_seeded.fill(network)
    return network


def name_seeded_images(frames: int, height: int, width: int) -> Tensor:
    """Stack name-seeded images (frames, 3, height, width)."""
    return torch.from_numpy(np.stack([name_seeded.image(f"frame {n}", height, width) for n in range(frames)]))


def cyclic_window(frames: int, window: int) -> NDArray[np.int64]:
    """Directed pairs (E, 2) of upstream's ``swin``: each frame with the next ``window`` ones, cyclic, both ways."""
    forward = [(n, (n + step) % frames) for n in range(frames) for step in range(1, window + 1)]
    return np.array([pair for a, b in forward for pair in ((a, b), (b, a))])


def compare_clip(network: Dust3r, images: Tensor, edges: NDArray[np.int64], baseline_pairs: int) -> ClipSeconds:
    """Run all pairs of a clip, and some of them the other ways in between, so that all meet the same neighbours."""
    seconds = ClipSeconds(len(edges))
    with timed(network) as spent:
        tokens, _ = encode_each(network, images, batch_size=1)
    seconds.encode = spent()
    every = max(1, len(edges) // baseline_pairs)
    decoded = iter(decode_pairs(network, tokens, edges, batch_size=1))
    for row, (first, second) in enumerate(track(edges.tolist(), "pairs")):
        with timed(network) as spent:
            _, ours, _ = next(decoded)
        seconds.decode += spent()
        if row % every:
            continue
        pair = images[first : first + 1], images[second : second + 1]
        for attention, times in (
            (nullcontext(), seconds.every_time),
            (sdpa_kernel(SDPBackend.MATH), seconds.every_time_plain),
        ):
            with attention, timed(network) as spent:
                theirs = network(*pair)
            times.append(spent())
            seconds.difference = max(seconds.difference, *map(difference, ours, theirs))
    return seconds


def difference(ours: PointMap, theirs: PointMap) -> float:
    """Largest relative difference of points and of confidences."""
    points = (ours.points - theirs.points).norm(dim=-1) / theirs.points.norm(dim=-1)
    return float(torch.maximum(points, (ours.confidence / theirs.confidence - 1).abs()).max())


def measure_parts(network: Dust3r, images: Tensor) -> dict[str, float]:
    """Seconds of each part of one pair, and what fused attention and each thing prepared once for an image save."""

    def seconds(run: Callable[[], T]) -> tuple[float, T]:
        with timed(network) as spent:
            result = run()
        return spent(), result

    encode, tokens = seconds(lambda: network.encode(images[:1]))
    with sdpa_kernel(SDPBackend.MATH):
        plain_encode, _ = seconds(lambda: network.encode(images[:1]))
    prepare, view1 = seconds(lambda: network.prepare(tokens, 1))
    view2 = network.prepare(tokens, 2)
    decode, _ = seconds(lambda: network.decode_prepared(view1, view2))
    with sdpa_kernel(SDPBackend.MATH):
        plain_decode, _ = seconds(lambda: network.decode_prepared(view1, view2))
    embed, _ = seconds(lambda: network.decoder_embed(tokens.features))
    branch, _ = seconds(lambda: network.downstream_head1.start(tokens.features, tokens.grid))
    return {
        "encode_s": encode,
        "prepare_one_view_s": prepare,
        "decode_prepared_pair_s": decode,
        "fused_attention_makes_encoding_faster": plain_encode / encode,
        "fused_attention_makes_decoding_faster": plain_decode / decode,
        "cached_head_branches_make_decoding_faster": (decode + 2 * branch) / decode,
        "cached_decoder_embed_makes_decoding_faster": (decode + 2 * embed) / decode,
        "all_cached_makes_decoding_faster": (decode + 2 * prepare) / decode,
    }


@contextmanager
def timed(network: Dust3r) -> Iterator[Callable[[], float]]:
    """Measure a block: CPU seconds, which other work does not distort much, or seconds of the wall for a GPU."""
    on_gpu = network.device.type == "cuda"
    clock = time.perf_counter if on_gpu else time.process_time
    ended: list[float] = []
    start = clock()
    yield lambda: ended[0] - start
    if on_gpu:
        torch.cuda.synchronize()
    ended.append(clock())


if __name__ == "__main__":
    typer.run(main)
