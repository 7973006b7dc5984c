"""The catalog at a million rows, the memory of discovering a feed of 100,000 entries, and looking up copies.

Run with ``python -m pipeline.bench.ingest``; prints JSON.
"""

import http.server
import json
import multiprocessing
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import typer

from models.bench.memory import peak_bytes
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import ASKABLE, CatalogRow, VideoState, now
from pipeline.sources.discover import discover
from pipeline.sources.duplicates.lookalikes import Lookalikes
from pipeline.sources.entries import SourceEntry, SourceKind, SourceList
from pipeline.sources.video_source import VideoSource
from pipeline.sources.web.settings import WebSettings
from pipeline.store.store import Store

ROWS = 1_000_000
BATCH = 1_000
LOADED_AT_ONCE = 100_000
UPDATES = 20
VIDEOS = 30_000
LOOKUPS = 40
ENTRIES = 100_000
ENTRY = '<entry><title>House tour {n}</title><link href="http://127.0.0.1/v/{n}.mp4"/><author><name>A</name></author></entry>'


def catalog(folder: Path, rows: int) -> dict[str, float]:
    """Fill a catalog and time batches of 1,000 changes, each by a catalog opened anew."""
    filled = Catalog(Store(folder))
    for first in range(0, rows, LOADED_AT_ONCE):
        filled.register(_row(n) for n in range(first, min(rows, first + LOADED_AT_ONCE)))
    draw, times, processor = np.random.default_rng(0), [], []
    for _ in range(UPDATES):
        chosen = [_row(n).video_id for n in draw.choice(rows, BATCH, replace=False).tolist()]
        started, worked = time.perf_counter(), time.process_time()
        Catalog(Store(folder)).update(chosen, lambda row: replace(row, state=VideoState.FETCHED))
        times.append(time.perf_counter() - started)
        processor.append(time.process_time() - worked)
    started = time.perf_counter()
    Catalog(Store(folder)).table(["video_id", "origin"], ASKABLE)
    scanned = time.perf_counter() - started
    return {
        "rows": rows,
        "batch_median_s": float(np.median(times)),
        "batch_worst_s": max(times),
        "batch_median_cpu_s": float(np.median(processor)),
        "batch_worst_cpu_s": max(processor),
        "scan_s": scanned,
        "bytes": sum(path.stat().st_size for path in folder.rglob("*.parquet")),
    }


def copies(folder: Path, videos: int) -> dict[str, float]:
    """Look up copies among videos of random hashes: a tenth of the bits of every hash differ from the original's."""
    draw, index = np.random.default_rng(0), Lookalikes(folder / "index.sqlite")
    originals = draw.integers(0, 2**64, (videos, 24, 3), np.uint64)
    index.add(((f"v{n}", hashes) for n, hashes in enumerate(originals)), "all")
    found, times = [], []
    for n in draw.integers(0, videos, LOOKUPS).tolist():
        flips = np.packbits(draw.random((24, 3, 64)) < 0.1, axis=-1).view(np.uint64)[..., 0]
        started = time.perf_counter()
        candidates = index.candidates(originals[n] ^ flips, 64)
        times.append(time.perf_counter() - started)
        found.append(f"v{n}" in dict(candidates))
    size = (folder / "index.sqlite").stat().st_size
    return {"videos": videos, "median_s": float(np.median(times)), "recall": float(np.mean(found)), "bytes": size}


def discovery(folder: Path, entries: int) -> dict[str, float]:
    """Discover a long feed in a process of its own; return its time and its largest memory, in megabytes."""
    with _feed(entries) as address, multiprocessing.get_context("spawn").Pool(1) as process:
        seconds, before, peak, found = process.apply(_discover, (str(folder), address))
    return {"entries": found, "seconds": seconds, "megabytes_before": before, "megabytes_peak": peak}


def _discover(folder: str, address: str) -> tuple[float, float, float, int]:
    before, started = peak_bytes() / 1e6, time.perf_counter()
    entry = SourceEntry(kind=SourceKind.FEED, source=address)
    listed = SourceList(entries=(entry,), folder=Path())
    (report,) = discover(Catalog(Store(folder)), listed, WebSettings(interval_s=0))
    return time.perf_counter() - started, before, peak_bytes() / 1e6, len(report.fresh)


def _row(n: int) -> CatalogRow:
    key = f"{n * 2654435761 % 2**40:011x}"
    origin = f"https://www.youtube.com/watch?v={key}"
    source = VideoSource(kind="url", origin=origin, listed_by="channel https://www.youtube.com/@a")
    title = f"House tour number {n} in some city"
    return CatalogRow(key, source, title=title, published=now(), duration_s=300)


@contextmanager
def _feed(entries: int) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'<feed xmlns="http://www.w3.org/2005/Atom">')
            for n in range(entries):
                self.wfile.write(ENTRY.format(n=n).encode())
            self.wfile.write(b"</feed>")

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name of the base class
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/feed"
        finally:
            server.shutdown()


def main(rows: int = ROWS, entries: int = ENTRIES) -> None:
    """Measure all three."""
    with tempfile.TemporaryDirectory() as folder:
        figures = {
            "catalog": catalog(Path(folder, "a"), rows),
            "discovery": discovery(Path(folder, "b"), entries),
            "copies": copies(Path(folder), VIDEOS),
        }
    typer.echo(json.dumps(figures, indent=1))


if __name__ == "__main__":
    typer.run(main)
