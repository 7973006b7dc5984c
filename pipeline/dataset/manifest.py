"""A dataset without anybody's pixels: which frames of which videos, and what was found out about them.

A Parquet file with one row a frame and a row group a video; settings and code versions lie in its metadata. ``rebuild``
fetches the videos from where they are and makes the same dataset again, so that it can be published without any video.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.contract.errors import BrokenManifest, PipelineError, SettingsError, StageMissing
from pipeline.contract.records import Segment
from pipeline.dataset.index import INDEX
from pipeline.settings import Settings
from pipeline.sources.catalog.catalog import Catalog, source_of_row
from pipeline.sources.catalog.rows import CatalogRow
from pipeline.sources.video_source import parse_source, video_id
from pipeline.stages.bodies import Progress, Workbench, silent
from pipeline.stages.run import STAGES, StageReport, process_video
from pipeline.store.files import Store, check_video_id

HEADER = b"youtube_occ_manifest"
VERSION = 1
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
        ("voxels", pa.list_(pa.int32())),
    ]
)


class ManifestHeader(BaseModel):
    """What a manifest says of itself: settings without how the web is asked, code versions of the stages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int
    settings: dict[str, Any]
    code_versions: dict[str, str]


@dataclass(frozen=True)
class Rebuilt:
    """How the rebuilding of one video ended; ``difference`` is empty where all is as it was."""

    video_id: str
    frames: int
    difference: str


def export_manifest(store: Store, settings: Settings, path: Path) -> int:
    """Write the manifest of a dataset; return the number of videos in it.

    Videos that are files of this machine are left out: nobody else could fetch them.

    Raises:
        StageMissing: there is no dataset yet.
    """
    if not store.exists(*INDEX):
        raise StageMissing("there is no dataset yet: build it first")
    chosen = settings.model_dump(mode="json", exclude={"download": {"web"}})
    versions = {name: stage.code_version for name, stage in STAGES.items()}
    header = ManifestHeader(version=VERSION, settings=chosen, code_versions=versions)
    videos = 0
    draft = path.with_name(f".{path.name}.part")
    schema = SCHEMA.with_metadata({HEADER: header.model_dump_json()})
    with closing(pq.ParquetWriter(draft, schema, compression="zstd")) as writer:
        for table in _videos(store):
            writer.write_table(table.replace_schema_metadata(schema.metadata))
            videos += 1
    draft.replace(path)
    return videos


def read_header(path: Path) -> ManifestHeader:
    """Return what a manifest says of itself.

    Raises:
        BrokenManifest: the file is none, or of another version.
    """
    try:
        header = ManifestHeader.model_validate_json((pq.read_schema(path).metadata or {})[HEADER])
    except (OSError, pa.ArrowException, KeyError, ValidationError) as error:
        raise BrokenManifest(f"{path} is no manifest: {type(error).__name__}") from error
    if header.version != VERSION:
        raise BrokenManifest(f"{path} is a manifest of version {header.version}; this code reads {VERSION}")
    return header


def manifest_settings(header: ManifestHeader, mine: Settings) -> Settings:
    """Return the settings that the manifest was made with; how the web is asked stays as it is here.

    Raises:
        BrokenManifest: they cannot be understood.
    """
    content = {**header.settings, "download": {**header.settings.get("download", {})}}
    content["download"]["web"] = mine.download.web
    try:
        return Settings.model_validate(content)
    except ValidationError as error:
        raise BrokenManifest(f"the manifest's settings are of another code: {error}") from error


def rebuild(path: Path, store: Store, settings: Settings, progress: Progress = silent) -> Iterator[Rebuilt]:
    """Fetch and build every video of a manifest, and compare what comes of it with what the manifest says.

    Raises:
        BrokenManifest: the manifest does not read back, or names what is no video.
    """
    for expected in _expected(path):
        row = _row(expected, path)
        Catalog(store).register([row])
        try:
            difference = _built(store, row.video_id, settings, progress) or _difference(store, expected)
        except PipelineError as error:
            difference = f"{error.code}: {error}"
        yield Rebuilt(row.video_id, expected.num_rows, difference)


