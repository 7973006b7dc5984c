import numpy as np

from pipeline.tours.item import Item, legs
from pipeline.tours.surfaces import quarter_turn

from .shapes import block

ITEM = Item(1.0, 0.5, (block((-0.5, 0, 0), (0.5, 0.5, 0.4)), block((-0.1, 0.1, 0.4), (0.1, 0.3, 0.9))))


def test_an_item_is_as_high_as_its_highest_thing():
    assert ITEM.height == 0.9


def test_an_item_moves_with_all_its_things():
    moved = ITEM.moved(quarter_turn(2, (3.0, 1.0)))
    np.testing.assert_allclose(moved[0].bounds(), [[2.5, 0.5, 0], [3.5, 1.0, 0.4]], atol=1e-12)
    np.testing.assert_allclose(moved[1].bounds(), [[2.9, 0.7, 0.4], [3.1, 0.9, 0.9]], atol=1e-12)


def test_four_legs_stand_just_inside_the_corners_of_their_rectangle():
    feet = [sheet.vertices.reshape(-1, 3) for sheet in legs(1.2, 0.1, 0.9, 0.7, radius=0.03)]
    centres = sorted((round(float(p[:, 0].mean()), 2), round(float(p[:, 1].mean()), 2)) for p in map(ring, feet))
    assert centres == [(-0.55, 0.15), (-0.55, 0.85), (0.55, 0.15), (0.55, 0.85)]
    for points in feet:
        assert (points[:, 2].min(), points[:, 2].max()) == (0, 0.7)
        assert (np.abs(points[:, 0]) < 0.6).all()


def ring(points: np.ndarray) -> np.ndarray:
    """The corners of a leg's foot, each once."""
    return points[points[:, 2] == 0][:-1]
