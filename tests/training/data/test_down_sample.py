"""SSCNet's rule for coarser grids, block by block."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pipeline.contract.classes import SemanticClass
from training.data.down_sample import down_sample


@settings(max_examples=40)
@given(arrays(np.uint8, (2, 4, 2), elements=st.sampled_from([0, 255, 1, 4, 11, 12])))
def test_coarser_grids_follow_the_benchmarks_rule(labels: np.ndarray):
    coarse = down_sample(labels, 2)
    assert coarse.shape == (1, 2, 1)
    for y in range(2):
        assert coarse[0, y, 0] == _by_the_rule(labels[:, 2 * y : 2 * y + 2].ravel().tolist())


def test_five_percent_of_a_block_decide_it():
    block = np.zeros((4, 4, 4), np.uint8)
    block.ravel()[:4] = SemanticClass.BED
    assert down_sample(block, 4)[0, 0, 0] == SemanticClass.BED, "60 of 64 void is less than 95 %"
    block.ravel()[0] = 0
    assert down_sample(block, 4)[0, 0, 0] == SemanticClass.EMPTY, "61 of 64 is more"


def _by_the_rule(values: list[int]) -> int:
    empty, unknown = values.count(0), values.count(255)
    if empty + unknown > 0.95 * len(values):
        return 0 if empty > unknown else 255
    counts = [values.count(label) for label in range(1, 12)]
    return 1 + counts.index(max(counts)) if max(counts) else 12
