"""What a dataset's own labels are read as, and counted by, where they are taught beside exact ones."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.classes import SemanticClass
from pipeline.contract.progress import silent
from tests.training.doubtful import doubtful_frames
from tests.training.rooms import RoomFrames, stored_frames
from tests.training.tiny_runs import quick
from training.data import Sample, StoredFrames
from training.data.label_weights import voxel_weights
from training.errors import UnusableDataset
from training.settings import FinetuneSettings
from training.studies.experiment_settings import Experiment
from training.studies.label_efficiency import Study
from training.studies.taught_labels import READ, WEIGHTED, DoubtedRooms, as_stored, exactly, relabelled, zero_shot


def test_a_video_that_is_no_rendered_tour_has_no_exact_labels(tmp_path: Path):
    frames = stored_frames(tmp_path)
    with pytest.raises(UnusableDataset, match="room is no rendered tour"):
        exactly(frames, 0)


def test_what_is_unknown_can_be_taught_as_empty(tmp_path: Path):
    frames = stored_frames(tmp_path)
    known, emptied = READ["pipeline"](frames, 0).labels, READ["emptied"](frames, 0).labels
    unknown = known == SemanticClass.UNKNOWN
    assert unknown.any()
    assert (emptied[unknown] == SemanticClass.EMPTY).all()
    assert np.array_equal(emptied[~unknown], known[~unknown])


def test_frames_that_were_labelled_again_stay(tmp_path: Path):
    frames = StoredFrames(stored_frames(tmp_path / "data").store, "all", every=3)
    steps: list[tuple[int, int]] = []
    made = relabelled(frames, as_stored, tmp_path / "rooms", lambda _, *step: steps.append(step))
    assert (len(made), steps) == (2, [(1, 2), (2, 2)])

    def refusing(frames: StoredFrames, index: int) -> Sample:
        raise AssertionError(frames.names[index])

    again = relabelled(frames, refusing, tmp_path / "rooms", silent)
    assert again.names == made.names == ("NYUroom_0000", "NYUroom_0003")
    assert np.array_equal(again[1].labels, frames[1].labels)


def test_how_sure_a_frame_is_goes_with_it_to_another_camera(tmp_path: Path):
    frames = doubtful_frames(tmp_path / "data")
    rooms = relabelled(frames, as_stored, tmp_path / "rooms", silent)
    doubted = DoubtedRooms(rooms, frames)
    for by in WEIGHTED.values():
        there, here = (
            voxel_weights(sample, doubt, by)
            for sample, doubt in ((doubted[2], doubted.doubt(2)), (frames[2], frames.doubt(2)))
        )
        assert np.mean(np.abs(there - here) < 0.02) > 0.95, "voxels that the other camera shows by other pixels"
    assert doubted.content(2) != rooms.content(2), "weights decide what is learned, too"


def test_labels_are_taught_by_how_sure_they_are_on_the_same_rooms(tmp_path: Path):
    frames = doubtful_frames(tmp_path / "data", every=3)
    tuning = FinetuneSettings(loop=quick(steps=1, batch_size=1))
    experiment = Experiment(
        weights="package",
        teacher="efficientnet",
        zero_shot=("pipeline", *WEIGHTED),
        study=Study(preset="tiny", finetune=tuning),
    )
    found = dict(zero_shot(experiment, frames, RoomFrames(1), tmp_path, silent))
    assert list(found) == ["pipeline", *WEIGHTED]
    assert len({tuple(figures.items()) for figures in found.values()}) == 4, "each has learned something else"
    assert [path.name.split("_")[1] for path in tmp_path.glob("labels_*") if path.is_dir()] == ["pipeline"]
