import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pipeline.contract.classes import OCCUPIED_CLASSES, SemanticClass
from pipeline.pictures.layout import (
    GAP,
    INK,
    PAPER,
    below,
    beside,
    caption,
    enlarged,
    font,
    legend,
    px,
    scale_bar,
    scaled,
    titled,
)

from .colours import colour_of, colours_of

SIZES = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), min_size=1, max_size=5)
RED, BLUE = (255, 0, 0), (0, 0, 255)


def filled(sizes: list[tuple[int, int]]) -> list[Image.Image]:
    return [Image.new("RGB", size, (10 * (i + 1), 0, 0)) for i, size in enumerate(sizes)]


@settings(max_examples=30)
@given(SIZES)
def test_a_row_is_as_wide_as_its_pictures_and_gaps_and_hides_none_of_them(sizes: list[tuple[int, int]]):
    images = filled(sizes)
    row = beside(*images)
    assert row.width == sum(image.width for image in images) + GAP * (len(images) - 1)
    assert row.height == max(image.height for image in images)
    shown = np.asarray(row)[..., 0]
    for i, (width, height) in enumerate(sizes):
        assert (shown == 10 * (i + 1)).sum() == width * height


@settings(max_examples=30)
@given(SIZES)
def test_a_column_is_as_high_as_its_pictures_and_gaps_and_aligns_them_left(sizes: list[tuple[int, int]]):
    images = filled(sizes)
    column = below(*images)
    assert column.height == sum(image.height for image in images) + GAP * (len(images) - 1)
    assert column.width == max(image.width for image in images)
    shown, top = np.asarray(column), 0
    for i, (width, height) in enumerate(sizes):
        assert (shown[top : top + height, :width, 0] == 10 * (i + 1)).all()
        assert (shown[top : top + height, width:] == PAPER).all()
        top += height + GAP


def test_pictures_of_a_row_are_centred_vertically():
    row = np.asarray(beside(Image.new("RGB", (4, 10), RED), Image.new("RGB", (4, 2), BLUE)))
    assert np.flatnonzero((row[:, -1] == BLUE).all(axis=-1)).tolist() == [4, 5]


def test_a_caption_is_as_long_as_its_words_and_cut_where_it_must_be():
    whole, cut = caption("left out: 7 shots"), caption("left out: 7 shots", width=40)
    assert whole.width > 40 == cut.width
    np.testing.assert_array_equal(np.asarray(whole)[:, :40], np.asarray(cut))
    assert caption("", width=40).width == 4


def test_a_caption_is_written_in_its_colour():
    assert RED in colours_of(caption("words", 14, RED))
    assert colours_of(caption("", 14, RED)) == {PAPER}


def test_a_legend_has_a_patch_and_a_name_for_every_class():
    chosen = [SemanticClass.SOFA, SemanticClass.BED]
    key = np.asarray(legend(chosen, size=14))
    for row, label in enumerate(chosen):
        top = row * (20 + GAP)  # captions are six pixels higher than their letters
        assert tuple(key[top + 10, 7]) == colour_of(label)
        assert (key[top : top + 20, 14 + GAP :] < 128).any()
    assert legend(OCCUPIED_CLASSES).height == 11 * 20 + 10 * GAP
    assert legend([]).size == (4, 20)


@pytest.mark.parametrize(("size", "height", "expected"), [((640, 480), 120, (160, 120)), ((1, 500), 100, (1, 100))])
def test_scaling_keeps_the_proportions_and_at_least_a_pixel(
    size: tuple[int, int], height: int, expected: tuple[int, int]
):
    assert scaled(Image.new("RGB", size), height).size == expected


def test_letters_of_a_larger_font_are_wider():
    assert font(20).getlength("floor") > 1.5 * font(12).getlength("floor")


def test_everything_is_drawn_larger_for_print_and_nothing_afterwards():
    screen = beside(legend([SemanticClass.SOFA]), scaled(Image.new("RGB", (40, 30)), 30), caption("a sofa"))
    with enlarged(3):
        assert px(10) == 30
        page = beside(legend([SemanticClass.SOFA]), scaled(Image.new("RGB", (40, 30)), 30), caption("a sofa"))
    assert px(10) == 10
    assert page.width == pytest.approx(3 * screen.width, rel=0.03)
    assert page.height == pytest.approx(3 * screen.height, rel=0.03)


def test_a_bar_is_as_long_as_its_metres():
    bar = np.asarray(scale_bar(pixels_a_metre=25, metres=2))
    ink = (bar == INK).all(axis=-1)
    assert ink[:, :50].sum(axis=1).max() == 50
    assert not ink[:, 50 : 50 + GAP].any()
    assert ink[:, 0].sum() > ink[:, 20].sum(), "its ends are marked"


def test_a_title_stands_above_its_picture():
    page = np.asarray(titled(Image.new("RGB", (200, 20), RED), "tour-1: scene", "", "what it does"))
    red = np.argwhere((page == RED).all(axis=-1))
    assert len(red) == 200 * 20
    assert (page[: red[0, 0]] < 128).any()
    assert (page[-GAP:] == PAPER).all()
