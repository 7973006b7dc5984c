from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.errors import ChangedSinceIndexed, SettingsError, StageMissing
from pipeline.contract.grid import VOXEL_SIZE
from pipeline.pictures.viewer.clip_view import MOST_FRAMES, read_clip_view, shown_rows
from pipeline.store.store import Store
from pipeline.store.video import VideoStore
from tests.pipeline.stored_room import FRAMES, store_room


def test_a_view_holds_what_is_stored(room: VideoStore):
    view = read_clip_view(room, 0)
    assert (view.title, view.video_id, view.clip_id) == ("a room", "room", 0)
    assert view.rows.tolist() == list(range(FRAMES))
    assert np.array_equal(view.grids, room.read("occupancy", "labels"))
    assert view.labels.shape == (FRAMES, 96, 128)
    assert len(view.cloud.steps) > 1000
    assert view.truth is None is view.words


def test_the_corner_of_a_grid_lies_at_its_origin_in_the_world(room: VideoStore):
    view = read_clip_view(room, 0)
    origin, grid_from_world = (room.read("occupancy", name)[2] for name in ("origin", "grid_from_world"))
    corner = view.world_from_voxel[2] @ [10, 20, 5, 1]
    assert np.allclose((grid_from_world @ corner)[:3], origin + np.array([10, 20, 5]) * VOXEL_SIZE, atol=1e-5)


def test_a_clip_that_is_not_stored_is_named(room: VideoStore):
    with pytest.raises(SettingsError, match="room has no clip 9: stored are 0"):
        read_clip_view(room, 9)


def test_a_group_that_is_missing_is_named(tmp_path: Path):
    with pytest.raises(StageMissing, match="nothing has no group 'occupancy', nor anything else"):
        read_clip_view(Store(tmp_path).video("nothing"), 0)


def test_a_video_that_is_dropped_while_it_is_looked_at_is_named(tmp_path: Path):
    class Dropped(VideoStore):
        def read(self, group: str, array: str, rows: object = None) -> np.ndarray:
            if group == "semantics":
                self.remove("scene.zarr/semantics/zarr.json")
            return super().read(group, array, rows)  # type: ignore[arg-type]

    stored = store_room(tmp_path)
    with pytest.raises(StageMissing, match="room has no group 'semantics'"):
        read_clip_view(Dropped(stored.files, "room"), 0)


def test_a_video_that_is_built_anew_meanwhile_is_named(tmp_path: Path):
    class Rebuilt(VideoStore):
        seen = 0

        def attributes(self, group: str) -> dict[str, object]:
            self.seen += 1
            return {**super().attributes(group), "created": self.seen}

    stored = store_room(tmp_path)
    with pytest.raises(ChangedSinceIndexed, match="built anew"):
        read_clip_view(Rebuilt(stored.files, "room"), 0)


def test_of_a_long_clip_some_frames_are_shown_from_first_to_last(tmp_path: Path):
    video = Store(tmp_path).video("long")
    with video.write_group("frames") as group:
        group.append("clip_id", np.zeros(90, np.int32))
    with video.write_group("scene") as group:
        group.append("registered", np.arange(90) != 40)
    rows = shown_rows(video, 0)
    assert len(rows) == MOST_FRAMES
    assert (rows[0], rows[-1]) == (0, 89)
    assert 40 not in rows
