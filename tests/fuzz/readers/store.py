"""Files of a dataset: Zarr groups and arrays, tables, notes, the index and its summary, the catalog."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.contract.errors import DownloadTransient
from pipeline.contract.records import Segment, Source
from pipeline.dataset.contents import class_statistics, contents_of, read_contents, totals, write_contents
from pipeline.dataset.frames import Dataset
from pipeline.dataset.known import know, settled, write_known
from pipeline.dataset.selection import EVERYTHING
from pipeline.settings import DatasetSettings, FilterSettings, Layer, resolve
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import CatalogRow, VideoState
from pipeline.sources.current_rules import rules_of
from pipeline.sources.duplicates.fingerprints import Fingerprints
from pipeline.sources.duplicates.settings import DuplicateSettings
from pipeline.sources.video_source import VideoSource
from pipeline.stages.clips.rows import clips_table
from pipeline.stages.failures import forget_failure, last_failure, record_failure
from pipeline.stages.run import made_by
from pipeline.stages.video.fetch import read_source
from pipeline.store.changes import changes_of
from pipeline.store.frames import FrameReader
from pipeline.store.index import (
    INDEX_SCHEMA,
    ClassStatistics,
    DatasetSummary,
    LeftOutCount,
    LeftOutEntry,
    first_video,
    read_index,
    read_summary,
    write_summary,
)
from pipeline.store.outputs import TableOutput
from pipeline.store.rows import clip_rows, stored_clips
from pipeline.store.store import Store
from pipeline.store.video import VideoStore
from tests.fuzz.reader import Reader
from tests.pipeline.provenances import noted
from tests.pipeline.stored_room import _clip

WHEN = datetime(2026, 1, 1, tzinfo=UTC)
CREATED = "2026-01-01T00:00:00+00:00"
GROUPS = {
    "frames": ("clip_id", "frame_index", "time_s", "rgb"),
    "scene": ("depth", "registered", "intrinsics"),
    "semantics": ("labels",),
}


def _video(folder: Path) -> VideoStore:
    return Store(folder / "data").video("v")


def _make_groups(folder: Path) -> None:
    video, rng = _video(folder), np.random.default_rng(0)
    with video.write_group("frames", noted("indoor_clips", created=CREATED)) as group:
        group.append("rgb", rng.integers(0, 255, (3, 12, 16, 3), np.uint8))
        group.append("clip_id", np.zeros(3, np.int32), 4)
        group.append("frame_index", np.arange(3), 4)
        group.append("time_s", np.arange(3) / 4, 4)
    with video.write_group("scene", noted("scene", created=CREATED)) as group:
        group.append("depth", rng.random((3, 6, 8)).astype(np.float16))
        group.append("registered", np.ones(3, bool), 4)
        group.append("intrinsics", np.stack([np.eye(3, dtype=np.float32)] * 3), 4)
    with video.write_group("semantics", noted("semantics", created=CREATED)) as group:
        group.append("labels", rng.integers(0, 12, (3, 6, 8), np.uint8))


def _read_groups(folder: Path, name: str) -> object:
    video, group = _video(folder), name.rsplit("/scene.zarr/", maxsplit=1)[-1].split("/", maxsplit=1)[0]
    if group not in GROUPS:
        return FrameReader(video.files).read("v", "frames/rgb", 0)
    made_by(video, group if group != "frames" else "indoor_clips")
    array = name.rsplit("/scene.zarr/", maxsplit=1)[-1].split("/")[1]
    wanted = [array] if array in GROUPS[group] else list(GROUPS[group])
    return [video.read(group, wanted_array) for wanted_array in wanted], clip_rows(video) if group == "frames" else []


def _read_frames(folder: Path, name: str) -> object:
    parts = name.rsplit("/scene.zarr/", maxsplit=1)[-1].split("/")
    group = parts[0] if parts[0] in GROUPS else "frames"
    array = parts[1] if len(parts) > 2 else GROUPS[group][0]
    reader = FrameReader(_video(folder).files)
    return reader.read("v", f"{group}/{array}", 1), reader.read("v", f"{group}/{array}", slice(0, 2))


def _make_clips(folder: Path) -> None:
    video = _video(folder)
    with TableOutput("clips.parquet").draft(video) as draft:
        draft.table = clips_table([_clip(0), _clip(1)])
        draft.attributes.update(noted("clips", created=CREATED))


def _read_clips(folder: Path, _name: str) -> object:
    return stored_clips(_video(folder)), made_by(_video(folder), "clips")


def _make_notes(folder: Path) -> None:
    video = _video(folder)
    source = Source("v", "tour://1", "", "", "", "0" * 64, 5, 640, 480, 10.0, 4.0)
    video.write_json("source.json", {**asdict(source), "provenance": noted("video", created=CREATED)})
    (folder / "data/videos/v/source.mp4").write_bytes(b"12345")
    record_failure(video, "video", "f" * 16, DownloadTransient("the host failed"))
    video.write_json("failure.json", {**video.read_json("failure.json"), "when": CREATED})


def _read_notes(folder: Path, _name: str) -> object:
    video = _video(folder)
    found = last_failure(video), made_by(video, "video"), read_source(folder / "data/videos/v")
    record_failure(video, "video", "f" * 16, DownloadTransient("again"))
    forget_failure(video)
    return found, video.read_json("source.json"), resolve(Layer("a test"), dataset=video.files).settings


def _summary() -> DatasetSummary:
    left_out = LeftOutEntry(video_id="w", stage="clips", clip_id=2, code="TooShort", detail="0.4 s")
    return DatasetSummary(
        version="0123456789abcdef",
        created=CREATED,
        videos=2,
        clips=2,
        frames=6,
        frames_by_split={"train": 3, "validation": 3},
        classes={"wall": ClassStatistics(voxels=5, frames=2)},
        left_out=(left_out,),
        left_out_counts=(LeftOutCount(stage="clips", code="TooShort", count=1),),
        notes=("moved",),
    )


def _index_rows() -> pa.Table:
    counted = {name: 3 for name in INDEX_SCHEMA.names if name.startswith("voxels_")}
    known = {"indoor_score": 0.9, "depth_share": 0.8, "up_confidence": 0.9, "ceiling_height": 2.5}
    rows = [
        {"video_id": key, "row": row, "clip_id": 0, "frame_index": row, "time_s": row / 4, "split": split}
        | {**known, **counted, "scale_source": "none", "fingerprint": "f" * 16}
        for key, split in (("v", "train"), ("w", "validation"))
        for row in range(3)
    ]
    return pa.Table.from_pylist(rows, INDEX_SCHEMA)


def _make_dataset(folder: Path) -> None:
    store = Store(folder / "data")
    store.write_table(_index_rows().replace_schema_metadata({b"written": b"1"}), "dataset", "index.parquet")
    write_summary(store, _summary())


def _read_dataset(folder: Path, _name: str) -> object:
    store = Store(folder / "data")
    summary = read_summary(store)
    shown = (summary.table(), summary.counts()) if summary else None
    return shown, read_index(store, ["video_id", "row", "split"]), first_video(store), len(Dataset(folder / "data"))


def _make_parts(folder: Path) -> None:
    store = Store(folder / "data")
    for name in ("a", "b"):
        store.write_table(_index_rows(), "dataset", "index", f"{name}.parquet")
    listed = {"files": [{"name": f"index/{name}.parquet", "first": ""} for name in ("a", "b")], "written": "1"}
    store.write_bytes(json.dumps(listed).encode(), "dataset", "index", "_files.json")


def _read_parts(folder: Path, _name: str) -> object:
    store = Store(folder / "data")
    return read_index(store, ["video_id", "row"]), first_video(store), read_contents(store)


def _make_contents(folder: Path) -> None:
    _make_dataset(folder)
    store = Store(folder / "data")
    write_contents(store, contents_of(read_index(store, INDEX_SCHEMA.names)))
    changes = changes_of(store)
    write_known(
        store, changes, know(store, changes, FilterSettings(), EVERYTHING, frozenset()), FilterSettings(), EVERYTHING
    )


def _read_contents(folder: Path, _name: str) -> object:
    store, rules = Store(folder / "data"), FilterSettings()
    known, held = know(store, changes_of(store), rules, EVERYTHING, frozenset()), read_contents(store)
    settled(store, rules, EVERYTHING, DatasetSettings().give_up_after)
    return known.finished(), totals(held) if held else None, class_statistics(held) if held else None


def _rows() -> list[CatalogRow]:
    one = CatalogRow("a", VideoSource.of_origin("https://example.org/a.mp4", "feed f"), title="A", when=WHEN, number=0)
    two = CatalogRow(
        "b", VideoSource.of_origin("tour://5"), segments=(Segment(1, 2),), duration_s=9, when=WHEN, number=1
    )
    three = CatalogRow(
        "c", VideoSource.of_origin("/c.mp4"), state=VideoState.GONE, published=WHEN, rules='{"limit":3}', number=2
    )
    return [one, two, three]


def named_parts(folder: Path) -> None:
    """Give the files of a table names and times that are the same every time."""
    listed = json.loads((folder / "parts.json").read_text())
    for number, part in enumerate(listed["parts"]):
        table = pq.read_table(folder / part["name"])
        (folder / part["name"]).unlink()
        if "when" in table.column_names:
            times = pa.array([WHEN] * len(table), table.schema.field("when").type)
            table = table.set_column(table.column_names.index("when"), table.schema.field("when"), times)
        pq.write_table(table, folder / f"{number}.parquet", compression="lz4")
        part["name"] = f"{number}.parquet"
    (folder / "parts.json").write_text(json.dumps(listed))


def _make_catalog(folder: Path) -> None:
    catalog = Catalog(Store(folder / "data"))
    catalog.register(_rows())
    catalog.note_read("feed f", "{}")
    named_parts(folder / "data/catalog")


def _read_catalog(folder: Path, _name: str) -> object:
    catalog = Catalog(Store(folder / "data"))
    rows = catalog.rows(["a", "b", "c"])
    for row in rows.values():
        rules_of(row)
    return (
        catalog.table(["video_id", "origin"], [VideoState.NEW]),
        catalog.known(["a", "d"]),
        catalog.last_read("feed f"),
    )


def _change_catalog(folder: Path, _name: str) -> object:
    catalog = Catalog(Store(folder / "data"))
    catalog.note_read("feed g", "{}")
    return catalog.register([CatalogRow("d", VideoSource.of_origin("tour://6"))])


def _make_fingerprints(folder: Path) -> None:
    rng = np.random.default_rng(0)
    found = Fingerprints(Store(folder / "data"))
    for key in ("a", "b"):
        found.add(key, rng.integers(0, 2**63, (16, 3), dtype=np.uint64))
    named_parts(folder / "data/fingerprints")
    found.alike(rng.integers(0, 2**63, (16, 3), dtype=np.uint64), DuplicateSettings())


def _read_fingerprints(folder: Path, _name: str) -> object:
    hashes = np.random.default_rng(0).integers(0, 2**63, (16, 3), dtype=np.uint64)
    return Fingerprints(Store(folder / "data")).alike(hashes, DuplicateSettings())


def _read_mark(folder: Path, _name: str) -> object:
    store = Store(folder / "data")
    store.claim()
    store.write_bytes(b"{}", "dataset", "kept.json")
    return store.video_ids()


ZARR = ("zarr.json", "/c/0", "/c/0/0", "/c/0/0/0", "/c/0/0/0/0")
DATA = ("data/youtube-occ.json", "data/scratch")

READERS = (
    Reader("zarr", _make_groups, _read_groups, 0.5, ZARR),
    Reader("frame_reader", _make_groups, _read_frames, 0.5, ZARR),
    Reader("clips", _make_clips, _read_clips, 0.35, (".parquet",)),
    Reader(
        "notes",
        _make_notes,
        _read_notes,
        0.35,
        ("source.json", "failure.json"),
        may_write=(*DATA, "data/videos/v/failure.json"),
    ),
    Reader("dataset", _make_dataset, _read_dataset, 0.35, (".parquet", "summary.json")),
    Reader("index_parts", _make_parts, _read_parts, 0.15, (".parquet", "_files.json")),
    Reader(
        "contents",
        _make_contents,
        _read_contents,
        0.15,
        ("contents.parquet", "videos.parquet", "left_out.parquet"),
        may_write=DATA,
    ),
    Reader("catalog", _make_catalog, _read_catalog, 0.4, (".parquet", ".json")),
    Reader("catalog_changes", _make_catalog, _change_catalog, 0.2, ("parts.json", "read.json"), may_write=("data/",)),
    Reader(
        "fingerprints",
        _make_fingerprints,
        _read_fingerprints,
        0.35,
        (".parquet", "parts.json", ".sqlite"),
        may_write=DATA,
    ),
    Reader("mark", _make_catalog, _read_mark, 0.6, ("youtube-occ.json",), may_write=("data/scratch", "data/dataset")),
)
