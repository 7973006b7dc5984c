import numpy as np
import pytest

from pipeline.tours.camera import intrinsics_of
from pipeline.tours.effects.edits import Edit, draw_edit
from pipeline.tours.effects.lens import Lens
from pipeline.tours.effects.settings import EffectSettings

LENS, SIZE = Lens(intrinsics_of(65)), (640, 480)


def at(seconds: float) -> np.ndarray:
    """A walk along x with a metre a second."""
    pose = np.eye(4)
    pose[0, 3] = seconds
    return pose


def place(edit: Edit, seconds: float) -> float:
    return float(edit.walked(at)(seconds)[0, 3])


def test_most_shots_are_left_as_they_are_and_the_rest_have_their_shares():
    settings = EffectSettings(slide_shows=0.2, speed_ups=0.1, zooms=0.3)
    kinds = [draw_edit(7, shot, 4.0, settings).kind for shot in range(2000)]
    for kind, share in (("slide_show", 0.2), ("speed_up", 0.1), ("zoom", 0.3), ("none", 0.4)):
        assert kinds.count(kind) / 2000 == pytest.approx(share, abs=0.03)


def test_a_shot_that_nothing_was_done_with_is_its_walk():
    edit = Edit(duration=4.0)
    assert (place(edit, 1.3), edit.left_out, edit.lens(LENS, SIZE, 1.0)) == (1.3, "", LENS)


def test_a_slide_show_stands_still_within_a_still_and_never_leaves_it():
    edit = Edit("slide_show", 6.0, seed=3, shot_id=2)
    assert [place(edit, t) for t in (0.1, 1.9, 2.1, 3.9, 5.9)] == [1, 1, 3, 3, 5]
    for seconds in np.linspace(0, 6, 50):
        part = edit.lens(LENS, SIZE, float(seconds))
        zoom = part.intrinsics[0, 0] / LENS.intrinsics[0, 0]
        left, top = LENS.intrinsics[:2, 2] - part.intrinsics[:2, 2] / zoom
        assert 1.04 < zoom < 1.51
        assert -1e-3 <= left <= 640 * (1 - 1 / zoom) + 1e-3
        assert -1e-3 <= top <= 480 * (1 - 1 / zoom) + 1e-3
    moved = edit.lens(LENS, SIZE, 0.1).intrinsics - edit.lens(LENS, SIZE, 1.9).intrinsics
    assert np.abs(moved).max() > 1
    assert "slide show" in edit.left_out


def test_a_speed_up_walks_faster_and_stays_on_its_walk():
    edit = Edit("speed_up", 4.0, 6.0)
    assert place(edit, 0.5) == pytest.approx(3.0)
    assert place(edit, 1.0) == pytest.approx(2.0)  # on its way back
    assert all(0 <= place(edit, float(t)) <= 4 for t in np.linspace(0, 4, 99))
    assert edit.left_out


def test_a_zoom_changes_the_focal_length_steadily_and_stays_in():
    edit = Edit("zoom", 4.0, 1.5, seed=1)
    focal = [float(edit.lens(LENS, SIZE, t).intrinsics[0, 0]) for t in (0, 1, 2, 3, 4)]
    ratios = np.array(focal[1:]) / focal[:-1]
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-5)
    assert sorted([focal[0], focal[-1]]) == pytest.approx(
        [LENS.intrinsics[0, 0], 1.5 * LENS.intrinsics[0, 0]], rel=1e-5
    )
    assert edit.left_out == ""
