import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import zarr

from pipeline.store.index import CLASS_COLUMNS
from tests.earlier import VIDEO, unpack_earlier_dataset
from tests.paths import ROOT

REFERENCE = ROOT / "docs" / "reference"
STORE = (REFERENCE / "store.md").read_text()
ROW = re.compile(r"^\| ((?:`\w+`(?:, )?)+) \| (.+?) \|", re.MULTILINE)
SIZES = {"N": 6, "h": 144, "w": 192, "E": 64}
"""Frames, depth maps and embeddings of the earlier dataset."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack_earlier_dataset(tmp_path_factory.mktemp("earlier"))


LATER = {
    "reconstruction/probability_right",
    "reconstruction/rgb",
    "reconstruction/distortion",
    "reconstruction/rolling_shutter",
    "reconstruction/depth_source",
    "reconstruction/log_scale",
    "reconstruction/log_scale_sigma",
    "scene/guessed",
    "scene/camera_height",
    "scene/floor_height",
    "scene/scale_sigma",
    "scene/scale_cues",
    "scene/world_id",
    "occupancy/guessed",
}
"""Arrays that the dataset of release 0.1 lacks."""


def documented(group: str) -> dict[str, tuple[str, str]]:
    """Return shape and dtype of a group's arrays by name, as the page gives them; one dtype may stand for several."""
    section = STORE.partition(f"### {group}\n")[2].partition("\n#")[0]
    found = {}
    for names, told in ROW.findall(section):
        shapes, dtypes = re.findall(r"\(.*?\)", told), re.findall(r"\b(?:u?int|float)\d+\b|\bbool\b", told)
        every = re.findall(r"`(\w+)`", names)
        for place, name in enumerate(every):
            found[name] = (shapes[min(place, len(shapes) - 1)], dtypes[min(place, len(dtypes) - 1)])
    return found


def test_every_stored_array_is_documented_with_its_shape_and_type(data: Path):
    scene = zarr.open_group(data / "videos" / VIDEO / "scene.zarr", mode="r")
    checked = 0
    for group, content in scene.groups():
        arrays = documented(group)
        expected = {name for name in arrays if f"{group}/{name}" not in LATER}
        assert expected == {name for name, _ in content.arrays()}, group
        for name, array in content.arrays():
            shape, dtype = arrays[name]
            sizes = [SIZES.get(size, size) for size in re.findall(r"\w+", shape)]
            if name == "class_counts":
                sizes[1] = "13"  # release 0.1 counted no voxels without a name
            assert str(array.dtype) == dtype, name
            assert len(array.shape) == len(sizes), name
            assert all(size == "R" or int(size) == real for size, real in zip(sizes, array.shape, strict=True)), name
            checked += 1
    assert checked > 25


def test_every_column_of_the_index_is_documented(data: Path):
    columns = pq.read_table(data / "dataset" / "index.parquet").column_names
    plain = [name for name in columns if name not in CLASS_COLUMNS]
    assert [name for name in plain if f"`{name}`" not in STORE] == []
    assert f"`{CLASS_COLUMNS[0]}`" in STORE
    assert f"`{CLASS_COLUMNS[-1]}`" in STORE


def test_every_variable_of_the_environment_is_documented():
    code = "".join(
        path.read_text()
        for package in ("pipeline", "models", "training", "assets")
        for path in (ROOT / package).rglob("*.py")
    )
    variables = set(re.findall(r"\bYOUTUBE_OCC_[A-Z]+\b", code)) | {"SOURCES"}
    table = (REFERENCE / "environment.md").read_text()
    assert [name for name in variables if f"`{name}`" not in table] == []
    assert len(variables) > 5
