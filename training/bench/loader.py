"""Samples a second from the store, beside one compressed ``.npz`` a frame and the same arrays uncompressed.

``python -m training.bench.loader``. Frames are rendered; every reader uses two processes and the same collation.
"""

import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import typer
from torch.utils.data import DataLoader

from pipeline.store.index import INDEX, INDEX_SCHEMA, DatasetSummary, write_summary
from pipeline.store.provenance import Provenance
from pipeline.store.store import Store
from pipeline.tours.tour import Tour
from training.data import Frames, Sample, StoredFrames, collate
from training.data.sample import each
from training.studies.rooms import one_shot_a_room, room_sample

WORKERS = 2
BATCH = 4
ROUNDS = 3


@dataclass(frozen=True)
class ReadingRate:
    """How fast a reader is: samples a second, the best of some rounds, and megabytes a sample on disk."""

    reader: str
    samples_per_second: float
    megabytes: float


class NpzFrames:
    """Samples, one ``.npz`` each."""

    def __init__(self, folder: Path) -> None:
        self.paths = sorted(folder.glob("*.npz"))
        self.names = tuple(path.stem for path in self.paths)
        self.origin = str(folder)

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.paths)

    def __getitem__(self, index: int) -> Sample:
        """Return a sample."""
        with np.load(self.paths[index], allow_pickle=False) as arrays:
            return Sample(name=self.names[index], **arrays)


def main(frames: int = 64, distinct: int = 8, output: Path = Path(".bench/loader.json")) -> None:
    """Measure and print a table; ``frames`` are written, of which ``distinct`` are rendered."""
    with tempfile.TemporaryDirectory() as scratch:
        rates = measure(Path(scratch), frames, distinct)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps([asdict(rate) for rate in rates], indent=1), encoding="utf-8")
    typer.echo("| reader | samples/s | MB a sample | store beside it |\n|---|---|---|---|")
    for rate in rates:
        share = rates[0].samples_per_second / rate.samples_per_second
        typer.echo(f"| {rate.reader} | {rate.samples_per_second:.1f} | {rate.megabytes:.2f} | {share:.2f} |")


def measure(folder: Path, frames: int, distinct: int) -> list[ReadingRate]:
    """Write the same frames three times and read them back."""
    rendered = [_rendered(number) for number in range(distinct)]
    samples = [rendered[number % distinct] for number in range(frames)]
    stored = _stored(folder / "data", samples)
    readers: dict[str, tuple[Frames, Path]] = {"store": (stored, folder / "data" / "videos")}
    for name, save in (("npz, compressed", np.savez_compressed), ("npz, not compressed", np.savez)):
        place = folder / name
        place.mkdir()
        for number, sample in enumerate(each(stored)):
            save(place / f"{number:05d}.npz", **_arrays(sample))
        readers[name] = NpzFrames(place), place
    best = dict.fromkeys(readers, 0.0)
    for _ in range(ROUNDS):
        for name, (reader, _) in readers.items():
            best[name] = max(best[name], _rate(reader))
    return [ReadingRate(name, best[name], _megabytes(place) / frames) for name, (_, place) in readers.items()]


def _rate(frames: Any) -> float:
    loader = DataLoader(frames, BATCH, num_workers=WORKERS, collate_fn=collate)
    batches = iter(loader)
    next(batches)
    start, count = time.perf_counter(), 0
    for batch in batches:
        count += len(batch.names)
    return count / (time.perf_counter() - start)


def _rendered(number: int) -> Sample:
    tour = Tour.from_seed(1, one_shot_a_room())
    shot = tour.shots[number % len(tour.shots)]
    first, last = tour.timeline.on_screen(shot)
    return room_sample(tour, min(first + number // len(tour.shots), last - 1), str(number))


def _arrays(sample: Sample) -> dict[str, Any]:
    return {item.name: getattr(sample, item.name) for item in fields(sample) if item.name != "name"}


def _stored(folder: Path, samples: Sequence[Sample]) -> StoredFrames:
    """Write samples as one video, in the layout and precision that the pipeline's stages use."""
    n, video = len(samples), Store(folder).video("bench")
    rows = {name: np.stack([_arrays(sample)[name] for sample in samples]) for name in _arrays(samples[0])}
    note = _note().model_dump(mode="json")
    ones = np.ones(n, np.float32)
    groups: dict[str, dict[str, Any]] = {
        "frames": {
            "rgb": rows["rgb"],
            "clip_id": np.zeros(n, np.int32),
            "frame_index": np.arange(n),
            "time_s": np.arange(n, dtype=np.float64),
            "indoor_score": ones,
        },
        "scene": {
            "registered": np.ones(n, np.bool_),
            "intrinsics": rows["intrinsics"],
            "camera_to_world": rows["camera_to_world"],
            "depth": rows["depth"].astype(np.float16),
            "depth_share": ones,
            "up_confidence": ones,
            "ceiling_height": ones,
            "scale_source": np.ones(n, np.uint8),
        },
        "semantics": {"regions": rows["regions"].astype(np.uint16)},
        "occupancy": {
            "labels": rows["labels"],
            "origin": rows["origin"],
            "grid_from_world": np.repeat(np.eye(4, dtype=np.float32)[None], n, axis=0),
            "class_counts": np.ones((n, 14), np.int32),
        },
    }
    for group, arrays in groups.items():
        with video.write_group(group, note) as writer:
            for name, array in arrays.items():
                writer.append(name, array)
    _write_index(Store(folder), n)
    return StoredFrames(Store(folder), "all")


def _write_index(store: Store, frames: int) -> None:
    """List all frames of the one video, with what a reader looks at."""
    listed = {
        "video_id": ["bench"] * frames,
        "row": range(frames),
        "split": ["train"] * frames,
        "depth_share": [1.0] * frames,
    }
    nothing = pa.nulls(frames)
    columns = [pa.array(listed[field.name]) if field.name in listed else nothing for field in INDEX_SCHEMA]
    arrays = [column.cast(field.type) for column, field in zip(columns, INDEX_SCHEMA, strict=True)]
    store.write_table(pa.Table.from_arrays(arrays, schema=INDEX_SCHEMA), *INDEX)
    totals = {"videos": 1, "clips": 1, "frames": frames, "frames_by_split": {"train": frames}, "classes": {}}
    write_summary(store, DatasetSummary(version="bench", created="", **totals))


def _note() -> Provenance:
    nothing: dict[str, Any] = {"settings": {}, "weights": {}, "counts": {}}
    return Provenance(stage="bench", backend="rendered", code_version="1", fingerprint="0", seconds=0, **nothing)


def _megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


if __name__ == "__main__":
    typer.run(main)
