import numpy as np

from pipeline.contract.padding import shown_columns, shown_share


def _upright(first: int, last: int) -> np.ndarray:
    rgb = np.zeros((3, 48, 64, 3), np.uint8)
    rgb[:, :, first:last] = np.random.default_rng(1).integers(1, 256, (3, 48, last - first, 3))
    return rgb


def test_columns_at_the_sides_that_are_black_in_all_pictures_show_nothing():
    assert shown_columns(_upright(20, 44)) == slice(20, 44)
    assert shown_columns(_upright(0, 64)) == slice(0, 64)


def test_a_column_that_is_black_in_one_picture_or_inside_shows_something():
    rgb = _upright(20, 44)
    rgb[1, :, 18:20] = 7
    rgb[:, :, 30] = 0
    assert shown_columns(rgb) == slice(18, 44)


def test_of_black_pictures_everything_counts():
    assert shown_columns(np.zeros((2, 48, 64, 3), np.uint8)) == slice(0, 64)


def test_beside_smaller_arrays_a_column_over_a_black_one_shows_nothing():
    assert np.flatnonzero(shown_share(_upright(20, 43), 32)).tolist() == list(range(10, 21))
    assert shown_share(_upright(0, 64), 32).all()
