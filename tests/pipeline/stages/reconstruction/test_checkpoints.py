"""Finished clips wait in scratch: they come back as they were, and a kill leaves whole ones alone."""

import signal
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from models.errors import DamagedArrays
from pipeline.contract.errors import ClipError, ReconstructionCrashed, TooFewRegistered
from pipeline.contract.records import LeftOut, Reconstruction
from pipeline.geometry.distortion import STRAIGHT
from pipeline.stages.reconstruction.checkpoints import ClipCheckpoints
from pipeline.stages.reconstruction.first_look import UNTOLD, LensFit
from tests.paths import ROOT

KILLED_WHILE_SAVING = """
import os, signal, sys
from pathlib import Path
import numpy as np
from pipeline.contract.records import Reconstruction
from pipeline.stages.reconstruction.checkpoints import ClipCheckpoints
from pipeline.stages.reconstruction.first_look import UNTOLD

class Killing:
    def __array__(self, *_, **__):
        os.kill(os.getpid(), signal.SIGKILL)

fine = np.ones((2, 3, 4), np.float32)
ClipCheckpoints(Path(sys.argv[1])).save(3, Reconstruction(fine, fine, Killing(), fine, fine))
"""


@pytest.fixture
def checkpoints(tmp_path: Path) -> ClipCheckpoints:
    return ClipCheckpoints(tmp_path / "clips")


def reconstruction(seed: int, notes: tuple[str, ...] = ()) -> Reconstruction:
    draw = np.random.default_rng(seed)
    return Reconstruction(
        intrinsics=draw.random((2, 3, 3), np.float32),
        camera_to_world=draw.random((2, 4, 4), np.float32),
        depth=draw.random((2, 3, 4), np.float32),
        confidence=draw.random((2, 3, 4), np.float32),
        registered=np.array([True, False]),
        notes=notes,
        probability_right=0.8,
        depth_source=draw.integers(0, 4, (2, 3, 4), np.uint8),
        log_scale=0.7,
        log_scale_sigma=0.1,
    )


@pytest.mark.parametrize("notes", [(), ("one",), ("the largest of 2 models", "ü")])
def test_a_reconstruction_comes_back_as_it_was(checkpoints: ClipCheckpoints, notes: tuple[str, ...]):
    given = reconstruction(0, notes)
    assert 7 not in checkpoints
    checkpoints.save(7, given)
    assert 7 in checkpoints
    found = checkpoints.load(7)
    assert isinstance(found, Reconstruction)
    assert found.notes == notes
    for field in fields(Reconstruction):
        if field.name != "notes":
            assert np.array_equal(getattr(found, field.name), getattr(given, field.name)), field.name


def test_cameras_wait_for_their_depth(checkpoints: ClipCheckpoints):
    cameras = {"poses": np.eye(4), "names": np.array(["jump", "ü"])}
    fit = LensFit(STRAIGHT, 0.4, 0.3, 90, 500.0, 0.01)
    checkpoints.save(7, None, fit, cameras)
    found = checkpoints.look(7)
    assert (found.fit, found.result) == (fit, None)
    assert found.cameras is not None
    assert {name: array.tolist() for name, array in found.cameras.items()} == {
        name: array.tolist() for name, array in cameras.items()
    }
    with pytest.raises(DamagedArrays, match="not gone on with"):
        checkpoints.load(7)
    checkpoints.save(7, reconstruction(0), fit)
    assert checkpoints.look(7).cameras is None


@pytest.mark.parametrize("error", [TooFewRegistered("2 of 6 frames"), ReconstructionCrashed("status -9: ü")])
def test_an_error_that_leaves_a_clip_out_comes_back_as_its_reason(checkpoints: ClipCheckpoints, error: ClipError):
    checkpoints.save(2, error)
    assert checkpoints.load(2) == LeftOut("reconstruction", 2, error.code, str(error))


def test_clips_do_not_meet_and_the_last_word_on_one_holds(checkpoints: ClipCheckpoints):
    checkpoints.save(1, reconstruction(1))
    checkpoints.save(11, TooFewRegistered("none"))
    checkpoints.save(1, reconstruction(2, ("again",)))
    found = checkpoints.load(1)
    assert isinstance(found, Reconstruction)
    assert found.notes == ("again",)
    assert isinstance(checkpoints.load(11), LeftOut)


def test_another_process_finds_what_is_finished(checkpoints: ClipCheckpoints):
    checkpoints.save(4, reconstruction(0))
    assert 4 in ClipCheckpoints(checkpoints.folder)


def test_a_kill_in_the_middle_of_saving_leaves_no_clip(checkpoints: ClipCheckpoints):
    checkpoints.save(1, reconstruction(1))
    command = [sys.executable, "-c", KILLED_WHILE_SAVING, str(checkpoints.folder)]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    assert 3 not in checkpoints
    assert 1 in checkpoints
    assert list(checkpoints.folder.glob("3.npz.*.part")), "it was killed while it wrote"


def test_nothing_in_a_file_is_executed(checkpoints: ClipCheckpoints):
    with pytest.raises(ValueError, match="allow_pickle"):
        np.savez(checkpoints.folder / "5.npz", allow_pickle=False, error=np.array([{}], object))
    np.savez(checkpoints.folder / "6.npz", error=np.array([{}, {}], object))
    with pytest.raises(DamagedArrays, match="object"):
        checkpoints.load(6)


@pytest.mark.parametrize("left_out", ["depth", "notes", "registered", "lens_fit"])
def test_what_is_no_reconstruction_counts_as_not_done(checkpoints: ClipCheckpoints, left_out: str):
    given = {**vars(reconstruction(1)), "notes": np.array(["a"]), "lens_fit": UNTOLD.as_array()}
    np.savez(checkpoints.folder / "7.npz", **{name: given[name] for name in given if name != left_out})
    assert 7 not in checkpoints
    np.savez(checkpoints.folder / "7.npz", **{**given, "depth": given["depth"][:1]})
    assert 7 not in checkpoints
    np.savez(checkpoints.folder / "7.npz", **given)
    assert 7 in checkpoints
