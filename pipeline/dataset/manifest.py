"""A dataset without anybody's pixels: which frames of which videos, and what was found out about them.

A Parquet file with one row a frame and a row group a video; how all of it was made lies in its metadata. ``rebuild``
fetches the videos from where they are and makes the same dataset again, so that it can be published without any video.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import ValidationError

from models.memory import limited_growth
from pipeline.contract.classes import COUNTED_CLASSES
from pipeline.contract.errors import BrokenManifest, PipelineError, SettingsError, StageMissing
from pipeline.contract.progress import Progress, counted, silent
from pipeline.contract.records import Segment
from pipeline.contract.scale import ScaleCue
from pipeline.dataset.recipe import DatasetRecipe, one_recipe, recipe_of
from pipeline.settings import Settings
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import CatalogRow
from pipeline.sources.video_source import parse_source
from pipeline.stages.base import Workbench
from pipeline.stages.run import process_video
from pipeline.stages.video.stage import video as video_stage
from pipeline.store.atomic import replacing
from pipeline.store.groups import FRAMES, SCALE_SIGMA, SCENE, SOURCE_NOTES, WORLD_ID
from pipeline.store.index import index_files, read_index
from pipeline.store.row_groups import oversized
from pipeline.store.rows import read_class_counts, read_later, read_scale_cues, read_world_id, widened
from pipeline.store.store import Store
from pipeline.store.video import VideoStore, check_video_id

HEADER = b"youtube_occ_manifest"
_LENGTHS = {
    "intrinsics": {9},
    "camera_to_world": {16},
    "voxels": {len(COUNTED_CLASSES), len(COUNTED_CLASSES) - 1},
}
_LISTS = (*_LENGTHS, "segments")
"""Columns of lists, and the lengths that they may have: earlier releases did not count voxels without a name."""

POSE_TOLERANCE = 5e-3
"""Metres; structure from motion with threads moved cameras of one tour by up to 0.0003 from run to run."""

VOXEL_TOLERANCE = 0.02
"""Share of a clip's known voxels whose class may change with that; 0.002 did."""

SCHEMA = pa.schema(
    [
        ("video_id", pa.string()),
        ("origin", pa.string()),
        ("licence", pa.string()),
        ("sha256", pa.string()),
        ("segments", pa.list_(pa.list_(pa.float64()))),
        ("clip_id", pa.int32()),
        ("frame_index", pa.int64()),
        ("time_s", pa.float64()),
        ("split", pa.string()),
        ("intrinsics", pa.list_(pa.float32())),
        ("camera_to_world", pa.list_(pa.float32())),
        ("ceiling_height", pa.float32()),
        ("camera_height", pa.float32()),
        (SCALE_SIGMA, pa.float32()),
        ("scale_cues", pa.string()),
        (WORLD_ID, pa.int32()),
        ("voxels", pa.list_(pa.int32())),
    ]
)


_LATER = ("camera_height", SCALE_SIGMA, "scale_cues", WORLD_ID)
"""Columns that manifests of earlier releases lack; null what is not known."""


@dataclass(frozen=True)
class Rebuilt:
    """How the rebuilding of one video ended; ``difference`` is empty where all is as it was."""

    video_id: str
    frames: int
    difference: str


def export_manifest(store: Store, catalog: Catalog, path: Path, progress: Progress = silent) -> int:
    """Write the manifest of a dataset; return the number of videos in it.

    Settings, weights, words and code versions are those that the videos' own provenance notes. Videos that are files of
    this machine are left out: nobody else could fetch them.

    Raises:
        StageMissing: there is no dataset yet, or no video in it that others could fetch.
        MixedDataset: its videos were not all made in the same way.
    """
    listed = _listed(store, catalog)
    if not listed:
        raise StageMissing("there is no dataset of videos that others could fetch: build one first")
    recipe = one_recipe(store, [row.video_id for row, _ in listed])
    schema = SCHEMA.with_metadata({HEADER: recipe.model_dump_json()})
    with replacing(path) as draft, closing(pq.ParquetWriter(draft, schema, compression="zstd")) as writer:
        for row, split in counted(listed, progress, "manifest"):
            table = _video_table(store.video(row.video_id), row, split)
            writer.write_table(table.replace_schema_metadata(schema.metadata))
    return len(listed)


