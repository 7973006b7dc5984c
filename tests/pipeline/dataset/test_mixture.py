"""One way of making a dataset, unless somebody said otherwise."""

from pathlib import Path

import pytest

from pipeline import process
from pipeline.contract.errors import MixedDataset
from pipeline.dataset.index import build_dataset
from pipeline.dataset.mixture import check_alike
from pipeline.settings import Layer, load_settings, resolve
from pipeline.sources.catalog.catalog import Catalog
from pipeline.store.store import Store
from tests.earlier import VIDEO, unpack_earlier_dataset


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(unpack_earlier_dataset(tmp_path))


def test_a_video_beside_a_dataset_is_made_as_the_dataset_was(store: Store):
    settings = resolve(dataset=store).settings
    assert settings.profile == "small"
    check_alike(store, settings, "another")
    (Path(store.root) / "dataset" / "index.parquet").unlink()
    assert resolve(dataset=store).settings.profile == "small", "though nothing was indexed yet"


def test_another_profile_is_refused_before_anything_is_written(store: Store):
    with pytest.raises(MixedDataset, match=rf"as {VIDEO}.*dataset.mixed=true"):
        process("tour://6", store.root, profile="classic")
    assert Catalog(store).known(["tour-6"]) == set()
    assert not store.video("tour-6").exists("failure.json")


def test_what_somebody_said_holds(store: Store):
    mixed = resolve(Layer("here", "classic", values={"dataset": {"mixed": True}}), dataset=store).settings
    check_alike(store, mixed, "another")


def test_a_lone_video_may_be_made_again_in_any_way(store: Store, tmp_path: Path):
    check_alike(store, load_settings("classic"), VIDEO)
    check_alike(Store(tmp_path / "nothing"), load_settings("classic"), VIDEO)
    build_dataset(store, load_settings().dataset)
