"""How much of N workers reaches the dataset: the pool with its real records, and workers that only wait.

Run with ``python -m assets.bench.throughput``; prints JSON. A worker waits as long as its stages would take and then
leaves what a build leaves, in a thread of this process: what is measured is the pool, not the machine's cores.
"""

import json
import random
import tempfile
import time
from pathlib import Path
from typing import Annotated

import dagster as dg
import numpy as np
import typer

from assets.bench.stub_worker import StubBuilder
from assets.dataset.video_builder import VideoBuilder
from assets.pools.base import Order, Outcome
from assets.pools.pool import WorkerPool
from assets.resources import PipelineResource
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.video_source import read_sources
from pipeline.store.store import Store

SPREAD = 0.2
"""Videos take this share more or less than others, so that workers do not end all at once."""


class WaitingWorker:
    """Builds a video by waiting some ``seconds``; knows for how long it worked, of how long it was there."""

    def __init__(self, seconds: float, seed: int) -> None:
        self._seconds, self._builder, self._drawn = seconds, StubBuilder(), random.Random(seed)
        self._order: Order | None = None
        self._began = self._until = self._first = self._last = self._worked = 0.0

    @property
    def times(self) -> tuple[float, float]:
        """Seconds of work, and seconds from its first order to its last outcome."""
        return self._worked, self._last - self._first

    def ready(self, timeout_s: float) -> bool:  # noqa: ARG002 - the pool's signature
        """Tell that it is ready at once."""
        return True

    def begin(self, order: Order) -> None:
        """Begin to wait."""
        self._order, self._began = order, time.monotonic()
        self._first = self._first or self._began
        self._until = self._began + self._seconds * self._drawn.uniform(1 - SPREAD, 1 + SPREAD)

    def answer(self, timeout_s: float) -> Outcome | None:
        """Return the outcome once the time is over."""
        left = self._until - time.monotonic()
        time.sleep(max(min(left, timeout_s), 0))
        if left > timeout_s or self._order is None:
            return None
        outcome = self._builder.build(self._order)
        self._last = time.monotonic()
        self._worked += self._last - self._began
        return outcome

    def leave(self) -> None:
        """Nothing is left behind."""

    kill = leave


def main(
    workers: Annotated[list[int], typer.Option(help="How many work at once.")] = [1, 2, 8, 32],  # noqa: B006 - typer's
    seconds: Annotated[float, typer.Option(help="What the stages of a video take.")] = 10.0,
    videos: Annotated[int, typer.Option(help="For each worker.")] = 5,
) -> None:
    """Measure the share of N workers' time in which they work."""
    figures = {count: _share(count, seconds, videos) for count in workers}
    typer.echo(json.dumps({"seconds a video": seconds, "videos a worker": videos, "share": figures}, indent=1))


def _share(workers: int, seconds: float, videos: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        sources = " ".join(f"tour://{seed}" for seed in range(1, workers * videos + 1))
        Catalog(Store(Path(folder) / "data")).add(read_sources(sources))
        asked = {"data": str(Path(folder) / "data"), "sources": sources, "profile": "classic"}
        pipeline = PipelineResource.model_validate(asked)
        with dg.DagsterInstance.ephemeral() as instance:
            builder = VideoBuilder(pipeline, instance, "measured")
            hired: list[WaitingWorker] = []

            def hire() -> WaitingWorker:
                hired.append(WaitingWorker(seconds, seed=len(hired)))
                return hired[-1]

            pool = WorkerPool(builder, hire, lambda: workers, workers * videos)
            built = sum(build.built for build in pool.build(pipeline.missing()))
    if built < workers * videos:
        raise RuntimeError(f"{built} of {workers * videos} videos were built")
    worked, there = np.sum([worker.times for worker in hired], axis=0)
    return float(worked / there)


if __name__ == "__main__":
    typer.run(main)
