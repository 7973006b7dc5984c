"""Benchmark of backend ``dust3r`` on one long clip: peak memory on a CPU, time end to end on a GPU.

``python -m pipeline.bench.clip --help``. Weights are name-seeded, so no checkpoint is needed; what such a
network says of a pair is no geometry, so exact pointmaps of an analytic room take the place of its answers.
"""

import json
import tempfile
import time
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, cast

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from torch import Tensor

from models import name_seeded
from models.bench.dust3r import SMALL
from models.bench.memory import peak_bytes
from models.dust3r import Dust3r, Dust3rConfig, PointMap, PreparedView, Tokens
from models.dust3r.pairs import predict_pairs
from models.dust3r.preprocess import plan_crop
from pipeline.bench.alignment import camera, room_points
from pipeline.stages.reconstruction.dust3r.alignment.align import align
from pipeline.stages.reconstruction.dust3r.alignment.graph import video_pairs
from pipeline.stages.reconstruction.dust3r.alignment.records import PairPredictions
from pipeline.stages.reconstruction.dust3r.alignment.settings import AlignmentSettings
from pipeline.stages.reconstruction.dust3r.backend import to_reconstruction

SIZE = (384, 512)
"""Height and width that the network sees of 640x480 frames, pixels."""
NOISE = 0.02
"""Metres, of every pointmap, in a room of 6 m."""


class RoomNetwork(Dust3r):
    """A network that runs in full, but whose answers are those of a room; of a long clip only every so many runs.

    edges: the pairs in the order in which they are decoded. Images that are not run get copies of the first one's
    tokens, pairs that are not run cost nothing.
    """

    def __init__(self, config: Dust3rConfig, edges: NDArray[np.int64], frames: int, every: int) -> None:
        super().__init__(config)
        self.edges, self.every = edges, every
        self.cameras = np.stack([camera(n / max(1, frames - 1)) for n in range(frames)])
        noise = NOISE * torch.randn(7, *SIZE, 3, generator=torch.Generator().manual_seed(0))
        self.register_buffer("noise", noise, persistent=False)
        self.seen = lru_cache(maxsize=16)(self._see)
        self.encoded, self.decoded, self.images_run, self.pairs_run = 0, 0, 0, 0
        self.first: Tokens | None = None

    def encode(self, images: Tensor) -> Tokens:
        """Encode, or copy the first image's tokens."""
        run = self.first is None or self.encoded % self.every == 0
        self.encoded += len(images)
        if run or self.first is None:
            self.images_run += len(images)
            tokens = super().encode(images)
            self.first = self.first or tokens[:1]
            return tokens
        return Tokens(self.first.features.repeat(len(images), 1, 1), self.first.grid)

    def decode_prepared(self, view1: PreparedView, view2: PreparedView) -> tuple[PointMap, PointMap]:
        """Decode, or not, and answer with the room."""
        if self.decoded % self.every == 0:
            self.pairs_run += len(view1.embedded)
            super().decode_prepared(view1, view2)
        rows = self.edges[self.decoded : self.decoded + len(view1.embedded)]
        self.decoded += len(rows)
        return self._room(rows, 0), self._room(rows, 1)

    def _room(self, rows: NDArray[np.int64], side: int) -> PointMap:
        frame = torch.from_numpy(np.linalg.inv(self.cameras[rows[:, 0]])).float().to(self.device)
        seen = torch.stack([self.seen(int(image)) for image in rows[:, side]])
        points = (seen.flatten(1, 2) @ frame[:, :3, :3].mT + frame[:, None, :3, 3]).view(seen.shape)
        kinds = (3 * rows[:, 0] + 2 * rows[:, 1] + side) % 7
        points += cast(Tensor, self.noise)[torch.from_numpy(kinds).to(self.device)]
        return PointMap(points, torch.full(points.shape[:3], 5.0, device=self.device))

    def _see(self, image: int) -> Tensor:
        return torch.from_numpy(room_points(self.cameras[image], *SIZE)).float().to(self.device)


def main(
    frames: Annotated[int, typer.Option(help="frames of the clip")] = 100,
    window: Annotated[int, typer.Option(help="next frames each frame is paired with, both ways")] = 3,
    every: Annotated[int, typer.Option(help="of so many images and pairs one is run; 1 = all")] = 50,
    small: Annotated[bool, typer.Option(help="a network a seventh of ViT-Large's size")] = False,
    device: Annotated[str | None, typer.Option(help="torch device; none = the GPU if there is one")] = None,
    threads: Annotated[int, typer.Option(help="CPU threads")] = 1,
    output: Annotated[Path, typer.Option(help="JSON file of the results")] = Path(".bench/clip.json"),
) -> None:
    """Reconstruct a clip of 640x480 frames in this process and print its peak memory."""
    torch.set_num_threads(threads)
    place = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    edges = video_pairs(frames, window, strides=(), complete_up_to=2)
    network = RoomNetwork(SMALL if small else Dust3rConfig(), edges, frames, every)
    network.eval().requires_grad_(requires_grad=False)
    name_seeded.fill(network)
    network.to(place)
    if place.type == "cuda":
        network.cast_body(torch.bfloat16)
    measured = {"gpu": torch.cuda.get_device_name() if place.type == "cuda" else "no GPU", "network": _size(network)}
    output.parent.mkdir(parents=True, exist_ok=True)
    measured |= reconstruct(network, edges, frames, output.parent)
    output.write_text(json.dumps(measured, indent=1))
    typer.echo(json.dumps(measured, indent=1))


def reconstruct(network: RoomNetwork, edges: NDArray[np.int64], frames: int, folder: Path) -> dict[str, Any]:
    """Run pairs, alignment and dense depth as the backend does; seconds of the wall, memory in GB (10^9 bytes)."""
    crop = plan_crop(640, 480, 512)
    image = torch.from_numpy(name_seeded.image("frame", *SIZE))
    started, loaded = time.perf_counter(), peak_bytes() / 1e9
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        maps = predict_pairs(network, image.expand(frames, -1, -1, -1), edges, Path(scratch))
        predicted, after_pairs = time.perf_counter(), peak_bytes() / 1e9
        pairs = PairPredictions(frames, edges, maps.points1, maps.points2, maps.confidence1, maps.confidence2)
        result = align(pairs, AlignmentSettings())
        found = to_reconstruction(result, crop, np.ones(frames, np.bool_), ())
        stored = sum(path.stat().st_size for path in Path(scratch).iterdir())
    ended = time.perf_counter()
    return {
        "clip": {"frames": frames, "size": list(crop.size), "directed_pairs": len(edges)},
        "run_for_real": {"images": network.images_run, "pairs": network.pairs_run},
        "aligned": int(found.registered.sum()),
        "pairs_on_disk_gb": stored / 1e9,
        "peak_memory_gb": {"network_loaded": loaded, "pairs_predicted": after_pairs, "in_all": peak_bytes() / 1e9},
        "seconds": {"pairs": predicted - started, "alignment": ended - predicted},
        "clips_per_minute": 60 / (ended - started),
    }


def _size(network: Dust3r) -> str:
    count = sum(parameter.numel() for parameter in network.parameters())
    return f"{count / 1e6:.0f} million parameters, {network.decoder_embed.weight.dtype}"


if __name__ == "__main__":
    typer.run(main)
