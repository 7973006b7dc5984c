"""Where a dataset lies, and which videos it holds."""

from pathlib import Path
from uuid import uuid4

import pytest

from pipeline.contract.errors import SettingsError
from pipeline.store.store import DATA_VARIABLE, Store, data_url


def test_the_folder_that_was_named_comes_before_the_environment_and_that_before_the_default(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    assert data_url() == "data"
    monkeypatch.setenv(DATA_VARIABLE, "s3://bucket/set")
    assert data_url() == "s3://bucket/set"
    assert data_url("here") == "here"
    monkeypatch.setenv(DATA_VARIABLE, "")
    assert data_url("") == "data"


def test_videos_are_listed_by_name_and_nothing_else_is(tmp_path: Path):
    store = Store(tmp_path)
    assert store.video_ids() == []
    for video_id in ("tour-9", "tour-10", "dQw4w9WgXcQ"):
        store.video(video_id).write_json("source.json", {})
    for stranger in (".hidden", "with space", "ü", "x" * 65):
        (tmp_path / "videos" / stranger).mkdir()
    assert store.video_ids() == ["dQw4w9WgXcQ", "tour-10", "tour-9"]


def test_videos_in_an_object_store_are_listed_too():
    store = Store(f"memory://{uuid4().hex}/set")
    assert store.video_ids() == []
    store.video("tour-9").write_json("source.json", {})
    assert store.video_ids() == ["tour-9"]


def test_a_video_that_does_not_exist_yet_can_be_asked_for(tmp_path: Path):
    video = Store(tmp_path).video("tour-5")
    assert not video.exists("source.json")
    assert list(tmp_path.iterdir()) == [], "asking writes nothing"


@pytest.mark.parametrize("video_id", ["", "..", "a/b", "../../etc/passwd", "a.b", "a b", "x" * 65, "ä", "a\n"])
def test_ids_that_could_lead_elsewhere_are_refused(tmp_path: Path, video_id: str):
    with pytest.raises(SettingsError, match="is not of the form"):
        Store(tmp_path).video(video_id)