def _built(store: Store, key: str, settings: Settings, progress: Progress) -> str:
    reports: list[StageReport] = list(process_video(Workbench(store.video(key), settings, progress)))
    return "" if reports else "nothing was built"


def _row(expected: pa.Table, path: Path) -> CatalogRow:
    first = expected.slice(0, 1).to_pylist()[0]
    try:
        source = parse_source(first["origin"])
        key = check_video_id(first["video_id"])
    except SettingsError as error:
        raise BrokenManifest(f"{path}: {error}") from error
    if source.kind == "file" or video_id(source) != key:
        raise BrokenManifest(f"{path}: {first['origin']!r} is not where {key} can be fetched from")
    segments = tuple(Segment(start, end) for start, end in first["segments"])
    return CatalogRow(key, source.origin, f"manifest {path.name}", segments=segments)


def _difference(store: Store, expected: pa.Table) -> str:
    """Return in what a rebuilt video differs from its manifest, or nothing."""
    found = _video_table(store, expected["video_id"][0].as_py(), expected["split"][0].as_py())
    if found["sha256"][0] != expected["sha256"][0]:
        return "its host gives another file now"
    for name in ("clip_id", "frame_index"):
        if found[name].to_pylist() != expected[name].to_pylist():
            return f"{found.num_rows} frames instead of {expected.num_rows}, or others"
    here, there = (np.array(table["camera_to_world"].to_pylist()) for table in (found, expected))
    if not np.allclose(here, there, atol=POSE_TOLERANCE):
        return f"cameras differ by up to {np.abs(here - there).max():.3f}"
    counts, wanted = (np.array(table["voxels"].to_pylist()) for table in (found, expected))
    share = float(np.abs(counts - wanted).sum() / 2 / max(wanted[:, :-1].sum(), 1))
    return f"{share:.1%} of the voxels differ" if share > VOXEL_TOLERANCE else ""


def _expected(path: Path) -> Iterator[pa.Table]:
    """Yield the rows of each video; each lies in a row group of its own."""
    read_header(path)
    try:
        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                table = file.read_row_group(group)
                if table.num_rows:
                    yield table
    except pa.ArrowException as error:
        raise BrokenManifest(f"{path} does not read back: {error}") from error


def _videos(store: Store) -> Iterator[pa.Table]:
    with store.open_parquet(*INDEX) as file:
        listed = file.read(["video_id", "split"]).group_by("video_id").aggregate([("split", "first")])
    rows = Catalog(store).rows(listed["video_id"].to_pylist())
    for entry in listed.sort_by("video_id").to_pylist():
        row = rows.get(entry["video_id"])
        if row is not None and source_of_row(row).kind != "file":
            yield _video_table(store, entry["video_id"], entry["split_first"])


def _video_table(store: Store, key: str, split: str) -> pa.Table:
    """Return the manifest's rows of one built video: its registered frames."""
    video, row = store.video(key), Catalog(store).row(key)
    source = video.read_json("source.json")
    kept = np.flatnonzero(video.read("scene", "registered"))
    frames = {name: video.read("frames", name)[kept] for name in ("clip_id", "frame_index", "time_s")}
    columns: dict[str, Any] = {
        "video_id": [key] * len(kept),
        "origin": [row.origin] * len(kept),
        "licence": [source["licence"]] * len(kept),
        "sha256": [source["sha256"]] * len(kept),
        "segments": [[list(segment) for segment in row.segments]] * len(kept),
        **frames,
        "split": [split] * len(kept),
        "intrinsics": video.read("scene", "intrinsics")[kept].reshape(-1, 9).tolist(),
        "camera_to_world": video.read("scene", "camera_to_world")[kept].reshape(-1, 16).tolist(),
        "ceiling_height": video.read("scene", "ceiling_height")[kept],
        "voxels": video.read("occupancy", "class_counts")[kept].tolist(),
    }
    return pa.Table.from_arrays([pa.array(columns[f.name]).cast(f.type) for f in SCHEMA], schema=SCHEMA)
