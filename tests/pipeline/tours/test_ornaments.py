from collections.abc import Callable

import numpy as np
import pytest

from pipeline.contract.classes import SemanticClass
from pipeline.tours.item import Item
from pipeline.tours.ornaments import (
    basket,
    book_pile,
    desk_lamp,
    floor_lamp,
    fruit_bowl,
    keyboard,
    pillow,
    plant,
    potted_plant,
    screen,
    vase,
)
from pipeline.tours.palette import Rng
from pipeline.tours.surfaces import Thing, Vector

FOOT = (0.4, 0.7, 0.5)
SHELF = FOOT[2]


def rng_of(seed: int = 0) -> Rng:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("build", [book_pile, vase, fruit_bowl, desk_lamp])
def test_what_stands_on_a_shelf_touches_it_and_is_an_object(build: Callable[[Rng, Vector], Thing]):
    for seed in range(5):
        piece = build(rng_of(seed), FOOT)
        assert piece.label == SemanticClass.OBJECTS
        low, high = piece.bounds()
        assert low[2] == pytest.approx(SHELF)
        assert (high - low < 0.5).all()


@pytest.mark.parametrize("build", [vase, fruit_bowl, desk_lamp])
def test_what_is_turned_stands_about_its_foot(build: Callable[[Rng, Vector], Thing]):
    low, high = build(rng_of(), FOOT).bounds()
    np.testing.assert_allclose((low + high)[:2] / 2, FOOT[:2], atol=1e-9)


def test_a_pile_has_two_to_four_books_one_on_another():
    counts = set()
    for seed in range(20):
        books = [box for box, _ in book_pile(rng_of(seed), FOOT).parts]
        counts.add(len(books) // 6)
        heights = sorted({float(sheet.vertices[..., 2].min()) for sheet in books[::6]})
        np.testing.assert_allclose(np.diff(heights), 0.035)
    assert counts == {2, 3, 4}


@pytest.mark.parametrize("radii", [(0.2, 0.08, 0.19), (0.29, 0.2, 0.09)])
def test_a_pillow_is_as_large_as_told(radii: Vector):
    low, high = pillow(rng_of(), FOOT, radii).bounds()
    np.testing.assert_allclose(high - low, 2 * np.array(radii))
    np.testing.assert_allclose((low + high) / 2, FOOT)


def test_a_keyboard_lies_on_its_desk():
    low, high = keyboard(rng_of(), 0.74).bounds()
    assert (low[2], high[2]) == pytest.approx((0.74, 0.765))


def test_a_screen_shines_towards_plus_y_before_its_case():
    piece = screen(rng_of(), FOOT, 1.1, 0.64)
    assert piece.label == SemanticClass.TVS
    ((glass, _),) = [(sheet, material) for sheet, material in piece.parts if material.glows]
    a, b, c = glass.vertices[0, 0], glass.vertices[0, 1], glass.vertices[1, 0]
    normal = np.cross(b - a, c - a)
    np.testing.assert_allclose(normal / np.linalg.norm(normal), [0, 1, 0], atol=1e-12)
    assert glass.size == pytest.approx((0.64 - 0.04, 1.1 - 0.04))
    assert glass.vertices[0, 0, 1] > FOOT[1] + 0.045, "before the case, or it would be hidden by it"
    low, high = piece.bounds()
    assert (high - low)[0] == pytest.approx(1.1)
    assert high[2] == pytest.approx(SHELF + 0.08 + 0.64)


def test_some_screens_show_a_picture_and_some_are_off():
    patterns = {next(m.pattern for _, m in screen(rng_of(seed), FOOT, 1, 1).parts if m.glows) for seed in range(20)}
    assert patterns == {"painting", "screen"}


@pytest.mark.parametrize("height", [0.35, 1.2])
def test_a_plant_is_about_as_high_as_told_and_grows_out_of_its_pot(height: float):
    low, high = potted_plant(rng_of(), FOOT, height).bounds()
    assert low[2] == pytest.approx(SHELF)
    assert 0.7 * height < high[2] - SHELF < 1.05 * height
    leaves = [sheet for sheet, material in potted_plant(rng_of(), FOOT, height).parts if material.pattern == "leaves"]
    assert len(leaves) == 14
    assert all(sheet.vertices[0, :, 2] == pytest.approx(SHELF + 0.9 * 0.25 * height) for sheet in leaves)


@pytest.mark.parametrize("build", [floor_lamp, plant, basket])
def test_what_stands_on_the_floor_is_one_object_in_the_middle_of_its_footprint(build: Callable[[Rng], Item]):
    item = build(rng_of())
    (piece,) = item.things
    low, high = piece.bounds()
    assert (piece.label, low[2]) == (SemanticClass.OBJECTS, 0)
    assert abs(low[0] + high[0]) < 0.1
    assert abs((low[1] + high[1] - item.depth) / 2) < 0.1
