import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contract.overlap import OverlapCounts, overlap, semantic_miou


def labels(*values: int) -> np.ndarray:
    return np.array(values, np.uint8)


def test_ratios_of_a_case_worked_out_by_hand():
    counts = overlap(labels(0, 1, 1, 2, 3, 0), labels(0, 1, 2, 2, 0, 5))
    assert counts.iou == pytest.approx(3 / 5)
    assert counts.precision == pytest.approx(3 / 4)
    assert counts.recall == pytest.approx(3 / 4)
    assert counts.class_iou[:6].tolist() == pytest.approx([1 / 3, 1 / 2, 1 / 2, 0, 0, 0])
    assert counts.miou == pytest.approx((1 / 2 + 1 / 2) / 11)


def test_unknown_truth_is_not_counted_and_an_unknown_prediction_claims_nothing():
    assert overlap(labels(1, 255, 4), labels(1, 2, 255)).iou == pytest.approx(1 / 2)
    nothing = overlap(labels(1, 2), labels(255, 255))
    assert (nothing.iou, nothing.precision, nothing.recall, nothing.miou) == (0, 0, 0, 0)


def test_what_has_no_name_counts_for_completion_and_for_no_class():
    counts = overlap(labels(1, 2, 0, 12, 12, 12, 2), labels(12, 12, 12, 12, 0, 2, 2))
    assert (counts.both_occupied, counts.either_occupied) == (5, 7)
    assert (counts.precision, counts.recall) == pytest.approx((5 / 6, 5 / 6))
    assert counts.class_iou[1] == 0, "the truth has no name for what was called 1, so nothing was claimed"
    assert counts.predicted[1] == 0
    assert counts.class_iou[2] == pytest.approx(1 / 2), "what was not named is missed"
    assert counts.class_iou.shape == (12,)


def test_what_was_missed_without_a_name_is_as_missed_as_what_was_not_seen():
    true = labels(1, 1, 3, 0, 255)
    named, unknown = overlap(labels(1, 12, 3, 0, 12), true), overlap(labels(1, 255, 3, 0, 255), true)
    assert named.miou == unknown.miou
    assert (named.iou, unknown.iou) == pytest.approx((1, 2 / 3))


def test_a_perfect_prediction_of_all_classes_scores_one():
    every = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert semantic_miou(every, every) == 1.0
    assert overlap(every, every).iou == 1.0


@given(st.lists(st.tuples(st.sampled_from([0, 1, 5, 12, 255]), st.sampled_from([0, 1, 5, 12, 255])), min_size=2))
def test_counts_of_parts_add_up_to_the_counts_of_the_whole(pairs: list[tuple[int, int]]):
    predicted, true = np.array(pairs, np.uint8).T
    whole = overlap(predicted, true)
    parts = overlap(predicted[:1], true[:1]) + overlap(predicted[1:], true[1:])
    assert np.array_equal(whole.class_iou, parts.class_iou)
    assert (whole.iou, whole.precision, whole.recall) == (parts.iou, parts.precision, parts.recall)


def test_counts_of_a_set_begin_with_nothing():
    one = overlap(labels(1, 2, 0), labels(1, 3, 0))
    total = sum([one, one], OverlapCounts.nothing())
    assert total.matched.tolist() == (2 * one.matched).tolist()
    assert (total.both_occupied, total.either_occupied) == (4, 4)
    assert total.miou == one.miou
    assert OverlapCounts.nothing().iou == 0


def test_matched_places_are_no_more_than_predicted_or_true_ones():
    draw = np.random.default_rng(0)
    counts = overlap(*draw.choice(np.array([0, 1, 5, 11, 12, 255], np.uint8), (2, 500)))
    assert (counts.matched <= np.minimum(counts.predicted, counts.true)).all()
    assert counts.both_occupied <= counts.either_occupied
    assert ((counts.class_iou >= 0) & (counts.class_iou <= 1)).all()
