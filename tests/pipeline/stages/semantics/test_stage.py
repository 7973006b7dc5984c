"""The stage ``semantics``: what it declares, and the labels that geometry gives a stored room."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.classes import SemanticClass
from pipeline.contract.errors import SettingsError, StageMissing
from pipeline.stages.semantics.backends import SETTINGS
from pipeline.stages.semantics.stage import semantics
from pipeline.stages.semantics.structure import StructureSegmenter
from pipeline.store.outputs import GroupOutput
from pipeline.store.rows import read_scene
from pipeline.store.store import Store
from pipeline.store.video import VideoStore
from tests.pipeline.stages.filling import filled, replaced, workbench_of
from tests.pipeline.stored_room import FRAMES

ALL = slice(0, FRAMES)


def test_it_reads_frames_and_scene_and_writes_labels():
    assert (semantics.name, semantics.settings) == ("semantics", SETTINGS)
    assert semantics.inputs == ("indoor_clips", "scene")
    assert semantics.output == GroupOutput("semantics")
    assert [check.__name__ for check in semantics.checks] == ["label_histogram"]


def test_labels_are_those_of_the_backend(own_room: VideoStore):
    truth = own_room.read("semantics", "labels")
    result = filled(semantics, workbench_of(own_room))
    found = StructureSegmenter().segment(own_room.read("frames", "rgb"), read_scene(own_room, ALL))
    labels = own_room.read("semantics", "labels")
    assert np.array_equal(labels, found.labels)
    assert np.array_equal(own_room.read("semantics", "regions"), found.regions)
    assert result.backend == "structure"
    assert result.counts["share_labelled"] == pytest.approx((labels != SemanticClass.UNKNOWN).mean())
    assert not np.array_equal(labels, truth), "what was stored before came from somebody who knew"


def test_a_clip_without_a_camera_has_no_label_and_does_not_count(own_room: VideoStore):
    replaced(own_room, "frames", clip_id=np.array([0] * 3 + [4] * 3, np.int32))
    replaced(own_room, "scene", registered=np.arange(FRAMES) < 3)
    result = filled(semantics, workbench_of(own_room))
    labels = own_room.read("semantics", "labels")
    assert (labels[3:] == SemanticClass.UNKNOWN).all()
    assert result.counts["share_labelled"] == pytest.approx((labels[:3] != SemanticClass.UNKNOWN).mean())
    assert own_room.read("semantics", "region_offset").tolist() == [0] * FRAMES


def test_progress_names_the_clips(own_room: VideoStore):
    heard: list[str] = []

    def listen(task: str, done: float, total: float, note: str = "") -> None:
        heard.append(f"{task} {done:g}/{total:g} {note}")

    filled(semantics, workbench_of(own_room, listen))
    assert heard == ["semantics 0/1 clip 0"]


def test_a_backend_that_cannot_be_made_leaves_the_earlier_labels(own_room: VideoStore):
    before = own_room.read("semantics", "labels")
    with pytest.raises(SettingsError, match="needs its settings"):
        filled(semantics, workbench_of(own_room, semantics={"backend": "closed_set"}))
    assert np.array_equal(own_room.read("semantics", "labels"), before)


def test_what_has_no_scene_cannot_be_labelled(own_room: VideoStore, tmp_path: Path):
    own_room.set_aside("scene.zarr/scene")
    with pytest.raises(StageMissing, match="scene"):
        filled(semantics, workbench_of(own_room))
    with pytest.raises(StageMissing):
        filled(semantics, workbench_of(Store(tmp_path).video("a")))
