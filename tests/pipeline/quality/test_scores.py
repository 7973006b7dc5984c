import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.contract.overlap import OverlapCounts, overlap
from pipeline.quality.scores import CutCounts, Overlap


def counts_of(seed: int) -> OverlapCounts:
    """Counts of places of all kinds; of every other seed, some have no name."""
    rng = np.random.default_rng(seed)
    labels = np.array([0, 1, 2, 5, 11 + seed % 2, 255], np.uint8)
    return overlap(rng.choice(labels, 200), rng.choice(labels, 200))


@settings(max_examples=20)
@given(st.integers(0, 9999))
def test_counts_come_back_from_json_as_they_were(seed: int):
    counts = counts_of(seed)
    back = Overlap.model_validate_json(Overlap.of(counts).model_dump_json()).counts()
    np.testing.assert_array_equal(back.class_iou, counts.class_iou)
    assert (back.iou, back.precision, back.recall, back.miou) == (
        counts.iou,
        counts.precision,
        counts.recall,
        counts.miou,
    )
    assert back.true.dtype == np.int64


def test_stored_counts_add_up_like_counts():
    parts = [counts_of(seed) for seed in range(3)]
    stored = sum((Overlap.of(part).counts() for part in parts), OverlapCounts.nothing())
    np.testing.assert_array_equal(stored.matched, sum(part.matched for part in parts))
    assert stored.iou == sum(p.both_occupied for p in parts) / sum(p.either_occupied for p in parts)


def test_counts_are_stored_as_plain_lists():
    content = json.loads(Overlap.of(counts_of(0)).model_dump_json())
    assert [type(value) for value in content.values()] == [list, list, list, int, int]
    assert len(content["matched"]) == 12, "as before, where all has a name"
    assert len(Overlap.of(counts_of(1)).matched) == 13


def test_scores_cannot_be_changed_or_left_incomplete():
    counts = CutCounts(found=3, true=4, matched=2)
    with pytest.raises(ValidationError, match="frozen"):
        counts.found = 5  # type: ignore[misc]
    with pytest.raises(ValidationError, match="matched"):
        CutCounts.model_validate({"found": 3, "true": 4})
