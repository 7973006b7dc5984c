"""Seconds and peak memory of exports of a dataset that is made longer: its first video by many names.

``python -m training.bench.export data --times 100``; prints a line a format.
"""

import multiprocessing
import tempfile
import time
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import pyarrow.compute as pc
import typer

from models.bench.memory import peak_bytes
from pipeline.store.index import INDEX, INDEX_SCHEMA, read_index, read_summary, write_summary
from pipeline.store.store import Store
from pipeline.store.video import VIDEOS
from training.exports.run import export_dataset

FORMATS = ("ply", "hf", "colmap", "occscannet")


def main(
    data: Annotated[Path, typer.Argument(help="Folder of a dataset.")] = Path("data"),
    times: Annotated[int, typer.Option(help="Names by which its first video is in the longer one.")] = 100,
) -> None:
    """Measure and print a table."""
    typer.echo("| format | frames | CPU-seconds | peak memory |\n|---|---|---|---|")
    for name in FORMATS:
        with tempfile.TemporaryDirectory() as scratch:
            longer(Store(data), Path(scratch) / "data", times)
            with multiprocessing.get_context("spawn").Pool(1) as process:  # whose memory is that of one export
                frames, seconds, peak = process.apply(exported, (scratch, name))
        typer.echo(f"| {name} | {frames} | {seconds:.1f} | {peak / 1e6:.0f} MB |")


def longer(store: Store, folder: Path, times: int) -> Store:
    """Make a dataset that holds the first video of another one so many times, as links."""
    rows = read_index(store, INDEX_SCHEMA.names)
    first = rows["video_id"][0].as_py()
    rows = rows.filter(pc.equal(rows["video_id"], first))
    (folder / VIDEOS).mkdir(parents=True)
    names = [f"copy-{number:05d}" for number in range(times)]
    for name in names:
        (folder / VIDEOS / name).symlink_to(Path(store.path(VIDEOS, first)).resolve())
    made, summary = Store(folder), read_summary(store)
    copies = [rows.set_column(0, "video_id", pa.array([name] * rows.num_rows)) for name in names]
    made.write_table(pa.concat_tables(copies), *INDEX)
    if summary is not None:
        write_summary(made, summary)
    return made


def exported(folder: str, name: str) -> tuple[int, float, int]:
    """Export; return frames, processor seconds and the largest memory of this process in bytes."""
    began = time.process_time()
    frames = export_dataset(Store(Path(folder) / "data"), Path(folder) / "out", name)
    return frames, time.process_time() - began, peak_bytes()


if __name__ == "__main__":
    typer.run(main)
