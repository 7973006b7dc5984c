"""How long the dataset takes to follow one changed video of very many, and how much memory.

The videos are made up, but for the one that changes: folders with nothing in them, and a catalog, an index and what is
known of the videos as a build would have left them. Run with ``python -m pipeline.bench.refresh``; prints JSON.
"""

import json
import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import typer
from numpy.typing import NDArray

from models.bench.memory import peak_bytes
from pipeline.bench.made_up import finish_made_up
from pipeline.contract.records import LeftOut
from pipeline.contract.scale import ScaleSource
from pipeline.dataset.contents import contents_of, write_contents
from pipeline.dataset.index import build_dataset
from pipeline.dataset.index_writer import ROWS_A_FILE
from pipeline.dataset.known import LEFT_OUT_SCHEMA, KnownVideos, finished_rows, write_known
from pipeline.dataset.selection import EVERYTHING
from pipeline.dataset.split import group_of, split_of
from pipeline.settings import DatasetSettings, FilterSettings
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import CatalogRow, VideoState
from pipeline.sources.video_source import VideoSource
from pipeline.stages.registry import stages
from pipeline.store.changes import changes_of
from pipeline.store.index import CLASS_COLUMNS, FILES, INDEX_SCHEMA, IndexFile, IndexFiles
from pipeline.store.indexed import as_indexed
from pipeline.store.store import Store
from pipeline.store.video import VIDEOS

VIDEOS_MADE_UP = 100_000
FRAMES = 40
FRAMES_A_CLIP = 10
UPLOADERS = 2_000
GROUPS = ("frames", "reconstruction", "scene", "semantics", "occupancy")
SETTINGS = DatasetSettings()


def made_up_store(folder: Path, videos: int, frames: int = FRAMES) -> Store:
    """Make a dataset of made-up videos, each left out by one clip and listed in the catalog."""
    store, ids = Store(folder), sorted(f"v{n * 2654435761 % 2**40:010x}" for n in range(videos))
    for video_id in ids:
        Path(store.path(VIDEOS, video_id)).mkdir(parents=True)
    Catalog(store).register(catalog_row(n, video_id) for n, video_id in enumerate(ids))
    each = max(ROWS_A_FILE // frames, 1)
    files, contents = [], []
    for first in range(0, videos, each):
        rows = _index_rows(ids[first : first + each], first, frames)
        files.append(IndexFile(name=f"index/{first:08d}.parquet", first=ids[first]))
        store.write_table(rows, "dataset", files[-1].name)
        contents.append(contents_of(rows))
    store.write_bytes(IndexFiles(files=tuple(files), written="made up").model_dump_json().encode(), *FILES)
    write_contents(store, pa.concat_tables(contents))
    left_out = pa.table(
        [ids, ["clips"] * videos, [0] * videos, ["TooShort"] * videos, ["0.4 s"] * videos], LEFT_OUT_SCHEMA
    )
    write_known(
        store, changes_of(store), KnownVideos(finished_rows(ids, "0" * 16), left_out), FilterSettings(), EVERYTHING
    )
    build_dataset(store, SETTINGS)
    return store


def change(store: Store, number: int, frames: int = FRAMES) -> str:
    """Finish a video as its stages would, with the arrays that the index reads; return its id."""
    video_id = Catalog(store).video_ids()[number]
    video = store.video(video_id)
    left_out = (LeftOut("occupancy", 0, "TooFewRegistered", "2 of 9 frames"),)
    ones = np.ones(frames, np.float32)
    number_of_clip = np.arange(frames, dtype=np.int32) // FRAMES_A_CLIP
    arrays: dict[str, dict[str, NDArray[Any]]] = {
        "frames": {
            "clip_id": number_of_clip,
            "frame_index": np.arange(frames),
            "time_s": np.arange(frames) / 5,
            "indoor_score": ones,
        },
        "scene": {
            "registered": np.ones(frames, np.bool_),
            "scale_source": np.full(frames, ScaleSource.FLOOR_TO_CEILING, np.uint8),
            **dict.fromkeys(("depth_share", "up_confidence", "ceiling_height"), ones),
        },
        "occupancy": {"class_counts": np.ones((frames, len(CLASS_COLUMNS)), np.int32)},
    }
    with video.locked():
        finish_made_up(video, "1" * 16, arrays, left_out)
    return video_id


def refresh(folder: Path) -> dict[str, float]:
    """Bring the dataset up to date in a process of its own; return its seconds and largest memory, in megabytes."""
    with multiprocessing.get_context("spawn").Pool(1) as process:
        return process.apply(_refresh, (str(folder),))


def _refresh(folder: str) -> dict[str, float]:
    stages()  # loading the code is not what is measured; its memory is
    import_module("zarr")
    before, started, worked = peak_bytes() / 1e6, time.perf_counter(), time.process_time()
    summary = build_dataset(Store(folder), SETTINGS)
    return {
        "videos": summary.videos,
        "frames": summary.frames,
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - worked,
        "megabytes_before": before,
        "megabytes_peak": peak_bytes() / 1e6,
    }


def catalog_row(n: int, video_id: str) -> CatalogRow:
    """Return a row of a made-up video that a search found and that is built."""
    source = VideoSource(
        kind="url", origin=f"https://www.youtube.com/watch?v={video_id}", listed_by="search house tour"
    )
    return CatalogRow(video_id, source, uploader=f"Uploader {n % UPLOADERS}", state=VideoState.FETCHED, built="0" * 16)


def _index_rows(ids: list[str], first: int, frames: int) -> pa.Table:
    """Return the rows of made-up videos: every column varies as far as that decides the size of a file."""
    count, draw = len(ids) * frames, np.random.default_rng(first)
    splits = [
        split_of(group_of(key, "https://", "", f"Uploader {n % UPLOADERS}"), SETTINGS.validation_share)
        for n, key in enumerate(ids, first)
    ]
    row = np.tile(np.arange(frames), len(ids))
    columns = {
        **{field.name: draw.integers(0, 5000, count) for field in INDEX_SCHEMA},
        "video_id": np.repeat(ids, frames),
        "split": np.repeat(splits, frames),
        "row": row,
        "clip_id": row // FRAMES_A_CLIP,
        "scale_source": ["floor_to_ceiling"] * count,
        "fingerprint": ["0" * 16] * count,
        "made": [as_indexed(dict.fromkeys(GROUPS, "0" * 16))] * count,
    }
    return pa.Table.from_arrays([pa.array(columns[f.name]).cast(f.type) for f in INDEX_SCHEMA], schema=INDEX_SCHEMA)


def _figures(folder: Path, videos: int) -> Iterator[tuple[str, dict[str, float]]]:
    store = made_up_store(folder, videos)
    yield "nothing changed", refresh(folder)
    change(store, videos // 2)
    yield "one video changed", refresh(folder)


def main(videos: int = VIDEOS_MADE_UP) -> None:
    """Measure a refresh when nothing changed, and when one video did."""
    with tempfile.TemporaryDirectory() as folder:
        typer.echo(json.dumps(dict(_figures(Path(folder), videos)), indent=1))


if __name__ == "__main__":
    typer.run(main)
