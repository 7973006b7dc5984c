"""What counts as a lens that zooms, and what is said of it."""

import numpy as np

from pipeline.stages.reconstruction.zoom import is_steady_zoom, zoom_notes


def test_what_is_no_steady_course_is_no_zoom():
    rng = np.random.default_rng(0)
    assert is_steady_zoom(500 * np.linspace(1, 1.3, 12))
    assert is_steady_zoom(500 * np.linspace(1.2, 1, 12) * rng.normal(1, 0.005, 12))
    assert not is_steady_zoom(500 * np.linspace(1, 1.02, 12))
    assert not is_steady_zoom(500 * rng.uniform(0.8, 1.3, 12))


def test_a_few_frames_tell_no_course_and_a_small_zoom_may_be_none():
    assert not is_steady_zoom(500 * np.linspace(1, 1.3, 5))
    assert not is_steady_zoom(500 * np.linspace(1, 1.1, 12), least=1.15)


def test_what_is_no_focal_length_is_no_zoom():
    for strange in (-500.0, 0.0, np.nan):
        assert not is_steady_zoom(np.array([*500 * np.linspace(1, 1.3, 8), strange]))


def test_a_zoom_is_noted_by_its_extent():
    assert zoom_notes(np.full(4, 500.0)) == ()
    assert zoom_notes(500 * np.linspace(1, 1.3, 4)) == (
        "The lens zooms by 1.30; every frame has its own focal length.",
    )
