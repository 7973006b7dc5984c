"""A tour small enough to be built in tests: one room, one shot from outside, a title card."""

from pathlib import Path
from typing import Any

from pipeline.settings import Settings, load_settings
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.video_source import parse_source
from pipeline.stages.base import Workbench
from pipeline.store.store import Store

SEED = 5
SMALL: dict[str, Any] = {
    "video": {
        "tour": {
            "fps": 8,
            "rooms_max": 3,
            "indoor_shots": 1,
            "outdoor_shots": 1,
            "shot_seconds": 2.5,
            "title_seconds": 1.0,
        }
    },
    "clips": {"keep_all_up_to": 0, "frames_per_second": 4.0},
}


def small_settings(**stages: Any) -> Settings:
    return load_settings(overrides={**SMALL, **stages})


def small_workbench(folder: Path, source: str = f"tour://{SEED}", **stages: Any) -> Workbench:
    """Register a source in a data folder and return what its stages work with."""
    store = Store(folder)
    catalog = Catalog(store)
    (video_id,) = catalog.add([parse_source(source)])
    return Workbench(store.video(video_id), catalog, small_settings(**stages))
