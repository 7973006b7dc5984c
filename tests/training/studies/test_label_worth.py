"""Probes taught by a tour's own grids and by doubted ones: what counts, and what is asked."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.classes import SemanticClass
from tests.training.probes.test_voxels import Houses
from tests.training.rooms import stored_frames
from training.checkpoints import new_network
from training.errors import UnusableDataset
from training.probes.run import ProbeSettings
from training.probes.voxels import drawn_voxels, voxel_rows
from training.studies.label_worth import AS_BUILT, ListedFrames, by_confidence, by_scale, listed, worth, worth_report
from training.tasks.losses import CLASSES

PROBE = ProbeSettings(voxels=120, ridges=(0.1, 10.0), folds=2)


@pytest.fixture(scope="module")
def frames() -> ListedFrames:
    """Rooms of two houses, whose scale and labels are certain in the one and doubtful in the other."""
    rooms = Houses(4, 0)
    samples = [replace(rooms[i], regions=np.full((480, 640), 255 if i < 2 else 51, np.int32)) for i in range(4)]
    sigma = {sample.name: 0.0 if i < 2 else 0.032 for i, sample in enumerate(samples)}
    return ListedFrames("rooms", tuple(samples), sigma)


def test_rows_count_by_scale_and_confidence_of_their_frame(frames: ListedFrames, tmp_path: Path):
    rows = voxel_rows(new_network("tiny", CLASSES), frames, PROBE.voxels, PROBE.seed, tmp_path)
    doubtful = rows.rooms >= 2
    assert np.allclose(by_scale(rows, frames), np.where(doubtful, 0.5, 1.0))
    assert np.allclose(by_confidence(frames, PROBE), np.where(doubtful, 0.2, 1.0))
    unknown = replace(frames, sigma=dict.fromkeys(frames.names, float("nan")))
    assert np.allclose(by_scale(rows, unknown), 1), "a scale that nobody doubted counts as one that is right"


def test_every_kind_is_scored_on_the_same_rooms(frames: ListedFrames, tmp_path: Path):
    kinds = {AS_BUILT: frames, (True, True, True): replace(frames, origin="exact rooms")}
    scores = list(worth(new_network("tiny", CLASSES), kinds, Houses(2, 1), PROBE, tmp_path))
    assert [found.start for found in scores] == [
        "as built",
        "exact scale, depth, names",
        "as built, by scale_sigma",
        "as built, by confidence",
        "as built, by both",
        "as built, unknown as empty",
    ]
    lines = worth_report(scores).splitlines()
    assert lines[0].startswith("4 frames, networks: 1")
    assert [line.split(" | ")[0] for line in lines[4:10]] == [f"| {found.start}" for found in scores]
    assert lines[4].endswith("| +0.00 [+0.00, +0.00] | +0.00 [+0.00, +0.00] |"), "of what is built over itself"
    assert scores[0].houses == scores[1].houses, "the same grids"
    assert len({tuple(found.houses) for found in scores}) == 1


def test_unknown_voxels_become_empty_ones(frames: ListedFrames):
    emptied = frames.unknown_as_empty()
    assert emptied.origin != frames.origin
    assert not (emptied[0].labels == SemanticClass.UNKNOWN).any()
    assert len(drawn_voxels(emptied[0], 10**6, 0)) >= len(drawn_voxels(frames[0], 10**6, 0))


def test_a_video_that_is_no_tour_has_no_exact_parts(tmp_path: Path):
    with pytest.raises(UnusableDataset, match="room is no rendered tour"):
        listed(stored_frames(tmp_path), [AS_BUILT])
