"""A hierarchy tells readers that know nothing of this program what is in it."""

from pathlib import Path

import numpy as np
import pytest
import zarr

from pipeline.contract.classes import SemanticClass
from pipeline.contract.grid import GRID_SHAPE
from pipeline.store.description import FORMAT_VERSION, axes, root_attributes
from pipeline.store.store import Store
from tests.earlier import VIDEO, unpack_earlier_dataset
from tests.pipeline.stored_room import store_room

GROUPS = ("frames", "reconstruction", "scene", "semantics", "occupancy")


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("room")
    store_room(folder)
    return folder / "videos" / "room" / "scene.zarr"


def test_the_root_names_classes_colours_and_the_grid(scene: Path):
    attributes = zarr.open_group(scene, mode="r").attrs.asdict()
    assert attributes == root_attributes()
    assert attributes["format_version"] == FORMAT_VERSION
    assert {"id": 7, "name": "sofa", "colour": [147, 102, 188]} in attributes["classes"]
    assert len(attributes["classes"]) == len(SemanticClass)
    assert (attributes["voxel_size_m"], tuple(attributes["grid_shape"])) == (0.08, GRID_SHAPE)


@pytest.mark.parametrize("group", GROUPS)
def test_every_array_names_its_axes_and_a_name_has_one_length(scene: Path, group: str):
    lengths = dict[str, int]()
    arrays = dict(zarr.open_group(scene / group, mode="r").arrays())
    assert arrays
    for name, array in arrays.items():
        named = array.metadata.dimension_names
        assert len(set(named)) == array.ndim, name
        for axis, length in zip(named, array.shape, strict=True):
            assert lengths.setdefault(axis, length) == length, f"{name}: {axis}"


@pytest.mark.parametrize("group", GROUPS)
def test_xarray_opens_a_group(scene: Path, group: str):
    xarray = pytest.importorskip("xarray")
    opened = xarray.open_zarr(scene / group, consolidated=False)
    assert set(opened) == {name for name, _ in zarr.open_group(scene / group, mode="r").arrays()}
    if group == "occupancy":
        assert opened["labels"].dims == ("frame", "x", "y", "z")
        found = opened["labels"].isel(frame=1).values
        assert np.array_equal(found, zarr.open_array(scene / "occupancy" / "labels", mode="r")[1])


def test_an_array_without_a_name_of_its_own_has_axes_of_its_own():
    assert axes("features", 3) == ("frame", "features_1", "features_2")
    assert axes("labels", 3) == ("frame", "row", "column")
    assert axes("clip_id", 1) == ("frame",)


def test_a_hierarchy_of_an_earlier_release_still_opens_and_keeps_its_root(tmp_path: Path):
    store = Store(unpack_earlier_dataset(tmp_path))
    assert store.video(VIDEO).read("occupancy", "labels").shape[1:] == GRID_SHAPE
    assert "format_version" not in zarr.open_group(store.path("videos", VIDEO, "scene.zarr"), mode="r").attrs
