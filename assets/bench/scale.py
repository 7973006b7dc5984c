"""What very many videos cost beside their stages: real catalog, index and Dagster over a made-up dataset.

Run with ``python -m assets.bench.scale``; prints JSON. Every figure is of a process of its own.
"""

import json
import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import dagster as dg
import typer

from assets.dataset.blocks import BLOCKS_NAME, block_of
from assets.pools import local
from assets.resources import PARTITION_TAG, PipelineResource
from models.bench.memory import peak_bytes
from pipeline.bench.refresh import catalog_row, change, made_up_store, refresh
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.duplicates.claims import first_with
from pipeline.store.store import Store
from training.data.frame_rows import frames_with_depth

VIDEOS = 1_000_000
FRAMES = 8
ROWS_MARKED = 100
SHEETS_CLAIMED = 10
"""Of claims, each of which is made from the catalog by the first video that asks for it."""

AT_ONCE = 1000
SOURCES = "profile: classic\nsources:\n  - {search: house tour, limit: 10}\n"
STUB = (sys.executable, "-W", "ignore", "-m", "assets.bench.stub_worker")


def main(videos: int = VIDEOS, blocks: int = 2) -> None:
    """Measure what is done for all videos, and some blocks of them built with stages that are stubs."""
    with tempfile.TemporaryDirectory() as folder:
        store = made_up_store(Path(folder) / "data", videos, FRAMES)
        figures = {
            "1,000 videos registered": _measured(register, folder),
            "a video marked as built": _measured(mark, folder),
            "the first to bring a file": _measured(claim, folder),
            "the first 1,000 that are missing": _measured(missing, folder),
            "frames of the train split": _measured(frames, folder),
        }
        change(store, videos // 2, FRAMES)
        figures["a refresh of which one video changed"] = refresh(Path(folder) / "data")
        for block in range(blocks):
            figures[f"block {block} of 1,000 stub videos"] = _measured(build_block, folder, block)
        typer.echo(json.dumps(figures, indent=1))


def _measured(work: Callable[..., dict[str, float]], *arguments: Any) -> dict[str, float]:
    with multiprocessing.get_context("spawn").Pool(1) as process:
        return process.apply(_timed, (work, *arguments))


def _timed(work: Callable[..., dict[str, float]], *arguments: Any) -> dict[str, float]:
    import_module("assets")  # loading the code is not what is measured; its memory is
    before, started, worked = peak_bytes() / 1e6, time.perf_counter(), _cpu_seconds()
    return {
        **work(*arguments),
        "seconds": time.perf_counter() - started,
        "cpu_seconds": _cpu_seconds() - worked,
        "megabytes_before": before,
        "megabytes_peak": peak_bytes() / 1e6,
    }


def _cpu_seconds() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def register(folder: str) -> dict[str, float]:
    """Register new videos."""
    rows = [catalog_row(n, f"w{n:010x}") for n in range(AT_ONCE)]
    return {"videos": len(Catalog(_store(folder)).register(rows))}


def mark(folder: str) -> dict[str, float]:
    """Mark videos as built, one after the other."""
    catalog = Catalog(_store(folder))
    ids = catalog.video_ids()
    for video_id in ids[:: max(len(ids) // ROWS_MARKED, 1)][:ROWS_MARKED]:
        catalog.mark_built(video_id, "2" * 16)
    return {"videos": ROWS_MARKED}


def claim(folder: str) -> dict[str, float]:
    """Ask for videos, one after the other, whether another one brought the same file."""
    catalog = Catalog(_store(folder))
    ids = catalog.video_ids()
    for number, video_id in enumerate(ids[:: max(len(ids) // ROWS_MARKED, 1)][:ROWS_MARKED]):
        first_with(catalog, video_id, f"{number % SHEETS_CLAIMED:03x}{number:061x}")
    return {"videos": ROWS_MARKED}


def missing(folder: str) -> dict[str, float]:
    """Ask which videos are missing, with settings that nothing was made with."""
    asked = _pipeline(folder).missing()
    return {"videos": sum(1 for _, _ in zip(asked, range(AT_ONCE), strict=False))}


def frames(folder: str) -> dict[str, float]:
    """Open the frames of the train split, as a training does."""
    return {"frames": len(frames_with_depth(_store(folder), "train", 1)[0])}


def build_block(folder: str, number: int) -> dict[str, float]:
    """Build one block by a run of Dagster whose workers are stubs."""
    from assets import definitions

    began = time.process_time()
    local.WORKER = STUB
    home = Path(folder) / "home"
    home.mkdir(exist_ok=True)
    shutil.copy(Path(__file__).parents[2] / "dagster_home" / "dagster.yaml", home)
    os.environ["DAGSTER_HOME"] = str(home)
    block = block_of(number * AT_ONCE, AT_ONCE)
    with dg.DagsterInstance.get() as instance:
        instance.add_dynamic_partitions(BLOCKS_NAME, [block])
        result = definitions.resolve_job_def("build_block").execute_in_process(
            {"resources": {"pipeline": {"config": _config(folder)}}}, instance, tags={PARTITION_TAG: block}
        )
        (event,) = result.asset_materializations_for_node("video_block")
        built = int(str(event.metadata["built"].value))
        records = len(instance.all_logs(result.run_id))
    kept = sum(file.stat().st_size for file in home.rglob("*.db"))
    return {
        "built": built,
        "records": records,
        "dagster_bytes": kept,
        "driver_cpu_seconds": time.process_time() - began,
    }


def _config(folder: str) -> dict[str, str]:
    sources = Path(folder) / "sources.yaml"
    sources.write_text(SOURCES, encoding="utf-8")
    return {"data": str(Path(folder) / "data"), "sources": str(sources), "profile": "classic"}


def _pipeline(folder: str) -> PipelineResource:
    return PipelineResource.model_validate(_config(folder))


def _store(folder: str) -> Store:
    return Store(Path(folder) / "data")


if __name__ == "__main__":
    typer.run(main)
