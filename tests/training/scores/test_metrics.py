"""The metric is the field's, to the last count; the baselines are what they claim to be."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.classes import SemanticClass
from pipeline.contract.grid import GRID_SHAPE
from tests.training.rooms import RoomFrames
from training.scores.metrics import VARIANTS, Evaluation, Scores, all_in_view, depth_surface

ROOM = RoomFrames(1)[0]


def published_metric(pairs: list[tuple[np.ndarray, np.ndarray]]) -> tuple[float, float]:
    """IoU and mIoU by loops over the whole set, straight from the protocol's description."""
    tp = fp = fn = 0
    by_class = np.zeros((12, 3))
    for predicted, true in pairs:
        for p, t in zip(predicted.ravel().tolist(), true.ravel().tolist(), strict=True):
            if t == 255:
                continue
            tp, fp, fn = tp + (p > 0 and t > 0), fp + (p > 0 and t == 0), fn + (p == 0 and t > 0)
            if p == t:
                by_class[t, 0] += 1
            else:
                by_class[p, 1] += 1
                by_class[t, 2] += 1
    ious = by_class[:, 0] / (by_class.sum(axis=1) + 1e-5)
    return (tp / (tp + fp + fn) if tp else 0.0), float(ious[1:].mean())


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.3, 0.97, 1.0]))
def test_whole_set_figures_equal_the_protocols(seed: int, unknown: float):
    rng = np.random.default_rng(seed)
    scores, pairs = Scores("network"), []
    for _ in range(2):
        predicted, true = (rng.choice(rng.integers(0, 12, 3), (10, 10, 6)).astype(np.uint8) for _ in range(2))
        true[rng.random(true.shape) < unknown] = SemanticClass.UNKNOWN
        pairs.append((predicted, true))
        whole_true = np.full(GRID_SHAPE, SemanticClass.UNKNOWN, np.uint8)
        whole = np.zeros(GRID_SHAPE, np.uint8)
        whole_true[:10, :10, :6], whole[:10, :10, :6] = true, predicted
        scores.add(whole, replace(ROOM, labels=whole_true))
    iou, miou = published_metric(pairs)
    assert scores.total().iou == pytest.approx(iou, abs=2e-5)
    assert scores.total().miou == pytest.approx(miou, abs=2e-5)


def test_variants_count_fewer_and_fewer_voxels():
    scores = Scores("truth")
    scores.add(ROOM.labels, ROOM)
    counted = [int(scores.total(variant).true.sum()) for variant in VARIANTS]
    known = int((ROOM.labels != SemanticClass.UNKNOWN).sum())
    assert counted[0] == known
    assert known > counted[1] >= counted[2] > 0
    assert all(scores.total(variant).iou == 1 for variant in VARIANTS)


def test_the_depth_surface_finds_just_what_the_picture_shows():
    evaluation = Evaluation("truth")
    evaluation.add(np.where(ROOM.labels == 255, 0, ROOM.labels).astype(np.uint8), ROOM)
    surface = evaluation.depth_surface.total()
    assert surface.precision == 1, "the room was filmed by this one camera, so its voxels are those of the depth map"
    assert surface.recall == 1
    assert evaluation.all_in_view.total("in view").recall == 1
    assert evaluation.all_in_view.total("in view").precision < 1
    assert evaluation.summary()["miou all"] == pytest.approx(len(set(np.unique(ROOM.labels)) - {0, 255}) / 11)


def test_baselines_are_grids_of_the_frame():
    assert (all_in_view(ROOM) > 0).sum() == ROOM.projection.in_view.sum()
    occupied = (ROOM.labels > 0) & (ROOM.labels < 255)
    assert np.array_equal(depth_surface(ROOM) > 0, occupied)


def test_support_of_every_class_is_in_the_report():
    evaluation = Evaluation("network")
    evaluation.add(ROOM.labels, ROOM)
    support = int((ROOM.labels == SemanticClass.BED).sum())
    assert f"| bed | 1.0000 | {support} | {support} |" in evaluation.markdown()
    assert "| tvs | 0.0000 | 0 | 0 |" in evaluation.markdown()