def read_recipe(path: Path) -> DatasetRecipe:
    """Return how the dataset of a manifest was made.

    Raises:
        BrokenManifest: the file is none, or of another version.
    """
    try:
        content = (pq.read_schema(path).metadata or {})[HEADER]
        return DatasetRecipe.model_validate_json(content)
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else type(error).__name__
        raise BrokenManifest(f"{path} is no manifest that this release reads: {reason}") from error


def count_videos(path: Path) -> int:
    """Return how many videos a manifest holds; raises ``BrokenManifest``."""
    try:
        return int(pq.read_metadata(path).num_row_groups)
    except (OSError, pa.ArrowException, ValueError) as error:
        raise BrokenManifest(f"{path} does not read back: {error}") from error


def rebuild(
    path: Path, store: Store, catalog: Catalog, settings: Settings, progress: Progress = silent
) -> Iterator[Rebuilt]:
    """Fetch and build every video of a manifest, and compare what comes of it with what the manifest says.

    Raises:
        BrokenManifest: the manifest does not read back, or names what is no video.
    """
    recipe = read_recipe(path)
    for expected in _expected(path, settings.of(video_stage).web.row_group_bytes_max):
        row = _row(expected, path)
        catalog.register([row])
        video = store.video(row.video_id)
        try:
            list(process_video(Workbench(video, catalog, settings, progress)))
            difference = recipe.differences(recipe_of(video)) or _difference(video, row, expected)
        except PipelineError as error:
            difference = f"{error.code}: {error}"
        yield Rebuilt(row.video_id, expected.num_rows, difference)


def _listed(store: Store, catalog: Catalog) -> list[tuple[CatalogRow, str]]:
    """Return the videos of the dataset that others could fetch, by id, each with its split."""
    if not index_files(store).files:
        return []
    index = read_index(store, ["video_id", "split"])
    # Groups keep the order of their rows, which "first" needs, on one thread only.
    splits = index.group_by("video_id", use_threads=False).aggregate([("split", "first")])
    split_of = dict(zip(splits["video_id"].to_pylist(), splits["split_first"].to_pylist(), strict=True))
    rows = catalog.rows(list(split_of))
    fetchable = sorted(key for key, row in rows.items() if row.source.kind != "file")
    return [(rows[key], split_of[key]) for key in fetchable]


def _row(expected: pa.Table, path: Path) -> CatalogRow:
    first = expected.slice(0, 1).to_pylist()[0]
    try:
        source = parse_source(first["origin"])
        key = check_video_id(first["video_id"])
    except SettingsError as error:
        raise BrokenManifest(f"{path}: {error}") from error
    if source.kind == "file" or source.video_id != key:
        raise BrokenManifest(f"{path}: {first['origin']!r} is not where {key} can be fetched from")
    if any(len(segment) != 2 or None in segment for segment in first["segments"]):
        raise BrokenManifest(f"{path}: {key} names a stretch without a start or an end")
    segments = tuple(Segment(start, end) for start, end in first["segments"])
    listed = source.model_copy(update={"listed_by": f"manifest {path.name}"})
    return CatalogRow(key, listed, segments=segments)


def _difference(video: VideoStore, row: CatalogRow, expected: pa.Table) -> str:
    """Return in what a rebuilt video differs from its manifest, or nothing."""
    return _compared(_video_table(video, row, expected["split"][0].as_py()), expected)


def _compared(found: pa.Table, expected: pa.Table) -> str:
    if found["sha256"][0] != expected["sha256"][0]:
        return "its host gives another file now"
    for name in ("clip_id", "frame_index"):
        if found[name].to_pylist() != expected[name].to_pylist():
            return f"{found.num_rows} frames instead of {expected.num_rows}, or others"
    here, there = (np.array(table["camera_to_world"].to_pylist()) for table in (found, expected))
    if not np.allclose(here, there, atol=POSE_TOLERANCE):
        return f"cameras differ by up to {np.abs(here - there).max():.3f}"
    counts, wanted = (widened(np.array(table["voxels"].to_pylist())) for table in (found, expected))
    share = float(np.abs(counts - wanted).sum() / 2 / max(wanted[:, :-1].sum(), 1))
    return f"{share:.1%} of the voxels differ" if share > VOXEL_TOLERANCE else ""


