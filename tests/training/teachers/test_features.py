"""Teacher features: computed once, kept by weights, and made again where they are gone."""

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.progress import silent
from tests.training.rooms import RoomFrames, stored_frames
from training.data import Chained
from training.data.subset import FrameSubset
from training.errors import UnusableDataset
from training.teachers.features import JoinedFeatures, compute, feature_group, features_of, store_features
from training.teachers.load import load_teacher


def test_features_are_computed_once_for_the_same_weights(dinov2: Path, tmp_path: Path):
    frames, teacher = stored_frames(tmp_path), load_teacher("dinov2", str(dinov2))
    features = store_features(frames, teacher, silent)
    assert features[2].shape == (64, 34, 45)
    assert np.allclose(features[2], compute(teacher, frames[2].rgb[None])[0], atol=2e-2)
    metadata = tmp_path / "videos" / "room" / "scene.zarr" / feature_group(teacher) / "zarr.json"
    made = metadata.stat().st_mtime_ns
    store_features(frames, teacher, silent)
    assert metadata.stat().st_mtime_ns == made
    assert json.loads(metadata.read_text())["attributes"]["weights"] == dict(teacher.weights)
    other = load_teacher("dinov2", str(dinov2))
    other.weights = {"model.safetensors": "0" * 64}
    assert feature_group(other) != feature_group(teacher)


def test_features_of_a_benchmark_are_kept_beside_the_run(dinov2: Path, tmp_path: Path):
    frames, teacher = RoomFrames(1), load_teacher("dinov2", str(dinov2))
    features = features_of(frames, teacher, tmp_path, silent)
    assert features[0].shape == (64, 34, 45)
    (kept,) = tmp_path.rglob("*.npz")
    made = kept.stat().st_ino
    features_of(frames, teacher, tmp_path, silent)
    assert kept.stat().st_ino == made
    kept.unlink()
    with pytest.raises(UnusableDataset, match="run the same command again"):
        features[0]


class Numbered:
    """Features that say which source and frame they are of."""

    group = "teacher_numbered"

    def __init__(self, source: int) -> None:
        self.source = source

    def __getitem__(self, index: int) -> np.ndarray:
        return np.array([self.source, index], np.float16)


def test_features_of_joined_datasets_follow_the_names():
    first, second = RoomFrames(2), RoomFrames(3, seed=1)
    chain = Chained([FrameSubset(second, [2, 0], "two of it"), first])
    features = JoinedFeatures(chain, [(first, Numbered(0)), (second, Numbered(1))])
    assert [features[i].tolist() for i in range(4)] == [[1, 2], [1, 0], [0, 0], [0, 1]]
    assert features.group == "teacher_numbered"


def test_a_frame_that_no_teacher_has_seen_is_no_part_of_joined_features():
    with pytest.raises(KeyError, match="room/1-0"):
        JoinedFeatures(Chained([RoomFrames(1, seed=1)]), [(RoomFrames(1), Numbered(0))])


def test_frames_that_were_made_again_get_their_features_again(dinov2: Path, tmp_path: Path):
    frames, teacher = stored_frames(tmp_path), load_teacher("dinov2", str(dinov2))
    store_features(frames, teacher, silent)
    video = frames.store.video("room")
    group = feature_group(teacher)
    made = video.attributes(group)["made_from"]
    stale = {**video.attributes(group), "made_from": "an earlier fingerprint"}
    with video.write_group(group, stale) as writer:
        writer.append("features", np.zeros((6, 64, 34, 45), np.float16))
    features = store_features(frames, teacher, silent)
    assert video.attributes(group)["made_from"] == made
    assert np.abs(features[0]).max() > 0


def test_progress_counts_the_frames_of_a_benchmark(dinov2: Path, tmp_path: Path):
    steps: list[tuple[int, int]] = []
    features_of(RoomFrames(2), load_teacher("dinov2", str(dinov2)), tmp_path, lambda _, *step: steps.append(step))
    assert steps == [(1, 2), (2, 2)]
