"""What a model leaves in the pictures is a number, wherever its points lie."""

from typing import Any


def test_a_point_behind_its_camera_counts_much_and_spoils_no_cost(found: dict[str, Any]):
    off, fell = found["behind"]
    assert 800 in off, "the picture's diagonal, of the camera that has it behind"
    assert min(off) < 10
    assert fell > 1000, "putting it right explains a lot"
