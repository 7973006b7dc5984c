"""What voxels count by how sure their labels are: by scale, by names, and where nobody knows."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.contract.classes import OCCUPIED_CLASSES, SemanticClass
from pipeline.contract.grid import GRID_SHAPE, VOXEL_SIZE, voxel_centres
from tests.training.doubtful import LEFT, RIGHT, SIGMA, doubtful_frames
from tests.training.rooms import RoomFrames, stored_frames
from tests.training.tiny_runs import quick
from training.data import StoredFrames, collate, fraction
from training.data.doubt import LabelDoubt
from training.data.label_weights import WeightedFrames, collate_weighted, scale_weights, voxel_weights
from training.errors import UnusableDataset, WrongCheckpoint
from training.runs import finetune
from training.settings import Doubt, FinetuneSettings

CERTAIN = np.full((480, 640), 255, np.uint8)


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory) -> StoredFrames:
    return doubtful_frames(tmp_path_factory.mktemp("doubtful"))


@pytest.mark.parametrize("distance", [0.5, 2.5, 6.0])
def test_a_voxel_that_one_deviation_moves_by_a_voxel_counts_half(distance: float):
    assert float(scale_weights(VOXEL_SIZE / distance, distance)) == pytest.approx(0.5)
    assert float(scale_weights(2 * VOXEL_SIZE / distance, distance)) == pytest.approx(1 / 5)
    assert float(scale_weights(0.0, distance)) == 1


def test_the_weight_is_the_inverse_of_the_variance_of_where_a_voxel_lies():
    scales = np.exp(np.random.default_rng(0).normal(0, SIGMA, 200_000))
    for distance in (1.0, 4.0):
        moved = np.var(distance * scales)
        expected = VOXEL_SIZE**2 / (VOXEL_SIZE**2 + moved)
        assert float(scale_weights(SIGMA, distance)) == pytest.approx(expected, rel=0.05)


def test_voxels_far_from_the_camera_count_less_and_a_certain_scale_makes_all_alike():
    sample = RoomFrames(1)[0]
    weights = voxel_weights(sample, LabelDoubt(SIGMA, CERTAIN), ("scale_sigma",))
    assert weights.shape == GRID_SHAPE
    assert weights.dtype == np.float32
    distance = np.linalg.norm(voxel_centres(sample.origin) - sample.camera_to_world[:3, 3], axis=-1)
    order = np.argsort(distance.ravel())
    assert (np.diff(weights.ravel()[order]) <= 0).all()
    assert (voxel_weights(sample, LabelDoubt(0.0, CERTAIN), ("scale_sigma",)) == 1).all()


def test_names_count_by_the_pixel_that_shows_them_and_what_has_none_counts_whole(frames: StoredFrames):
    sample, doubt = frames[1], frames.doubt(1)
    assert doubt.scale_sigma == pytest.approx(SIGMA)
    assert doubt.confidence.shape == (480, 640)
    weights = voxel_weights(sample, doubt, ("confidence",))
    named = np.isin(sample.labels, OCCUPIED_CLASSES)
    assert (weights[~named] == 1).all()
    visible = sample.projection.visible(sample.depth).reshape(GRID_SHAPE)
    columns, lines = (part.reshape(GRID_SHAPE) for part in sample.projection.pixels.T)
    labelled = named & visible & (lines >= 40)
    for half, expected in ((columns < 320, LEFT), (columns >= 320, RIGHT)):
        assert (labelled & half).any()
        assert np.allclose(weights[labelled & half], expected / 255)
    hidden = named & ~(visible & (lines >= 40))
    assert hidden.any()
    assert np.allclose(weights[hidden], weights[labelled].mean()), "as those that are shown, in the mean"


def test_a_voxel_without_a_name_is_not_doubted_for_it():
    sample = RoomFrames(1)[0]
    unnamed = replace(sample, labels=np.where(sample.labels == 0, sample.labels, np.uint8(SemanticClass.UNNAMED)))
    assert (voxel_weights(unnamed, LabelDoubt(SIGMA, CERTAIN // 5), ("confidence",)) == 1).all()


def test_both_are_multiplied(frames: StoredFrames):
    sample, doubt = frames[0], frames.doubt(0)
    one, two = (voxel_weights(sample, doubt, (by,)) for by in ("scale_sigma", "confidence"))
    assert np.allclose(voxel_weights(sample, doubt, ("scale_sigma", "confidence")), one * two)


@pytest.mark.parametrize("by", [("scale_sigma",), ("confidence",), ("scale_sigma", "confidence")])
def test_known_voxels_count_one_in_the_mean(frames: StoredFrames, by: tuple[Doubt, ...]):
    weighted = pickle.loads(pickle.dumps(WeightedFrames(fraction(frames, 0.5, 0), by)))  # noqa: S301 - ours
    items = [weighted[index] for index in range(len(weighted))]
    known = np.concatenate([weights[sample.labels != SemanticClass.UNKNOWN] for sample, weights in items])
    assert known.mean() == pytest.approx(1, rel=1e-5)
    assert known.std() > 0.1
    batch = collate_weighted(items)
    assert batch.weights is not None
    assert torch.equal(batch.weights[1], torch.from_numpy(items[1][1]))
    assert collate([sample for sample, _ in items]).weights is None


def test_who_does_not_say_how_sure_labels_are_is_named_before_anything_is_trained(tmp_path: Path):
    tuning = FinetuneSettings(weigh_by=("scale_sigma",), loop=quick())
    benchmark = RoomFrames(2)
    for given in (benchmark, fraction(benchmark, 1.0, 0)):
        with pytest.raises(UnusableDataset, match=r"analytic room, seed 0.* does not say how sure its labels are"):
            finetune(given, "tiny", None, tuning, tmp_path / "a")
    earlier = stored_frames(tmp_path / "data")
    with pytest.raises(UnusableDataset, match=r"room/0 does not say how sure its scale is \(scale_sigma\)"):
        finetune(earlier, "tiny", None, tuning, tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_what_voxels_count_by_decides_the_network_and_no_other_one_is_taken_for_it(
    frames: StoredFrames, tmp_path: Path
):
    tuning = FinetuneSettings(weigh_by=("scale_sigma", "confidence"), loop=quick(steps=1, batch_size=1))
    made = finetune(frames, "tiny", None, tuning, tmp_path / "a")
    assert made.settings["weigh_by"] == ["scale_sigma", "confidence"]
    assert finetune(frames, "tiny", None, tuning, tmp_path / "a") == made, "it is not made again"
    with pytest.raises(WrongCheckpoint, match="other data or settings"):
        finetune(frames, "tiny", None, tuning.model_copy(update={"weigh_by": ()}), tmp_path / "a")
