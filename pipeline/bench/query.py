"""How long a query takes over a million regions in memory-mapped files, beside NumPy over the same float16 file.

Random unit vectors: an exhaustive search takes as long over any. Run it with ``python -m pipeline.bench.query``; it
writes 1.5 GB of temporary files and removes them.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.contract.arrays import Floats
from pipeline.language.index import FOLDER, RegionHit, RegionIndex
from pipeline.language.index_part import IndexPart, RegionKind
from pipeline.language.part_writer import PartWriter
from pipeline.language.query import REGIONS_A_FRAME

REGIONS, WIDTH = 1_000_000, 512
TOP = 20
WANTED = TOP * REGIONS_A_FRAME
THREADS = 2
REPEATS = 15
_BLOCK = 50_000

Search = Callable[[Floats], list[int]]
"""From a text's vector (E,) to the rows nearest to it."""


@dataclass(frozen=True)
class QueryTiming:
    """One way to answer: median and best seconds by the clock, and of the processor, all threads added up.

    ratio: to the index's processor time. recall: of what NumPy finds in float32, the share that was found.
    """

    name: str
    median_s: float
    best_s: float
    cpu_s: float
    ratio: float
    recall: float


@dataclass(frozen=True)
class Measured:
    """Median and best seconds by the clock, median seconds of the processor, and the rows found for every query."""

    median_s: float
    best_s: float
    cpu_s: float
    found: list[list[int]]


def benchmark(regions: int = REGIONS) -> list[QueryTiming]:
    """Measure the index first, then NumPy."""
    with tempfile.TemporaryDirectory(suffix=FOLDER) as name:
        index = RegionIndex(list(_parts(Path(name), regions)))
        asked = np.concatenate(list(_vectors(REPEATS, seed=1))).astype(np.float32)
        blocks = [part.embeddings for part in index.parts]
        ways: dict[str, Search] = {
            "pipeline.language.index": lambda text: _rows(index.search(text, WANTED, THREADS)),
            "numpy, blocks of float16": lambda text: _with_numpy(blocks, text),
        }
        measured = {title: _measure(search, asked) for title, search in ways.items()}
        right = [set(_with_numpy(blocks, text)) for text in asked]
    ours = measured["pipeline.language.index"].cpu_s
    return [
        QueryTiming(title, way.median_s, way.best_s, way.cpu_s, way.cpu_s / ours, _recall(way.found, right))
        for title, way in measured.items()
    ]


def table(timings: list[QueryTiming]) -> str:
    """Return the timings as lines of text."""
    lines = [f"{'one query':26}{'median':>10}{'best':>10}{'CPU':>10}{'ratio':>8}{'recall':>8}"]
    for row in timings:
        figures = "".join(f"{seconds * 1000:7.0f} ms" for seconds in (row.median_s, row.best_s, row.cpu_s))
        lines.append(f"{row.name:26}{figures}{row.ratio:7.1f}x{row.recall:8.4f}")
    return "\n".join(lines)


def _parts(folder: Path, regions: int) -> Iterator[IndexPart]:
    """Write a part for each block of vectors, of one video that is named by its first row."""
    first = 0
    for number, block in enumerate(_vectors(regions)):
        row = {"video_id": str(first), "mark": 1, "regions_mark": 1, "regions": len(block)}
        with PartWriter(folder, number, RegionKind(WIDTH, ())) as writer:
            writer.append(row, block)
            part = writer.place()
        if part:
            yield part
        first += len(block)


def _rows(hits: list[RegionHit]) -> list[int]:
    return [int(hit.video_id) + hit.region for hit in hits]


def _vectors(regions: int, seed: int = 0) -> Iterator[NDArray[np.float16]]:
    rng = np.random.default_rng(seed)
    for start in range(0, regions, _BLOCK):
        block = rng.standard_normal((min(_BLOCK, regions - start), WIDTH), np.float32)
        yield (block / np.linalg.norm(block, axis=1, keepdims=True)).astype(np.float16)


def _measure(search: Search, asked: Floats) -> Measured:
    """Answer every query; one before warms up."""
    search(asked[0])
    clock, processor, found = [], [], []
    for text in asked:
        start, spent = time.perf_counter(), time.process_time()
        found.append(search(text))
        clock.append(time.perf_counter() - start)
        processor.append(time.process_time() - spent)
    return Measured(statistics.median(clock), min(clock), statistics.median(processor), found)


def _recall(found: list[list[int]], right: list[set[int]]) -> float:
    return statistics.mean(len(rows.intersection(some)) / WANTED for some, rows in zip(found, right, strict=True))


def _with_numpy(parts: Sequence[NDArray[np.float16]], text: Floats) -> list[int]:
    blocks = (part[start : start + _BLOCK] for part in parts for start in range(0, len(part), _BLOCK))
    scores = np.concatenate([block.astype(np.float32) @ text for block in blocks])
    return [int(row) for row in np.argpartition(-scores, WANTED)[:WANTED]]


if __name__ == "__main__":
    sys.stdout.write(f"{REGIONS} regions, {os.cpu_count()} cores\n{table(benchmark())}\n")
