"""How long a query takes over a million regions in memory-mapped files, beside NumPy over the same float16 file.

Random unit vectors: an exhaustive search takes as long over any. Run it with ``python -m pipeline.bench.query``; it
writes 1.5 GB of temporary files and removes them.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.language.index import FOLDER, IndexContent, IndexedVideo, open_files, write_files
from pipeline.language.query import REGIONS_A_FRAME
from pipeline.records import Floats

REGIONS, WIDTH = 1_000_000, 512
TOP = 20
THREADS = 2
REPEATS = 15
_BLOCK = 50_000


@dataclass(frozen=True)
class Timing:
    """One way to answer: median and best seconds by the clock, and of the processor, all threads added up."""

    name: str
    median_s: float
    best_s: float
    cpu_s: float
    ratio: float


def benchmark(regions: int = REGIONS) -> list[Timing]:
    """Measure the index first, then NumPy."""
    with tempfile.TemporaryDirectory(suffix=FOLDER) as name:
        content = IndexContent(
            version="0" * 32, videos=(IndexedVideo(video_id="all", fingerprint="", first=0, count=regions),)
        )
        write_files(Path(name), content.version, (regions, WIDTH), _vectors(regions))
        index = open_files(Path(name), content)
        asked = np.asarray(index.embeddings[:REPEATS], np.float32)
        ways: dict[str, Callable[[Floats], object]] = {
            "pipeline.language.index": lambda text: index.search(text, TOP * REGIONS_A_FRAME, THREADS),
            "numpy, blocks of float16": lambda text: _with_numpy(index.embeddings, text),
        }
        measured = {title: _measure(search, asked) for title, search in ways.items()}
    ours = measured["pipeline.language.index"][0]
    return [Timing(title, *figures, figures[0] / ours) for title, figures in measured.items()]


def table(timings: list[Timing]) -> str:
    """Return the timings as lines of text."""
    lines = [f"{'one query':26}{'median':>10}{'best':>10}{'CPU':>10}{'ratio':>8}"]
    for row in timings:
        figures = "".join(f"{seconds * 1000:7.0f} ms" for seconds in (row.median_s, row.best_s, row.cpu_s))
        lines.append(f"{row.name:26}{figures}{row.ratio:7.1f}x")
    return "\n".join(lines)


def _vectors(regions: int) -> Iterator[NDArray[np.float16]]:
    rng = np.random.default_rng(0)
    for start in range(0, regions, _BLOCK):
        block = rng.standard_normal((min(_BLOCK, regions - start), WIDTH), np.float32)
        yield (block / np.linalg.norm(block, axis=1, keepdims=True)).astype(np.float16)


def _measure(search: Callable[[Floats], object], asked: Floats) -> tuple[float, float, float]:
    """Return the median and best seconds by the clock, and the median of the processor; one query before warms up."""
    search(asked[0])
    clock, processor = [], []
    for text in asked:
        start, spent = time.perf_counter(), time.process_time()
        search(text)
        clock.append(time.perf_counter() - start)
        processor.append(time.process_time() - spent)
    return statistics.median(clock), min(clock), statistics.median(processor)


def _with_numpy(embeddings: NDArray[np.float16], text: Floats) -> NDArray[np.int64]:
    starts = range(0, len(embeddings), _BLOCK)
    scores = np.concatenate([embeddings[start : start + _BLOCK].astype(np.float32) @ text for start in starts])
    return np.argpartition(-scores, TOP * REGIONS_A_FRAME)[: TOP * REGIONS_A_FRAME]


if __name__ == "__main__":
    sys.stdout.write(f"{REGIONS} regions, {os.cpu_count()} cores\n{table(benchmark())}\n")
