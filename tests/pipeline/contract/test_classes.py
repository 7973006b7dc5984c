"""The list of classes is a contract with the benchmarks and with every dataset that was ever stored."""

import numpy as np
import pytest

from pipeline.contract.classes import COUNTED_CLASSES, FILLED_LABELS, OCCUPIED_CLASSES, SemanticClass, palette


def test_ids_are_those_of_the_benchmark():
    # SSCNet's order (Song et al. 2017, section 5): stored data and every published number depend on it.
    names = ("ceiling", "floor", "wall", "window", "chair", "bed", "sofa", "table", "tvs", "furniture", "objects")
    assert {c.name.lower(): int(c) for c in OCCUPIED_CLASSES} == {name: i + 1 for i, name in enumerate(names)}
    assert (SemanticClass.EMPTY, SemanticClass.UNKNOWN) == (0, 255)


def test_ids_fit_the_bytes_they_are_stored_in():
    assert all(np.uint8(c) == c for c in SemanticClass)
    with pytest.raises(ValueError, match="13"):
        SemanticClass(13)


def test_occupied_classes_leave_out_what_is_no_class():
    assert len(OCCUPIED_CLASSES) == 11
    assert not {SemanticClass.EMPTY, SemanticClass.UNNAMED, SemanticClass.UNKNOWN} & set(OCCUPIED_CLASSES)


def test_what_is_occupied_without_a_name_has_the_id_after_the_benchmarks():
    assert SemanticClass.UNNAMED == 12
    assert [int(label) for label in FILLED_LABELS] == [*range(1, 13)]


def test_every_label_value_is_counted_once_in_the_order_of_ids():
    # Column i of ``occupancy/class_counts`` is label i, and the last one is unknown.
    assert [int(c) for c in COUNTED_CLASSES] == [*range(13), 255]
    assert set(COUNTED_CLASSES) == set(SemanticClass)


def test_every_class_has_a_colour_of_its_own():
    colours = palette()
    assert (colours.shape, colours.dtype) == ((256, 3), np.uint8)
    assert len({tuple(colours[c].tolist()) for c in SemanticClass}) == len(SemanticClass)


def test_colours_can_be_told_apart_by_eye():
    colours = palette().astype(int)
    apart = [np.abs(colours[a] - colours[b]).sum() for a in SemanticClass for b in SemanticClass if a < b]
    # 40 levels over three channels are more than H.264 and JPEG change.
    assert min(apart) >= 40


def test_values_that_are_no_label_are_grey_and_a_palette_may_be_changed_by_its_owner():
    colours = palette()
    assert (colours[13:255] == 128).all()
    colours[:] = 0
    assert palette().any(), "every caller has a palette of his own"
