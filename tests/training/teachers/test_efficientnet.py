"""Teacher efficientnet: the classifier's own maps, of weights that come with a dependency."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from models.imagenet.efficientnet_lite import EfficientNetLite0, shipped_file
from pipeline.contract.progress import silent
from tests.training.rooms import RoomFrames, stored_frames
from training.errors import WrongCheckpoint
from training.teachers.features import compute, feature_group, features_of, store_features
from training.teachers.load import PACKAGE, load_teacher


def test_features_are_the_map_of_stride_16_that_the_classifier_goes_on_from():
    teacher = load_teacher("efficientnet", PACKAGE)
    rgb = torch.from_numpy(np.random.default_rng(0).integers(0, 255, (1, 3, 64, 96), dtype=np.uint8))
    found = teacher.features(rgb)
    assert found.shape == (1, teacher.width, 4, 6)
    network = EfficientNetLite0.load()
    with torch.inference_mode():
        pixels = (rgb.float() - 127) / 128
        x = found
        for block in network._blocks[11:]:
            x = block(x)
        x = functional.relu6(network._bn1(network._conv_head(x)))
        assert torch.allclose(network._fc(x.mean(dim=(2, 3))), network(pixels), atol=1e-4)


def test_it_is_kept_and_found_as_every_teacher_is(tmp_path: Path):
    teacher = load_teacher("efficientnet", PACKAGE)
    assert not any(weights.requires_grad for weights in teacher.network.parameters())
    same = load_teacher("efficientnet", str(shipped_file()))
    assert feature_group(same) == feature_group(teacher)
    stored = store_features(stored_frames(tmp_path / "data"), teacher, silent)
    assert stored[1].shape == (112, 30, 40)
    frames = RoomFrames(1)
    kept = features_of(frames, teacher, tmp_path / "features", silent)
    assert np.array_equal(kept[0], compute(teacher, frames[0].rgb[None])[0])


@pytest.mark.parametrize(("height", "width"), [(8, 640), (8, 8), (3, 640), (640, 8)])
@pytest.mark.parametrize("kind", ["efficientnet", "dinov2", "san", "san_stem"])
def test_pictures_that_do_not_fit_a_teacher_are_refused(kind: str, height: int, width: int, dinov2: Path):
    weights = {"efficientnet": PACKAGE, "dinov2": str(dinov2)}
    teacher = load_teacher(kind, weights.get(kind, "san_small"))
    with pytest.raises(WrongCheckpoint, match=rf"does not take pictures of {width}x{height}: .* smaller than a"):
        compute(teacher, np.zeros((1, height, width, 3), np.uint8))


def test_a_teacher_whose_maps_are_of_another_width_than_it_says_is_refused():
    teacher = load_teacher("efficientnet", PACKAGE)
    teacher.width = 64
    with pytest.raises(WrongCheckpoint, match="no map of 64 values"):
        compute(teacher, np.zeros((1, 64, 64, 3), np.uint8))


def test_features_under_the_name_of_other_weights_are_refused(tmp_path: Path):
    teacher, frames = load_teacher("efficientnet", PACKAGE), stored_frames(tmp_path)
    video, group = frames.store.video("room"), feature_group(teacher)
    other = {"teacher": teacher.name, "weights": {"x": "0" * 64}, "made_from": "anything"}
    with video.write_group(group, other) as writer:
        writer.append("features", np.zeros((6, 112, 30, 40), np.float16))
    with pytest.raises(WrongCheckpoint, match="by other weights than its name says"):
        store_features(frames, teacher, silent)
