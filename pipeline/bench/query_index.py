"""How long the index of regions takes to follow a dataset of very many videos, how much memory and how many bytes.

The videos are made up and share their files by links, but for what names them. Run with
``python -m pipeline.bench.query_index``; prints JSON. Every figure is of a process of its own.
"""

import json
import multiprocessing
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import typer

from models.bench.memory import peak_bytes
from pipeline.bench.made_up import finish_made_up
from pipeline.dataset.known import know, write_known
from pipeline.dataset.selection import EVERYTHING
from pipeline.language.index import FOLDER, open_index
from pipeline.language.text import text_side_of
from pipeline.settings import FilterSettings
from pipeline.stages.registry import stages
from pipeline.store.changes import changes_of
from pipeline.store.groups import SOURCE_NOTES
from pipeline.store.outputs import PROVENANCE
from pipeline.store.store import Store
from pipeline.store.video import VIDEOS

VIDEOS_MADE_UP = 100_000
REGIONS = 3
WIDTH = 512
LINKS = 20_000
"""Names that a file gets before it is copied: file systems allow some ten thousand."""


def main(videos: int = VIDEOS_MADE_UP) -> None:
    """Measure the first opening, one where nothing changed, and one where one video did."""
    with tempfile.TemporaryDirectory() as name:
        store = made_up_store(Path(name) / "data", videos, dict(text_side_of("san_small").weights))
        figures = {"first": opened(store), "nothing changed": opened(store)}
        change(store, store.video_ids()[videos // 2], dict(text_side_of("san_small").weights))
        figures["one changed"] = opened(store)
        typer.echo(json.dumps(figures, indent=1))


def made_up_store(folder: Path, videos: int, weights: Mapping[str, str]) -> Store:
    """Make a dataset of made-up videos with regions, as its last refresh knows them."""
    store, ids = Store(folder), sorted(f"v{n * 2654435761 % 2**40:010x}" for n in range(videos))
    change(store, ids[0], weights)
    source, notes = Path(store.path(VIDEOS, ids[0])), store.video(ids[0]).read_json(SOURCE_NOTES)
    for number, video_id in enumerate(ids[1:], 1):
        copy = shutil.copyfile if number % LINKS == 0 else os.link
        other = source.with_name(video_id)
        shutil.copytree(source, other, copy_function=copy, ignore=shutil.ignore_patterns(SOURCE_NOTES))
        notes[PROVENANCE]["upstream"] = video_id
        (other / SOURCE_NOTES).write_text(json.dumps(notes))
        source = other if copy is shutil.copyfile else source
    changes = changes_of(store)
    taken = changes.take()
    known = know(store, changes, FilterSettings(), EVERYTHING, taken)
    write_known(store, changes, known, FilterSettings(), EVERYTHING)
    changes.done(taken)
    return store


def change(store: Store, video_id: str, weights: Mapping[str, str]) -> None:
    """Finish a video as its stages would, with random regions."""
    vectors = np.random.default_rng().standard_normal((REGIONS, WIDTH), np.float32)
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
    arrays = {"semantics": {"region_offset": np.array([0, 1]), "region_embeddings": unit}}
    video = store.video(video_id)
    with video.locked():
        finish_made_up(video, os.urandom(8).hex(), arrays, weights={"semantics": weights})


def opened(store: Store) -> dict[str, float]:
    """Open the index in a process of its own; return seconds, memory in megabytes, and megabytes of files written."""
    folder = store.scratch / FOLDER
    before = _files(folder)
    with multiprocessing.get_context("spawn").Pool(1) as process:
        figures = process.apply(_opened, (str(store.root),))
    written = sum(size for file, size in _files(folder).items() if file not in before)
    return {**figures, "megabytes_written": written / 1e6}


def _opened(folder: str) -> dict[str, float]:
    stages()  # loading the code is not what is measured; its memory is
    text = text_side_of("san_small")
    before, started, worked = peak_bytes() / 1e6, time.perf_counter(), time.process_time()
    index = open_index(Store(folder), text)
    return {
        "regions": len(index),
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - worked,
        "megabytes_before": before,
        "megabytes_peak": peak_bytes() / 1e6,
    }


def _files(folder: Path) -> dict[tuple[str, int], int]:
    """Return the sizes of an index's files by name and inode: a file that was replaced is another one."""
    found = [(path.name, path.stat()) for path in folder.iterdir()] if folder.is_dir() else []
    return {(name, stat.st_ino): stat.st_size for name, stat in found}


if __name__ == "__main__":
    typer.run(main)