def _expected(path: Path, row_group_bytes_max: int) -> Iterator[pa.Table]:
    """Yield the rows of each video; each lies in a row group of its own, which is as large as it says or smaller."""
    reason = oversized(path, row_group_bytes_max)
    if reason:
        raise BrokenManifest(f"{path}: {reason}")
    yield from _fitting_groups(path, row_group_bytes_max)


def _fitting_groups(path: Path, row_group_bytes_max: int) -> Iterator[pa.Table]:
    try:
        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                with limited_growth(4 * row_group_bytes_max):
                    table = file.read_row_group(group)
                if table.num_rows:
                    yield _fitting(table, path)
    except (pa.ArrowException, OSError, UnicodeDecodeError, MemoryError) as error:
        raise BrokenManifest(f"{path} does not read back: {error}") from error


def _fitting(table: pa.Table, path: Path) -> pa.Table:
    """Return a video's rows as rows of ``SCHEMA``; raises ``BrokenManifest`` where they are none."""
    try:
        for name in _LATER:
            if name not in table.column_names:
                table = table.append_column(name, pa.nulls(table.num_rows, SCHEMA.field(name).type))
        fitting = table.select(SCHEMA.names).cast(SCHEMA)
        fitting.validate(full=True)
    except (pa.ArrowException, KeyError) as error:
        raise BrokenManifest(f"{path} has other columns than a manifest: {str(error)[:200]}") from error
    strange = [name for name in SCHEMA.names if fitting[name].null_count and name not in _LATER]
    strange += [
        name
        for name, counts in _LENGTHS.items()
        if not _one_of(pc.list_value_length(fitting[name]).to_pylist(), counts)
    ]
    strange += [name for name in _LISTS if pc.list_flatten(fitting[name]).null_count]
    if strange:
        raise BrokenManifest(f"{path}: the column {strange[0]!r} lacks values")
    return fitting


def _one_of(lengths: list[int], allowed: set[int]) -> bool:
    return len(set(lengths)) == 1 and set(lengths) <= allowed


def _video_table(video: VideoStore, row: CatalogRow, split: str) -> pa.Table:
    """Return the manifest's rows of one built video: its registered frames."""
    source = video.read_json(SOURCE_NOTES)
    kept = np.flatnonzero(video.read(SCENE, "registered"))
    frames = {name: video.read(FRAMES, name)[kept] for name in ("clip_id", "frame_index", "time_s")}
    columns: dict[str, Any] = {
        "video_id": [video.video_id] * len(kept),
        "origin": [row.source.origin] * len(kept),
        "licence": [source["licence"]] * len(kept),
        "sha256": [source["sha256"]] * len(kept),
        "segments": [[list(segment) for segment in row.segments]] * len(kept),
        **frames,
        "split": [split] * len(kept),
        "intrinsics": video.read(SCENE, "intrinsics")[kept].reshape(-1, 9).tolist(),
        "camera_to_world": video.read(SCENE, "camera_to_world")[kept].reshape(-1, 16).tolist(),
        "ceiling_height": video.read(SCENE, "ceiling_height")[kept],
        **{name: pa.array(read_later(video, name)[kept], from_pandas=True) for name in ("camera_height", SCALE_SIGMA)},
        "scale_cues": [ScaleCue(code).names() or None for code in read_scale_cues(video)[kept].tolist()],
        WORLD_ID: [None if world < 0 else world for world in read_world_id(video)[kept].tolist()],
        "voxels": read_class_counts(video)[kept].tolist(),
    }
    return pa.Table.from_arrays([pa.array(columns[f.name]).cast(f.type) for f in SCHEMA], schema=SCHEMA)
