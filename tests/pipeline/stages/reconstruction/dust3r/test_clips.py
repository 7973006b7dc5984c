"""Whole clips through pairs, batches, alignment, stages and store, with a network that answers with the truth."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray
from typer.testing import CliRunner

from models.dust3r import Dust3r
from pipeline.cli.app import command_line
from pipeline.contract.errors import TooFewRegistered
from pipeline.contract.records import Reconstruction
from pipeline.geometry.poses import depth_errors, focal_error, pose_errors, resize_nearest
from pipeline.quality import QualityReport
from pipeline.quality.scores import TourScores
from pipeline.stages.base import Workbench
from pipeline.stages.chain import made_by
from pipeline.stages.profiles import PROFILES
from pipeline.stages.reconstruction.dust3r.backend import Dust3rReconstructor
from pipeline.stages.reconstruction.dust3r.settings import Dust3rSettings
from pipeline.store.store import Store
from pipeline.store.video import VideoStore
from pipeline.tours.frame_truth import FrameTruth
from pipeline.tours.truth import tour_of
from tests.pipeline.small_tour import SEED, SMALL
from tests.pipeline.stages.reconstruction.colmap.clips import MakesClips
from tests.pipeline.stages.reconstruction.dust3r.oracle import Oracle

IMAGE_SIZE = 160  # 160x120, of which the network sees 160x112


@dataclass(frozen=True)
class Frames:
    rgb: NDArray[np.uint8]
    truth: tuple[FrameTruth, ...]

    def pick(self, *rows: int) -> "Frames":
        return Frames(self.rgb[list(rows)], tuple(self.truth[row] for row in rows))


@pytest.fixture(scope="module")
def frames(tour_clip: MakesClips) -> Frames:
    """Five frames of one room, then three of another."""
    one, other = tour_clip(11, 0, 5), tour_clip(11, 1, 3)
    return Frames(np.concatenate([one.rgb, other.rgb]), (*one.truth, *other.truth))


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "oracle.safetensors"
    path.write_bytes(b"the oracle needs none")
    return path


def reconstruct(
    clip: Frames, weights: Path, monkeypatch: pytest.MonkeyPatch, **settings: int
) -> tuple[Reconstruction, Oracle]:
    oracle = Oracle(clip.rgb, clip.truth, IMAGE_SIZE)
    monkeypatch.setattr(Dust3r, "load", lambda _: oracle)
    backend = Dust3rReconstructor(Dust3rSettings(weights=str(weights), image_size=IMAGE_SIZE, device="cpu", **settings))
    return backend.reconstruct(clip.rgb, weights.parent), oracle


def test_a_clip_is_reconstructed_as_its_truth(frames: Frames, weights: Path, monkeypatch: pytest.MonkeyPatch):
    clip = frames.pick(0, 1, 2, 3, 4)
    found, oracle = reconstruct(clip, weights, monkeypatch, complete_up_to=2, window=2, batch_pairs=3)
    assert sorted(oracle.asked) == sorted((a, b) for a in range(5) for b in range(5) if 1 <= abs(a - b) <= 2)
    true_pose = np.stack([frame.camera_to_world for frame in clip.truth])
    assert focal_error(found.intrinsics, np.stack([frame.intrinsics for frame in clip.truth])) < 0.002
    assert pose_errors(found.camera_to_world, true_pose).rotation.max() < 0.1
    depth = depth_errors(found.depth, resize_nearest(np.stack([f.depth for f in clip.truth]), found.depth.shape[1:]))
    assert depth.absolute_relative < 0.01  # nearest pixels at edges
    assert found.notes == ()


def test_frames_of_another_room_are_left_out_and_said(frames: Frames, weights: Path, monkeypatch: pytest.MonkeyPatch):
    found, _ = reconstruct(frames, weights, monkeypatch)
    assert found.registered.tolist() == [True] * 5 + [False] * 3
    assert any("kept 5 of 8 images" in note for note in found.notes)
    assert not found.depth[5:].any()


def test_images_without_overlap_are_too_few(frames: Frames, weights: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(TooFewRegistered):
        reconstruct(frames.pick(0, 5), weights, monkeypatch)
    with pytest.raises(TooFewRegistered, match="2 frames see the same place"):
        reconstruct(frames.pick(0, 1, 5), weights, monkeypatch)
    apart = frames.pick(0, 5)
    with pytest.raises(TooFewRegistered, match="no two images"):
        reconstruct(apart, weights, monkeypatch, min_registered=2)


def test_identical_images_are_said_to_show_no_motion(frames: Frames, weights: Path, monkeypatch: pytest.MonkeyPatch):
    found, _ = reconstruct(frames.pick(0, 0, 0), weights, monkeypatch)
    assert any("hardly moved" in note for note in found.notes)
    assert np.allclose(found.camera_to_world, found.camera_to_world[0], atol=1e-4)


def test_a_tour_goes_through_all_stages_and_both_backends_are_scored_side_by_side(
    built_tour: Workbench, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    video = built_tour.video
    tour = tour_of(video)
    assert tour is not None
    truth = [tour.truth(int(index)) for index in video.read("frames", "frame_index")]
    oracle = Oracle(video.read("frames", "rgb"), truth, IMAGE_SIZE)
    monkeypatch.setattr(Dust3r, "load", lambda _: oracle)
    backend = {"weights": str(weights), "image_size": IMAGE_SIZE, "device": "cpu"}
    by_dust3r = {**PROFILES["classic"], "reconstruction": {"backend": "dust3r", "dust3r": backend}}
    monkeypatch.setitem(PROFILES, "oracle", by_dust3r)
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(SMALL))
    for profile in ("classic", "oracle"):
        shutil.copytree(video.files.root, tmp_path / "data" / profile)
    options = ["--profile", "classic,oracle", "--settings", str(tmp_path / "small.yaml")]
    places = ["--data", str(tmp_path / "data"), "--plot", str(tmp_path / "plot.png")]
    printed = CliRunner().invoke(command_line(), ["score", "--seeds", str(SEED), *options, *places])
    assert printed.exit_code == 0, printed.output
    assert "classic: 1 tours; oracle: 1 tours" in printed.output
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
    made_by_dust3r(Store(tmp_path / "data" / "oracle").video(video.video_id))


def made_by_dust3r(video: VideoStore) -> None:
    made = made_by(video, "reconstruction")
    assert made is not None
    assert (made.backend, list(made.weights)) == ("dust3r", ["oracle.safetensors"])
    scores = TourScores.model_validate(video.read_json("quality.json"))
    figures = {row.name: row.value for row in QualityReport(profile="oracle", tours=(scores,)).figures()}
    assert figures["frames registered"] == 1
    assert figures["focal error, median"] < 0.01
    assert figures["rotation AUC@5"] > 0.95
    assert figures["depth AbsRel"] < 0.02
    assert figures["depth given"] > 0.9
