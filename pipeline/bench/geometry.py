"""Benchmark of the ways to find cameras and depth of one clip: processor seconds, memory and operations of each.

``python -m pipeline.bench.geometry --help``. Networks have name-seeded weights, so no checkpoint is needed, and their
answers are no geometry: exact pointmaps of a room take the place of DUSt3R's, so that alignment works as it would.
Every way is measured in a process of its own, on one thread. With ``--device cuda`` the networks of Depth Anything 3
and MoGe-2 are run on the card, in the precision that the pipeline takes there; DUSt3R's is measured there by
``python -m models.bench.dust3r``.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from time import perf_counter, process_time
from typing import Annotated, NamedTuple

import numpy as np
import torch
import typer
from torch import Tensor

from models import name_seeded
from models.bench.dust3r_gpu import matrix_rate
from models.bench.memory import peak_bytes
from models.da3 import Da3
from models.da3.config import Da3Config
from models.da3.name_seeded import name_seeded_da3
from models.device import device_of, in_bfloat16
from models.dust3r import Dust3rConfig, PointMap, PreparedView, Tokens
from models.dust3r.pairs import predict_pairs
from models.dust3r.preprocess import plan_crop
from models.moge.config import MogeConfig
from models.moge.name_seeded import name_seeded_moge
from pipeline.bench.clip import SIZE, RoomNetwork
from pipeline.bench.clip_cost import CPU, ClipCost, device_table, table
from pipeline.bench.operations import DA3_SMALL, MOGE_SMALL, da3_gflop, dust3r_gflop, edges_of, moge_gflop
from pipeline.contract.arrays import Images
from pipeline.stages.reconstruction.da3.backend import to_reconstruction
from pipeline.stages.reconstruction.da3.predict import predict
from pipeline.stages.reconstruction.dust3r.alignment.align import align
from pipeline.stages.reconstruction.dust3r.alignment.records import PairPredictions
from pipeline.stages.reconstruction.dust3r.alignment.settings import AlignmentSettings
from pipeline.stages.reconstruction.dust3r.backend import to_reconstruction as of_pairs
from pipeline.tours.tour import Tour

PAIRS_RUN = 6
"""Pairs that run through DUSt3R at least; every pair does the same work, and so those of the others are computed."""


class TimedRoom(RoomNetwork):
    """The network that answers with a room, and the processor seconds of its own work, of pictures and pairs it ran."""

    def __init__(self, config: Dust3rConfig, frames: int, every: int) -> None:
        super().__init__(config, edges_of(frames), frames, every)
        self.image_s, self.prepared_s, self.pair_s = 0.0, 0.0, 0.0

    def encode(self, images: Tensor) -> Tokens:
        """Encode, and note the seconds where it is run."""
        before, started = self.images_run, process_time()
        tokens = super().encode(images)
        self.image_s += (process_time() - started) * (self.images_run > before)
        return tokens

    def prepare(self, tokens: Tokens, side: int) -> PreparedView:
        """Prepare a picture for one side of its pairs, which is run for all of them."""
        started = process_time()
        view = super().prepare(tokens, side)
        self.prepared_s += process_time() - started
        return view

    def decode_prepared(self, view1: PreparedView, view2: PreparedView) -> tuple[PointMap, PointMap]:
        """Decode, and note as ``encode`` does."""
        before, started = self.pairs_run, process_time()
        maps = super().decode_prepared(view1, view2)
        self.pair_s += (process_time() - started) * (self.pairs_run > before)
        return maps


def dust3r(frames: int, config: Dust3rConfig | None = None) -> ClipCost:
    """DUSt3R ViT-L with alignment of all of its pairs, of which six are run."""
    edges, config = edges_of(frames), config or Dust3rConfig()
    network = TimedRoom(config, frames, max(len(edges) // PAIRS_RUN, 1))
    network.eval().requires_grad_(requires_grad=False)
    name_seeded.fill(network)
    image = torch.from_numpy(name_seeded.image("frame", *SIZE))
    with tempfile.TemporaryDirectory() as scratch:
        maps = predict_pairs(network, image.expand(frames, -1, -1, -1), edges, Path(scratch))
        pairs = PairPredictions(frames, edges, maps.points1, maps.points2, maps.confidence1, maps.confidence2)
        started = process_time()
        of_pairs(align(pairs, AlignmentSettings()), plan_crop(640, 480, max(SIZE)), np.ones(frames, np.bool_), ())
        aligning = process_time() - started
    seconds = network.image_s / network.images_run * frames + network.pair_s / network.pairs_run * len(edges)
    seconds += network.prepared_s + aligning
    run = f"{network.images_run} of {frames} pictures and {network.pairs_run} of {len(edges)} pairs run"
    said = f"{run}; alignment {aligning:.1f} s"
    return ClipCost("dust3r", frames, seconds, dust3r_gflop(frames, config), memory(), said, computed=True)


def da3(name: str, frames: int, config: Da3Config, size: int = 504, device: str = CPU) -> ClipCost:
    """Depth Anything 3 over all frames at once, without rays, joined to a reconstruction."""
    place, rgb = device_of(device), made_up(frames)
    network = name_seeded_da3(Da3, config).to(place)
    is_half = in_bfloat16("auto", place)
    network = network.body_in(torch.bfloat16) if is_half else network

    def run() -> None:
        said = predict(network, rgb, np.arange(frames), size, 64, 0.5)
        to_reconstruction(said, np.arange(frames), rgb.shape[:3], 0.1)

    spent = timed(run, place)
    return _cost(name, frames, spent, da3_gflop(frames, config, size), place, is_half=is_half)


def moge(name: str, frames: int, config: MogeConfig, device: str = CPU) -> ClipCost:
    """MoGe-2 at its coarsest, which ``colmap_moge`` adds to ``colmap``; one frame is run."""
    place = device_of(device)
    network = name_seeded_moge(config).to(place)
    is_half = in_bfloat16("auto", place)
    network = network.multiply_in(torch.bfloat16) if is_half else network
    picture = torch.from_numpy(made_up(1)).movedim(-1, 1).float() / 255

    def run() -> None:
        with torch.inference_mode():
            network(picture, level=0)

    spent = timed(run, place)
    whole = RunSeconds(frames * spent.cpu_s, frames * spent.seconds)
    cost = _cost(name, frames, whole, moge_gflop(frames, config), place, is_half=is_half)
    return replace(cost, note=f"1 of {frames} frames run", computed=True)


class RunSeconds(NamedTuple):
    """What a run took: processor seconds, and seconds by the clock."""

    cpu_s: float
    seconds: float


def timed(run: Callable[[], None], place: torch.device) -> RunSeconds:
    """Time a run; on a card the second one, until the card is done with it: the first one loads its programs."""
    is_card = place.type == "cuda"
    if is_card:
        run()
        torch.cuda.synchronize(place)
    used, started = process_time(), perf_counter()
    run()
    if is_card:
        torch.cuda.synchronize(place)
    return RunSeconds(process_time() - used, perf_counter() - started)


def _cost(name: str, frames: int, spent: RunSeconds, gflop: float, place: torch.device, *, is_half: bool) -> ClipCost:
    if place.type != "cuda":
        return ClipCost(name, frames, spent.cpu_s, gflop, memory(), device=str(place), seconds=spent.seconds)
    peak = torch.cuda.max_memory_allocated(place) / 1e9
    rate = matrix_rate(place, torch.bfloat16 if is_half else torch.float32)
    share = 1e9 * gflop / spent.seconds / rate
    return ClipCost(name, frames, spent.cpu_s, gflop, peak, device=str(place), seconds=spent.seconds, share=share)


def colmap(frames: int) -> ClipCost:
    """Structure from motion and plane sweep on frames of a rendered tour."""
    from pipeline.stages.reconstruction.colmap.backend import ColmapReconstructor
    from pipeline.stages.reconstruction.colmap.settings import ColmapSettings

    rgb = toured(frames)
    before = _both_seconds()
    with tempfile.TemporaryDirectory() as scratch:
        found = ColmapReconstructor(ColmapSettings(threads=1)).reconstruct(rgb, Path(scratch))
    said = f"{int(found.registered.sum())} frames placed"
    return ClipCost("colmap", frames, _both_seconds() - before, 0.0, memory(), said)


def toured(frames: int) -> Images:
    """Return frames (n, 480, 640, 3) of the first indoor shot of a tour, evenly spread."""
    tour = Tour.from_seed(2)
    shot = next(shot for shot in tour.shots if shot.kind == "indoor")
    numbers = np.linspace(shot.start_frame, shot.end_frame - 1, frames).astype(int)
    return np.stack([tour.picture(int(number)) for number in numbers])


def made_up(frames: int) -> Images:
    """Return frames (n, 480, 640, 3) of noise; what networks cost does not depend on what they see."""
    return np.random.default_rng(0).integers(0, 256, (frames, 480, 640, 3), np.uint8)


def memory() -> float:
    """Return the peak of resident memory of this process, or of the largest of its children, 10^9 bytes."""
    return max(peak_bytes(), 1024 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1e9


def _both_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


NETWORKS: dict[str, Callable[[int, str], ClipCost]] = {
    "da3_small": lambda frames, device: da3("da3_small", frames, DA3_SMALL, device=device),
    "da3_base": lambda frames, device: da3("da3_base", frames, Da3Config(), device=device),
    "moge_s": lambda frames, device: moge("moge_s", frames, MOGE_SMALL, device),
    "moge_b": lambda frames, device: moge("moge_b", frames, MogeConfig(), device),
}
"""Ways that are a network alone, on any device."""

ON_CPU: dict[str, Callable[[int], ClipCost]] = {"colmap": colmap, "dust3r": dust3r}


def main(
    frames: Annotated[list[int] | None, typer.Option(help="frames of the clips; 8 where nothing is said")] = None,
    way: Annotated[
        list[str] | None, typer.Option(help=f"which of {', '.join((*NETWORKS, *ON_CPU))}; none = all")
    ] = None,
    device: Annotated[str, typer.Option(help="torch device of Depth Anything 3 and MoGe-2, as cuda")] = CPU,
    one: Annotated[bool, typer.Option(help="measure one way on one clip in this process, and print JSON")] = False,
    output: Annotated[Path, typer.Option(help="JSON file of the results")] = Path(".bench/geometry.json"),
) -> None:
    """Measure ways of reconstruction one after another and print a table."""
    chosen, counts = way or [*NETWORKS, *(ON_CPU if device == CPU else ())], frames or [8]
    if device != CPU and not set(chosen) <= set(NETWORKS):
        raise typer.BadParameter(f"on {device} these can be measured: {', '.join(NETWORKS)}")
    if one:
        torch.set_num_threads(1)
        name, count = chosen[0], counts[0]
        cost = NETWORKS[name](count, device) if name in NETWORKS else ON_CPU[name](count)
        typer.echo(json.dumps(asdict(cost)))
        return
    rows, missing = _measured([(name, count) for count in counts for name in chosen], device, output)
    typer.echo(table(rows) if device == CPU else device_table(rows))
    for line in missing:
        typer.echo(f"**Not measured**: {line}")
    if missing:
        raise typer.Exit(1)


def _measured(asked: list[tuple[str, int]], device: str, output: Path) -> tuple[list[ClipCost], list[str]]:
    """Measure ways on clips of so many frames; what ends without a result is named, and the others go on."""
    rows: list[ClipCost] = []
    missing: list[str] = []
    output.parent.mkdir(parents=True, exist_ok=True)
    for name, count in asked:
        try:
            rows.append(_in_own_process(name, count, device))
        except subprocess.CalledProcessError as error:
            missing.append(f"{name} with {count} frames, whose process ended with status {error.returncode}")
        output.write_text(json.dumps([asdict(row) for row in rows], indent=1), encoding="utf-8")
    return rows, missing


def _in_own_process(name: str, frames: int, device: str) -> ClipCost:
    asked = ["--one", "--way", name, "--frames", str(frames), "--device", device]
    command = [sys.executable, "-m", "pipeline.bench.geometry", *asked]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)  # noqa: S603 - ours
    return ClipCost(**json.loads(done.stdout.strip().splitlines()[-1]))


if __name__ == "__main__":
    typer.run(main)
