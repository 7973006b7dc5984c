"""How long the page of a large dataset takes to write, and how much memory: videos of a dataset by very many names.

Run with ``python -m pipeline.bench.page data``; prints JSON.
"""

import json
import multiprocessing
import tempfile
import time
from itertools import cycle
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import pyarrow.compute as pc
import typer

from models.bench.memory import peak_bytes
from pipeline.contract.errors import StageMissing
from pipeline.dataset.page import write_dataset_page
from pipeline.dataset.summaries import DESCRIBED, MOST_NEW
from pipeline.store.index import INDEX, INDEX_SCHEMA, DatasetSummary, read_index, read_summary, write_summary
from pipeline.store.store import Store
from pipeline.store.video import VIDEOS

VIDEOS_NAMED = 10_000


def main(
    data: Annotated[Path, typer.Argument(help="Folder of a built dataset.")] = Path("data"),
    videos: Annotated[int, typer.Option(help="Names by which its videos are in the larger one.")] = VIDEOS_NAMED,
) -> None:
    """Measure a page of which nothing was known, one of which one video was not, and one that stays as it is."""
    with tempfile.TemporaryDirectory() as folder:
        larger(Store(data), Path(folder), videos)
        found = {f"first, {min(videos, MOST_NEW)} videos described": _in_own_process(folder)}
        describe(Store(data), Store(folder), videos - 1)
        found["one video new"] = _in_own_process(folder)
        found["nothing new"] = _in_own_process(folder)
        typer.echo(json.dumps(found, indent=1))


def larger(store: Store, folder: Path, videos: int) -> Store:
    """Make a dataset that holds the videos of another one by so many names, as links, with an index and no page."""
    (folder / VIDEOS).mkdir(parents=True)
    made, summary, index = Store(folder), _summary(store), read_index(store, INDEX_SCHEMA.names)
    for name, video_id in zip(_names(videos), cycle(_ids(index)), strict=False):
        (folder / VIDEOS / name).symlink_to(Path(store.path(VIDEOS, video_id)).resolve())
    rows = _by_other_names(index, videos)
    made.write_table(rows, *INDEX)
    left_out = tuple(
        entry.model_copy(update={"video_id": name})
        for name, entry in zip(_names(videos), cycle(summary.left_out), strict=False)
    )
    counted = {"videos": videos, "frames": rows.num_rows, "left_out": left_out}
    write_summary(made, summary.model_copy(update=counted))
    return made


def describe(store: Store, made: Store, videos: int) -> None:
    """Let a dataset of ``larger`` know of its first videos what the page of the other one tells of them."""
    made.write_table(_by_other_names(store.read_table(*DESCRIBED), videos), *DESCRIBED)


def _by_other_names(rows: pa.Table, videos: int) -> pa.Table:
    """Return the rows of the videos, in turn, under so many names; what holds rows begins with the id."""
    own = [rows.filter(pc.equal(rows["video_id"], key)) for key in _ids(rows)]
    named = zip(_names(videos), cycle(own), strict=False)
    copies = [part.set_column(0, rows.schema.field(0), pa.array([name] * len(part))) for name, part in named]
    return pa.concat_tables(copies).combine_chunks()


def _ids(rows: pa.Table) -> list[str]:
    return sorted(map(str, rows["video_id"].unique().to_pylist()))


def _names(videos: int) -> list[str]:
    return [f"copy-{number:06d}" for number in range(videos)]


def _summary(store: Store) -> DatasetSummary:
    summary = read_summary(store)
    if summary is None:
        raise StageMissing(f"{store.path('dataset')} holds no dataset: build one first")
    return summary


def _in_own_process(folder: str) -> dict[str, float]:
    with multiprocessing.get_context("spawn").Pool(1) as process:
        return process.apply(written, (folder,))


def written(folder: str) -> dict[str, float]:
    """Write the page; return its seconds, size and the largest memory of this process, in megabytes."""
    store = Store(folder)
    summary = _summary(store)
    started, worked = time.perf_counter(), time.process_time()
    page = Path(write_dataset_page(store, summary))
    return {
        "videos": summary.videos,
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - worked,
        "megabytes_peak": peak_bytes() / 1e6,
        "kilobytes_of_page": page.stat().st_size / 1e3,
    }


if __name__ == "__main__":
    typer.run(main)
