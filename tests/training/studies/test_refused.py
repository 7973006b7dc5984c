"""What studies refuse by name before a room is rendered or a network is trained."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from models.errors import ModelError, WeightsUnavailable
from pipeline.contract.errors import PipelineError
from pipeline.contract.progress import silent
from pipeline.store.store import Store
from pipeline.tours.seeds import ROOM_SEEDS
from tests.training.rooms import RoomFrames, stored_frames
from training.data.export import with_nyu_camera, write_room
from training.errors import UnusableDataset, WrongCheckpoint
from training.studies.arms import Arm, TeacherChoice
from training.studies.experiment import run
from training.studies.experiment_settings import Experiment
from training.studies.label_efficiency import Study
from training.studies.pillars import PillarStudy, run_pillars
from training.teachers.features import feature_group
from training.teachers.load import load_teacher

Begin = Callable[[str, str, Store, Path], object]


def begin_experiment(teacher: str, weights: str, store: Store, folder: Path) -> None:
    experiment = Experiment(teacher=teacher, weights=weights, train_rooms=2, test_rooms=2)
    run(experiment, store, folder, silent, lambda _: None)


def begin_study(teacher: str, weights: str, store: Store, folder: Path) -> None:
    sound = Arm(name="sound", teacher=TeacherChoice(kind="efficientnet", weights="package"))
    wrong = Arm(name="wrong", teacher=TeacherChoice(kind=teacher, weights=weights))
    study = PillarStudy(arms=(sound, wrong), views=2, train_rooms=2, test_rooms=2)
    run_pillars(study, store, folder, folder / "rooms", silent, lambda _: None)


def refused(begin: Begin, teacher: str, weights: str, store: Store, folder: Path) -> Exception:
    """Begin what must not begin; returns why it does not. Nothing is left in the folder."""
    with pytest.raises((PipelineError, ModelError)) as error:
        begin(teacher, weights, store, folder)
    assert not folder.exists(), "no room, no network"
    return error.value


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return stored_frames(tmp_path_factory.mktemp("data")).store


@pytest.mark.parametrize("begin", [begin_experiment, begin_study])
def test_a_teacher_that_takes_no_pictures_of_this_size(begin: Begin, store: Store, tmp_path: Path):
    from transformers import Dinov2Config, Dinov2Model

    torch.manual_seed(0)
    config = Dinov2Config(hidden_size=8, num_hidden_layers=1, num_attention_heads=1, patch_size=500, image_size=1000)
    Dinov2Model(config).save_pretrained(tmp_path)
    error = refused(begin, "dinov2", str(tmp_path / "model.safetensors"), store, tmp_path / "out")
    assert isinstance(error, WrongCheckpoint)
    assert "teacher dinov2 does not take pictures of 640x480" in str(error)


@pytest.mark.parametrize("begin", [begin_experiment, begin_study])
def test_features_that_were_cached_by_other_weights(begin: Begin, tmp_path: Path):
    store = stored_frames(tmp_path / "data").store
    group = feature_group(load_teacher("efficientnet", "package"))
    other = {"teacher": "efficientnet_lite0", "weights": {"x": "0" * 64}, "made_from": "anything"}
    with store.video("room").write_group(group, other) as writer:
        writer.append("features", np.zeros((6, 112, 30, 40), np.float16))
    error = refused(begin, "efficientnet", "package", store, tmp_path / "out")
    assert isinstance(error, WrongCheckpoint)
    assert "room holds features by other weights" in str(error)


@pytest.mark.parametrize("begin", [begin_experiment, begin_study])
def test_weights_that_are_not_there(begin: Begin, store: Store, tmp_path: Path):
    error = refused(begin, "dinov2", str(tmp_path / "none.safetensors"), store, tmp_path / "out")
    assert isinstance(error, WeightsUnavailable)


def test_labelled_rooms_of_one_house_before_any_that_is_scored(store: Store, tmp_path: Path):
    names = [f"NYU{ROOM_SEEDS['train'][0]}_{shot:04d}" for shot in range(2)]
    for seed, name in enumerate(names):
        write_room(with_nyu_camera(RoomFrames(1, seed=seed)[0]), tmp_path / "benchmark", "train", name)
    (tmp_path / "benchmark" / "NYUtrain.txt").write_text("\n".join(names))
    experiment = Experiment(
        teacher="efficientnet", weights="package", train_rooms=2, test_rooms=2, study=Study(shares=(1.0,))
    )
    with pytest.raises(UnusableDataset, match="all labelled rooms are of the house"):
        run(experiment, store, tmp_path, silent, lambda _: None)
    assert not (tmp_path / "benchmark" / "base" / "NYUtest").exists()
