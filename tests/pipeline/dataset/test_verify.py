"""``verify`` reads every file and names what is not as it was written, and changes nothing unless it is told to."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.dataset.index import build_dataset
from pipeline.dataset.verify import Problem, set_aside, verify
from pipeline.settings import load_settings
from pipeline.stages.chain import finished
from pipeline.store.store import Store
from tests.earlier import unpack_earlier_dataset
from tests.pipeline.stored_room import store_room


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A dataset of one room."""
    (tmp_path / "data").mkdir()
    made = Store(store_room(tmp_path / "data").files.root)
    build_dataset(made, load_settings().dataset)
    return made


def flip_a_bit(path: Path, place: int = 60) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 4
    path.write_bytes(content)


def files_of(store: Store) -> dict[str, bytes]:
    root = Path(store.root)
    paths = (path for path in root.rglob("*") if path.is_file() and "scratch" not in path.parts)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


def test_a_sound_dataset_has_no_problem(store: Store, tmp_path: Path):
    assert list(verify(store, store.video_ids())) == []
    earlier = Store(unpack_earlier_dataset(tmp_path))
    assert list(verify(earlier, earlier.video_ids())) == [], "release 0.1, without checksums"


SOUND = "videos/room/scene.zarr"
DAMAGES: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "a bit of a picture": ("frames/rgb/c/0/0/0/0", flip_a_bit, "is not what was written"),
    "a lost shard": ("scene/depth/c/0/0/0", Path.unlink, "is missing"),
    "lost metadata of a group": ("scene/zarr.json", Path.unlink, "has no metadata"),
    "lost metadata of an array": ("semantics/labels/zarr.json", Path.unlink, "is missing"),
    "a bit of the clips": ("../clips.parquet", flip_a_bit, "CorruptStore"),
    "a bit of the video": ("../source.mp4", flip_a_bit, "source.mp4 is not what was fetched"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_named_and_nothing_is_changed(store: Store, damage: str):
    name, inflict, said = DAMAGES[damage]
    inflict(Path(store.root) / SOUND / name)
    before = files_of(store)
    found = list(verify(store, ["room"]))
    assert any(said in problem.detail for problem in found), found
    assert files_of(store) == before


def test_what_is_damaged_is_moved_aside_when_asked(store: Store):
    flip_a_bit(Path(store.root) / SOUND / "scene/depth/c/0/0/0")
    (found,) = verify(store, ["room"])
    assert found.group == "scene"
    assert "damaged/scene-1" in set_aside(store, found)
    assert not store.video("room").has_group("scene")
    assert finished(store.video("room")) is None
    with store.video("room").locked():
        assert "is being worked on" in set_aside(store, Problem("room", "junk", "semantics"))
    assert store.video("room").has_group("semantics")


def test_an_index_of_other_results_is_named(store: Store):
    video = store.video("room")
    path = "scene.zarr/occupancy/zarr.json"
    metadata = video.read_json(path)
    metadata["attributes"]["fingerprint"] = "0" * 16
    video.write_json(path, metadata)
    (found,) = verify(store, ["room"])
    assert "the dataset's index was written from other results" in found.detail
    metadata["attributes"]["upstream"] = "1" * 16
    video.write_json(path, metadata)
    details = [problem.detail for problem in verify(store, ["room"])]
    assert "its results were not made from each other: build it again" in details
