"""A whole dataset of one room, as the stages make it: the chain of its groups, its scores, what may be built next."""

import json
from collections.abc import Iterator
from pathlib import Path

from pipeline.dataset.index import build_dataset
from pipeline.dataset.known import settled
from pipeline.dataset.selection import Selection
from pipeline.quality.report import _stored_scores
from pipeline.quality.scores import ClipErrors, CutCounts, Overlap, TourScores
from pipeline.settings import load_settings
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import CatalogRow
from pipeline.sources.due import due
from pipeline.sources.video_source import VideoSource
from pipeline.stages.chain import finished, made_by
from pipeline.stages.indoor_clips.rows import indoor_scores
from pipeline.stages.video.stage import video as video_stage
from pipeline.store.frames import FrameReader
from pipeline.store.store import Store
from tests.fuzz.reader import Reader
from tests.fuzz.readers.store import named_parts
from tests.pipeline.stored_room import store_room

SETTINGS = load_settings("classic")
GROUPS = {"frames": "indoor_clips", "reconstruction": "reconstruction", "scene": "scene"}
GROUPS |= {"semantics": "semantics", "occupancy": "occupancy"}
"""The groups of a video and the stages that make them."""

ARRAYS = ("scene/depth", "frames/clip_id", "occupancy/labels")
OWN = ("data/youtube-occ.json", "data/scratch")


def _make_room(folder: Path) -> None:
    (folder / "data").mkdir()
    store_room(folder / "data")
    store = Store(folder / "data")
    source = VideoSource(kind="url", origin="https://example.org/room.mp4")
    Catalog(store).register([CatalogRow("room", source, title="a room", uploader="Somebody", licence="CC BY")])
    named_parts(folder / "data/catalog")
    build_dataset(store, SETTINGS.dataset)


def _read_chain(folder: Path, _name: str) -> object:
    store = Store(folder / "data")
    video = store.video("room")
    known = settled(store, SETTINGS.dataset.filters, Selection(None, SETTINGS), SETTINGS.dataset.give_up_after)
    made = [made_by(video, stage) for stage in GROUPS.values()]
    return known, made, [video.listed(group) for group in GROUPS], finished(video), indoor_scores(video, "0")


def _read_queue(folder: Path, _name: str) -> object:
    return list(due(Catalog(Store(folder / "data")), SETTINGS.of(video_stage).web, SETTINGS.dataset.order))


def _make_unlisted(folder: Path) -> None:
    """Make a dataset as of release 0.1, whose groups list no files, so that damage reaches Zarr itself."""
    _make_room(folder)
    for path in _groups(folder):
        content = json.loads(path.read_text())
        content["attributes"].pop("files")
        path.write_text(json.dumps(content))


def _groups(folder: Path) -> Iterator[Path]:
    yield from (folder / "data/videos/room/scene.zarr").glob("*/zarr.json")


def _read_array(folder: Path, name: str) -> object:
    store = Store(folder / "data")
    array = next(array for array in ARRAYS if f"/{array}/" in name)
    group, _, own = array.partition("/")
    return FrameReader(store).read("room", array, 0), store.video("room").read(group, own, slice(0, 2))


def _make_scores(folder: Path) -> None:
    video = Store(folder / "data").video("tour-5")
    overlap = Overlap(matched=[0] * 13, predicted=[1] * 13, true=[2] * 13, both_occupied=3, either_occupied=4)
    numbers = {name: 0.5 for name in ClipErrors.model_fields if name not in ("video_id", "clip_id")}
    clip = ClipErrors.model_validate({**numbers, "video_id": "tour-5", "clip_id": 0, "frames": 3, "registered": 3})
    scores = dict.fromkeys(TourScores.model_fields, 0) | {"video_id": "tour-5", "fingerprint": "f"}
    scores |= {"cuts": CutCounts(found=1, true=1, matched=1), "clips": (clip,)}
    scores |= {name: overlap for name, field in TourScores.model_fields.items() if field.annotation is Overlap}
    video.write_json("quality.json", TourScores.model_validate(scores).model_dump(mode="json"))


READERS = (
    Reader("chain", _make_room, _read_chain, 0.1, tuple(f"/{group}/zarr.json" for group in GROUPS), may_write=OWN),
    Reader("queue", _make_room, _read_queue, 0.1, ("parts.json", "catalog/0.parquet"), may_write=OWN),
    Reader(
        "unlisted",
        _make_unlisted,
        _read_array,
        0.1,
        tuple(f"{array}/{end}" for array in ARRAYS for end in ("zarr.json", "c/0", "c/0/0/0", "c/0/0/0/0")),
    ),
    Reader("scores", _make_scores, lambda folder, _name: _stored_scores(Store(folder / "data").video("tour-5")), 2),
)
