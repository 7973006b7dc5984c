import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.language import nearest
from pipeline.language.nearest import LARGEST, codes_of, nearest_codes


@settings(max_examples=40)
@given(st.integers(0, 40), st.lists(st.integers(0, 40), max_size=4), st.integers(1, 50), st.integers(1, 3), st.data())
def test_parts_and_threads_change_nothing(rows: int, cuts: list[int], count: int, threads: int, data: st.DataObject):
    """Three numbers a row, of few values, so that equal products are common: then the first rows are taken."""
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    codes, text = (rng.integers(-2, 3, shape).astype(np.int8) for shape in ((rows, 3), (3,)))
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(nearest, "ROWS_COMPARED", 11)
        found = nearest_codes(np.split(codes, sorted(min(cut, rows) for cut in cuts)), text, count, threads)
    products = codes.astype(np.int64) @ text.astype(np.int64)
    best = np.argsort(-products, kind="stable")[:count]
    assert found.tolist() == sorted(best.tolist())


def test_codes_hold_the_largest_numbers_and_cut_off_what_no_vector_of_many_numbers_has():
    vectors = np.array([[LARGEST, -LARGEST, 0.9, 0.001]], np.float16)
    assert codes_of(vectors).tolist() == [[127, -127, 127, 0]]
    assert codes_of(vectors).dtype == np.int8
