"""The simulation of very many videos, on few: what it does is what it says, whatever it takes."""

from pathlib import Path

import pytest

from assets.bench import scale
from pipeline.bench.refresh import made_up_store
from pipeline.settings import load_settings
from pipeline.stages.run import is_built
from pipeline.store.store import Store

VIDEOS = 12


@pytest.fixture
def folder(tmp_path: Path) -> str:
    made_up_store(tmp_path / "data", VIDEOS, scale.FRAMES)
    return str(tmp_path)


def test_what_is_measured_is_done(folder: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(scale, "ROWS_MARKED", 5)
    assert scale.missing(folder) == {"videos": VIDEOS}
    assert 0 < scale.frames(folder)["frames"] <= VIDEOS * scale.FRAMES
    assert scale.mark(folder) == {"videos": 5}
    catalog = Store(Path(folder) / "data")
    assert scale.register(folder) == {"videos": scale.AT_ONCE}
    assert len(scale.Catalog(catalog)) == VIDEOS + scale.AT_ONCE


def test_a_block_of_stubs_is_built_by_one_run(folder: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DAGSTER_HOME", folder)
    monkeypatch.setattr(scale.local, "WORKER", scale.STUB)
    found = scale.build_block(folder, 0)
    assert found["built"] == VIDEOS
    assert found["records"] < 5 * VIDEOS
    store, settings = Store(Path(folder) / "data"), load_settings("classic")
    assert all(is_built(store.video(video_id), settings) for video_id in store.video_ids())
    assert scale.missing(folder) == {"videos": 0}
