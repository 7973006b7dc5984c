"""A recording for Rerun, read back with Rerun's own reader."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.pictures.viewer.recording import write_recording

from .made_up import FRAMES, HOSTILE, made_up_view


def rows(path: Path, entity: str, component: str) -> Iterator[tuple[Any, Any]]:
    """Yield (seconds of the film or None, value) of a component."""
    from rerun.chunk import RrdReader

    for chunk in RrdReader(path).stream().to_chunks():
        batch = chunk.to_record_batch()
        if chunk.entity_path == entity and component in batch.schema.names:
            times = batch["video"].to_pylist() if "video" in batch.schema.names else [None] * batch.num_rows
            yield from zip(times, batch[component].to_pylist(), strict=True)


def test_a_recording_holds_every_voxel_and_camera_at_its_time(tmp_path: Path):
    view = made_up_view(HOSTILE)
    write_recording(view, tmp_path / "a.rrd")
    boxes = sorted(rows(tmp_path / "a.rrd", "/world/voxels", "Boxes3D:centers"), key=lambda row: row[0])
    assert len(boxes) == FRAMES
    for index, (time, centres) in enumerate(boxes):
        assert time.total_seconds() == view.time_s[index]
        place = np.linalg.inv(view.world_from_voxel[index]) @ np.c_[centres, np.ones(len(centres))].T
        voxels = np.floor(place[:3].T).astype(int)
        shown = np.argwhere((view.grids[index] > 0) & (view.grids[index] < 255))
        assert np.array_equal(voxels, shown)
    places = [place for _, (place,) in rows(tmp_path / "a.rrd", "/world/camera", "Transform3D:translation")]
    assert np.allclose(sorted(places), sorted(view.camera_to_world[:, :3, 3].tolist()), atol=1e-5)
    ((_, points),) = rows(tmp_path / "a.rrd", "/world/points", "Points3D:positions")
    assert len(points) == len(view.cloud.steps)
    assert [path.name for path in tmp_path.iterdir()] == ["a.rrd"], "no draft is left"


def test_it_says_nothing_of_the_time_at_which_it_was_written(tmp_path: Path):
    from rerun.chunk import RrdReader

    write_recording(made_up_view(), tmp_path / "a.rrd")
    assert {name for chunk in RrdReader(tmp_path / "a.rrd").stream().to_chunks() for name in chunk.timeline_names} == {
        "video"
    }
