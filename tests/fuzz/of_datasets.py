"""Targets that lie in a data folder: catalog, index, notes of videos, metadata and shards of groups, marks."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from pipeline.contract.errors import NoClips
from pipeline.dataset.contents import read_contents
from pipeline.dataset.index import build_dataset
from pipeline.dataset.known import settled
from pipeline.dataset.manifest import count_videos, export_manifest, read_recipe
from pipeline.dataset.selection import EVERYTHING, Selection
from pipeline.quality.scores import TourScores
from pipeline.settings import load_settings
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import CatalogRow
from pipeline.sources.due import due
from pipeline.sources.video_source import VideoSource
from pipeline.sources.web.hosts import Hosts
from pipeline.stages.chain import finished, made_by
from pipeline.stages.failures import last_failure, record_failure
from pipeline.stages.indoor_clips.rows import indoor_scores
from pipeline.stages.video.fetch import read_source
from pipeline.stages.video.stage import video as video_stage
from pipeline.store.frames import FrameReader
from pipeline.store.index import INDEX_SCHEMA, index_files, read_index, read_summary
from pipeline.store.rows import stored_clips
from pipeline.store.store import Store
from pipeline.store.video import VideoStore
from tests.fuzz.targets import Target
from tests.pipeline.stored_room import store_room
from tests.torture.processes import in_own_process

SETTINGS = load_settings("classic")


def targets(folder: Path) -> Iterator[Target]:
    """Yield them."""
    in_own_process(partial(_prepare, folder))  # Zarr's threads would not be there after a fork
    data, room = Store(folder / "data"), folder / "data" / "videos" / "room"
    yield from _of_tables(data, folder)
    yield from _of_notes(data, room)
    yield from _of_groups(Store(folder / "bare"), folder / "bare" / "videos" / "room" / "scene.zarr")


def _prepare(folder: Path) -> None:
    data = _dataset(folder / "data")
    export_manifest(data, Catalog(data), folder / "manifest.parquet")
    _without_lists(folder / "bare")


def _dataset(folder: Path) -> Store:
    folder.mkdir()
    video = store_room(folder)
    store = Store(folder)
    source = VideoSource(kind="url", origin="https://example.org/room.mp4")
    Catalog(store).register([CatalogRow("room", source, title="a room", uploader="Somebody", licence="CC BY")])
    record_failure(video, "scene", "0", NoClips("a failure"))
    build_dataset(store, SETTINGS.dataset)
    return store


def _without_lists(folder: Path) -> Store:
    """Return a dataset as of release 0.1, whose groups list no files, so that damage reaches Zarr itself."""
    store = _dataset(folder)
    for path in (folder / "videos" / "room" / "scene.zarr").glob("*/zarr.json"):
        content = json.loads(path.read_text())
        content["attributes"].pop("files")
        path.write_text(json.dumps(content))
    return store


def _at(path: Path) -> tuple[bytes, ...]:
    return (path.read_bytes(),)


def _of_tables(data: Store, folder: Path) -> Iterator[Target]:
    root, manifest = Path(data.root), folder / "manifest.parquet"
    yield Target("manifest", manifest, _at(manifest), lambda path: (read_recipe(path), count_videos(path)), 20)
    recipe = json.dumps(read_recipe(manifest).model_dump(mode="json")).encode()
    yield Target("recipe", folder / "recipe.json", (recipe,), _recipe, 20)
    parts = root / "catalog" / "parts.json"
    yield Target("list of the catalog", parts, _at(parts), lambda _: _rows(data), 20)
    table = next(path for path in (root / "catalog").glob("*.parquet"))
    yield Target("table of the catalog", table, _at(table), lambda _: _rows(data), 20)
    whole = ["video_id", "row", "split", "made"]
    index, summary = root / "dataset" / "index.parquet", root / "dataset" / "summary.json"
    yield Target("index", index, _at(index), lambda _: read_index(data, INDEX_SCHEMA.names), 20)
    yield Target("summary", summary, _at(summary), lambda _: read_summary(data), 40)
    files = root / "dataset" / "index" / "_files.json"
    files.parent.mkdir(exist_ok=True)
    corpus = (b'{"files": [{"name": "index.parquet", "first": ""}], "written": "a"}',)
    yield Target("files of the index", files, corpus, lambda _: (index_files(data), read_index(data, whole)), 20)
    contents, known = root / "dataset" / "contents.parquet", root / "dataset" / "videos.parquet"
    yield Target("contents of the index", contents, _at(contents), lambda _: read_contents(data), 20)
    asked = Selection(None, SETTINGS)
    use = partial(settled, data, SETTINGS.dataset.filters, asked, 3)
    yield Target("what is known of videos", known, _at(known), lambda _: (use(), EVERYTHING), 20)


def _recipe(path: Path) -> object:
    from pipeline.dataset.recipe import DatasetRecipe

    try:
        return DatasetRecipe.model_validate_json(path.read_bytes())
    except ValueError:  # a manifest with it is refused: see ``read_recipe``
        return None


def _rows(store: Store) -> object:
    catalog = Catalog(store)
    return catalog.rows(["room"]), list(due(catalog, SETTINGS.of(video_stage).web, SETTINGS.dataset.order))


def _of_notes(data: Store, room: Path) -> Iterator[Target]:
    video = data.video("room")
    yield Target("failure.json", room / "failure.json", _at(room / "failure.json"), lambda _: last_failure(video), 60)
    notes = room / "source.json"
    yield Target("source.json", notes, _at(notes), lambda _: (made_by(video, "video"), read_source(room)), 40)
    clips = room / "clips.parquet"
    yield Target("clips.parquet", clips, _at(clips), lambda _: _clips(video), 20)
    score = b'{"video_id": "tour-5", "fingerprint": "f", "clips": []}'
    yield Target("quality.json", room / "quality.json", (score,), lambda _: _scores(video), 20)
    mark = Path(data.root) / "youtube-occ.json"
    yield Target("mark of a data folder", mark, _at(mark), lambda path: Store(path.parent).make_scratch(), 10)
    hosts = Hosts(Path(data.root) / "hosts", SETTINGS.of(video_stage).web)
    hosts.refused("example.org", 3.0)
    state = next(path for path in (Path(data.root) / "hosts").iterdir() if path.suffix == ".json")
    yield Target("state of a host", state, _at(state), lambda _: hosts.states(), 40)


def _clips(video: VideoStore) -> object:
    return made_by(video, "clips"), stored_clips(video), indoor_scores(video, "0")


def _scores(video: VideoStore) -> object:
    try:
        return TourScores.model_validate(video.read_json("quality.json"))
    except ValueError:  # scored again
        return None


def _of_groups(bare: Store, scene: Path) -> Iterator[Target]:
    video = bare.video("room")
    names = ("frames", "reconstruction", "scene", "semantics", "occupancy")
    for group, share in zip(names, (6, 6, 20, 6, 6), strict=True):
        path = scene / group / "zarr.json"
        yield Target(f"metadata of {group}", path, _at(path), partial(_metadata, video, group), share)
    for array in ("scene/depth", "frames/clip_id", "occupancy/labels"):
        path = scene / array / "zarr.json"
        yield Target(f"metadata of {array}", path, _at(path), partial(_array, bare, array), 4)
        shard = min((path for path in (scene / array / "c").rglob("*") if path.is_file()), key=lambda path: path.name)
        yield Target(f"shard of {array}", shard, _at(shard), partial(_array, bare, array), 4)


def _metadata(video: VideoStore, group: str, path: Path) -> object:
    del path
    return made_by(video, "indoor_clips" if group == "frames" else group), video.listed(group), finished(video)


def _array(store: Store, array: str, path: Path) -> object:
    del path
    group, _, name = array.partition("/")
    return FrameReader(store).read("room", array, 0), store.video("room").read(group, name, slice(0, 2))
