"""Names under which results are stored: those of every dataset that was made before."""

from pathlib import Path

import pytest
import zarr

from pipeline.store import groups
from pipeline.store.groups import CLIPS, FRAMES, OCCUPANCY, RECONSTRUCTION, SCENE, SCENE_ZARR, SEMANTICS, SOURCE_NOTES
from tests.earlier import VIDEO, unpack_earlier_dataset


def test_a_dataset_of_an_earlier_release_has_its_results_under_these_names(tmp_path: Path):
    video = unpack_earlier_dataset(tmp_path) / "videos" / VIDEO
    assert {CLIPS, SOURCE_NOTES, SCENE_ZARR} <= {path.name for path in video.iterdir()}
    stored = set(zarr.open_group(video / SCENE_ZARR, mode="r").group_keys())
    assert stored == {FRAMES, RECONSTRUCTION, SCENE, SEMANTICS, OCCUPANCY}


@pytest.mark.parametrize("name", sorted(name for name in vars(groups) if name.isupper()))
def test_a_name_is_one_part_of_a_path_and_stands_for_one_thing(name: str):
    value = getattr(groups, name)
    assert "/" not in value
    assert not value.startswith(".")
    assert [other for other, text in vars(groups).items() if other.isupper() and text == value] == [name]
