"""Seconds and memory of every stage on one rendered room, beside the time that the plan allows.

``python -m pipeline.bench.stages``: a 20-frame clip of 640x480 through all stages, and the rendering rate. Seconds are
wall-clock seconds on an otherwise idle machine; processor seconds beside them tell how busy it was.
"""

import json
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.settings import load_settings
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.video_source import parse_source
from pipeline.stages.base import Workbench
from pipeline.stages.registry import stages
from pipeline.stages.run import run_stage
from pipeline.store.store import Store
from pipeline.tours.settings import TourSettings
from pipeline.tours.tour import Tour

SEED = 11
FRAMES_OF_CLIP = 20
TWENTY_FRAMES = {
    "video": {"tour": {"indoor_shots": 1, "outdoor_shots": 0, "title": False, "shot_seconds": 5.0}},
    "clips": {"frames_per_second": 6.0, "frames_min": FRAMES_OF_CLIP, "frames_max": FRAMES_OF_CLIP},
}
RENDERED_FRAMES = 48
ALLOWED = {"rendering 60 s of tour": 180.0, "reconstruction": 90.0}
"""Seconds on 2 cores that the plan allows."""


@dataclass(frozen=True)
class StageTime:
    """Seconds of one stage, wall-clock and processor (children included), and the share of what is allowed."""

    name: str
    seconds: float
    cpu_seconds: float
    allowed: float | None

    @property
    def share(self) -> float | None:
        """Seconds as a share of those allowed."""
        return self.seconds / self.allowed if self.allowed else None


def benchmark() -> list[StageTime]:
    """Measure the rendering rate, then every stage on one clip."""
    return [rendering_minute(), *clip_stages()]


def rendering_minute() -> StageTime:
    """Return the time that a minute of tour takes, from ``RENDERED_FRAMES`` frames and the house's own set-up."""
    settings = TourSettings(indoor_shots=1, outdoor_shots=0, title=False, shot_seconds=RENDERED_FRAMES / 12)
    with tempfile.TemporaryDirectory() as folder, _timed() as set_up:
        tour = Tour.from_seed(SEED, settings)
        tour.picture(0)
    with tempfile.TemporaryDirectory() as folder, _timed() as filming:
        tour.write_video(Path(folder) / "tour.mp4")
    minute = 60 * tour.fps / tour.frame_count
    wall, cpu = (first + second * minute for first, second in zip(set_up, filming, strict=True))
    return StageTime("rendering 60 s of tour", wall, cpu, ALLOWED["rendering 60 s of tour"])


def clip_stages() -> list[StageTime]:
    """Return the time of every stage on one clip of ``FRAMES_OF_CLIP`` frames."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(folder)
        catalog = Catalog(store)
        (video_id,) = catalog.add([parse_source(f"tour://{SEED}")])
        workbench = Workbench(store.video(video_id), catalog, load_settings(overrides=TWENTY_FRAMES))
        return [_time_stage(name, workbench) for name in stages()]


def peak_gib() -> float:
    """Return the largest memory that this process or one of its children held, GiB."""
    own, children = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return max(own, children) / 2**20


def table(times: list[StageTime]) -> str:
    """Return the times as a Markdown table."""
    lines = ["| stage | seconds | CPU seconds | allowed | share |", "|---|---|---|---|---|"]
    for row in times:
        allowed = f"{row.allowed:.0f}" if row.allowed else ""
        share = f"{row.share:.2f}" if row.share is not None else ""
        lines.append(f"| {row.name} | {row.seconds:.1f} | {row.cpu_seconds:.1f} | {allowed} | {share} |")
    return "\n".join([*lines, "", f"peak memory of one process: {peak_gib():.2f} GiB"])


def as_json(times: list[StageTime]) -> str:
    """Return the times and the peak memory as JSON."""
    return json.dumps({"times": [asdict(row) for row in times], "peak_gib": peak_gib()}, indent=1)


def _time_stage(name: str, workbench: Workbench) -> StageTime:
    with _timed() as spent:
        run_stage(name, workbench)
    return StageTime(name, spent[0], spent[1], ALLOWED.get(name))


@contextmanager
def _timed() -> Iterator[list[float]]:
    spent: list[float] = []
    wall, cpu = time.perf_counter(), _cpu_seconds()
    yield spent
    spent += [time.perf_counter() - wall, _cpu_seconds() - cpu]


def _cpu_seconds() -> float:
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system
