"""How many small views of a house are rendered a second, by each backend: ``python -m pipeline.bench.views``.

Views of 192x144 pixels, depth and labels included, of a house of six rooms without its garden. Seconds are of the
processor on a CPU (one thread), of the wall clock on a GPU.
"""

import json
import time
from dataclasses import asdict, dataclass

import numpy as np
import torch

from pipeline.contract.classes import SemanticClass
from pipeline.tours.light import Lighting
from pipeline.tours.settings import TourSettings
from pipeline.tours.tour import Tour
from pipeline.tours.views import Cameras, LitHouse, ViewRenderer, light_house
from pipeline.tours.views.renderer import RenderBackend

SEED, WIDTH, HEIGHT = 11, 192, 144
VIEWS: dict[tuple[RenderBackend, str], int] = {("open3d", "cpu"): 48, ("torch", "cpu"): 6, ("torch", "cuda"): 480}


@dataclass(frozen=True)
class Rate:
    """Views a second of a backend on a device; triangles of the house; seconds that painting and lighting it took."""

    backend: str
    device: str
    views_per_second: float
    triangles: int
    house_seconds: float


def benchmark() -> list[Rate]:
    """Measure every backend that this machine has a device for."""
    torch.set_num_threads(1)
    tour = Tour.from_seed(SEED, TourSettings(rooms_min=6))
    start = time.process_time()
    things = tuple(item for item in tour.house.things if item.label != SemanticClass.UNKNOWN)
    house = light_house(things, tour.house.rooms, np.random.default_rng(0), Lighting(spacing=0.4, rays=6), 0.02)
    seconds = time.process_time() - start
    here = {pair: count for pair, count in VIEWS.items() if pair[1] == "cpu" or torch.cuda.is_available()}
    return [
        Rate(backend, device, _rate(tour, house, backend, device, count), len(house.mesh.triangles), seconds)
        for (backend, device), count in here.items()
    ]


def table(rates: list[Rate]) -> str:
    """Return the rates as a table in Markdown."""
    rows = [f"| {rate.backend} | {rate.device} | {rate.views_per_second:.3g} |" for rate in rates]
    return "\n".join(["| backend | device | views/s |", "|---|---|---|", *rows])


def _rate(tour: Tour, house: LitHouse, backend: RenderBackend, device: str, count: int) -> float:
    renderer, cameras = ViewRenderer(house, device, backend), _cameras(tour, count)
    renderer.render(cameras.rows(slice(0, 2)))
    clock = time.process_time if device == "cpu" else time.perf_counter
    start = clock()
    renderer.render(cameras).pictures.cpu()
    return count / (clock() - start)


def _cameras(tour: Tour, count: int) -> Cameras:
    walks = [walk for shot, walk in zip(tour.shots, tour.walks, strict=True) if walk and shot.kind == "indoor"]
    poses = np.stack([walks[i % len(walks)].at(walks[i % len(walks)].duration * i / count) for i in range(count)])
    scale = np.array([[WIDTH / tour.width], [HEIGHT / tour.height], [1]], np.float32)
    return Cameras(
        torch.from_numpy(np.stack([tour.intrinsics * scale] * count)), torch.from_numpy(poses), HEIGHT, WIDTH
    )


def as_json(rates: list[Rate]) -> str:
    """Return the rates as JSON."""
    return json.dumps([asdict(rate) for rate in rates], indent=1)


if __name__ == "__main__":
    import sys

    sys.stdout.write(table(benchmark()) + "\n")
