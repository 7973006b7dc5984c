"""Curves: points by name that survive being saved, and their plots."""

import io
import json

import pytest
from PIL import Image

from training.curves import Curves


def drawn(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def test_points_are_added_by_name_and_the_last_one_is_at_hand():
    curves = Curves()
    curves.add(1, {"total": 3.0, "size": 1.0})
    curves.add(2, {"total": 2.0})
    assert curves.points == {"total": [[1, 3.0], [2, 2.0]], "size": [[1, 1.0]]}
    assert (curves.last("total"), curves.last("size")) == (2.0, 1.0)
    with pytest.raises(KeyError, match="accuracy"):
        curves.last("accuracy")


def test_curves_that_go_on_leave_those_they_came_from_alone():
    before = {"total": [[1, 3.0]]}
    after = Curves.of(before)
    after.add(2, {"total": 1.0})
    assert before == {"total": [[1, 3.0]]}
    assert after.points["total"] == [[1, 3.0], [2, 1.0]]


def test_curves_survive_being_written():
    curves = Curves({"total": [[1, 0.25]]})
    assert Curves.of(json.loads(json.dumps(curves.points))) == curves


def test_all_curves_share_a_plot_and_scores_have_one_each():
    curves = Curves()
    for step in range(3):
        curves.add(step, {"total": 1.0 / (step + 1), "accuracy": 0.1 * step, "cross-entropy": 3.0})
    assert drawn(curves.plot()).format == "PNG"
    one, two = (drawn(curves.plot_apart(names, "held out")) for names in (["accuracy"], ["accuracy", "cross-entropy"]))
    assert two.width > 1.9 * one.width
    assert two.height == one.height


def test_a_curve_of_one_point_can_be_drawn():
    curves = Curves({"total": [[1, 0.5]]})
    assert drawn(curves.plot()).format == drawn(curves.plot_apart(["total"], "held out")).format == "PNG"
