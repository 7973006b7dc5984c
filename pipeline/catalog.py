"""Which videos there are: ``<data>/catalog.parquet``, one row a video with the source it comes from."""

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc
from filelock import FileLock

from pipeline.errors import StageMissing
from pipeline.sources import VideoSource, parse_source, video_id
from pipeline.store import Store

CATALOG = "catalog.parquet"
_SCHEMA = pa.schema([("video_id", pa.string()), ("origin", pa.string())])


def register(store: Store, sources: Iterable[VideoSource]) -> list[str]:
    """Add sources that the catalog lacks; return the ids of all ``sources``, in their order, each once."""
    listed = {video_id(source): source.origin for source in sources}
    store.scratch.mkdir(parents=True, exist_ok=True)
    with FileLock(store.scratch / "catalog.lock"):
        known = _read(store)
        fresh = sorted(set(listed) - set(known["video_id"].to_pylist()))
        rows = pa.table({"video_id": fresh, "origin": [listed[key] for key in fresh]}, _SCHEMA)
        if fresh:
            store.write_table(pa.concat_tables([known, rows]), CATALOG)
    return list(listed)


def source_of(store: Store, key: str) -> VideoSource:
    """Return where a registered video comes from.

    Raises:
        StageMissing: the catalog does not know the video.
    """
    table = _read(store)
    origins = table.filter(pc.field("video_id") == key)["origin"].to_pylist()
    if not origins:
        message = f"{key} is not in the catalog: list its source in sources.yaml and materialise video_catalog"
        raise StageMissing(message)
    return parse_source(origins[0])


def registered(store: Store) -> list[str]:
    """Return the ids of all registered videos, in order of registration."""
    return list(_read(store)["video_id"].to_pylist())


def _read(store: Store) -> pa.Table:
    return store.read_table(CATALOG) if store.exists(CATALOG) else _SCHEMA.empty_table()
