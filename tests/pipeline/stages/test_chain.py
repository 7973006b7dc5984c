"""A video is finished where each result was made from the one before; anything else is a mixture."""

from pathlib import Path

import pytest

from pipeline.stages.chain import (
    final,
    finished,
    finished_fingerprint,
    identities_of_groups,
    made_by,
    upstream,
)
from pipeline.stages.registry import stages
from pipeline.stages.run import final_fingerprint, is_built
from pipeline.store.groups import SCENE_ZARR, SOURCE_NOTES
from pipeline.store.outputs import PROVENANCE, GroupOutput, TableOutput
from pipeline.store.store import Store
from pipeline.store.video import VideoStore
from tests.earlier import VIDEO, unpack_earlier_dataset
from tests.pipeline.stages.filling import workbench_of


def note_again(video: VideoStore, name: str, **changes: str) -> None:
    """Change what a stored result says of itself, as a stage does that is run again."""
    output = stages()[name].output
    if isinstance(output, GroupOutput):
        path = f"{SCENE_ZARR}/{output.name}/zarr.json"
        metadata = video.read_json(path)
        metadata["attributes"] |= changes
        video.write_json(path, metadata)
    elif isinstance(output, TableOutput):
        with output.draft(video) as draft:
            draft.table = video.read_table(output.name)
            draft.attributes.update({**(output.noted(video) or {}), **changes})
    else:
        notes = video.read_json(SOURCE_NOTES)
        notes[PROVENANCE] |= changes
        video.write_json(SOURCE_NOTES, notes)


def test_every_result_notes_what_it_was_made_from(own_room: VideoStore):
    made = finished(own_room)
    assert made is not None
    assert list(made) == list(stages())
    assert made["video"].upstream == own_room.video_id
    assert made["occupancy"].upstream == made["semantics"].fingerprint
    assert upstream("room", "scene", made) == made["reconstruction"].fingerprint
    assert finished_fingerprint(own_room) == final(made) == made["occupancy"].fingerprint
    assert is_built(own_room, workbench_of(own_room).settings)


def test_a_dataset_of_release_0_1_is_checked_by_what_its_fingerprints_cover(tmp_path: Path):
    store = Store(unpack_earlier_dataset(tmp_path).parent / "data")
    made = finished(store.video(VIDEO))
    assert made is not None
    assert {result.upstream for result in made.values()} == {""}


@pytest.mark.parametrize("name", list(stages()))
def test_a_result_made_again_under_other_settings_unfinishes_the_video(own_room: VideoStore, name: str):
    note_again(own_room, name, fingerprint="0" * 16)
    is_last = name == list(stages())[-1]
    assert (finished(own_room) is not None) == is_last
    assert not is_built(own_room, workbench_of(own_room).settings)


@pytest.mark.parametrize("name", ["clips", "indoor_clips", "reconstruction", "scene", "semantics", "occupancy"])
def test_a_video_without_one_of_its_results_is_not_finished(own_room: VideoStore, name: str):
    stages()[name].output.set_aside(own_room)
    assert finished(own_room) is None
    assert finished_fingerprint(own_room) is None


def test_groups_are_listed_with_their_fingerprints(own_room: VideoStore):
    made = finished(own_room)
    assert made is not None
    groups = identities_of_groups(made)
    assert groups == {
        "frames": made["indoor_clips"].fingerprint,
        **{name: made[name].fingerprint for name in ("reconstruction", "scene", "semantics", "occupancy")},
    }
    assert own_room.files.names(*own_room.folder, SCENE_ZARR) == [*sorted(groups), "zarr.json"]


def test_settings_that_come_back_find_the_mixture_that_others_left(own_room: VideoStore):
    """Settings A, then frames under B, then A again: the grids of A lie beside frames of B."""
    workbench = workbench_of(own_room)
    note_again(own_room, "indoor_clips", fingerprint="b" * 16)
    occupancy = made_by(own_room, "occupancy")
    assert occupancy is not None
    assert occupancy.fingerprint == final_fingerprint(own_room.video_id, workbench.settings)
    assert not is_built(own_room, workbench.settings)
