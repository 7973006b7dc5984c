import numpy as np

from pipeline.tours.effects.overlays import PERIOD_S, Overlays

TIMES = np.arange(0, 4 * PERIOD_S, 0.25)
GREY = np.full((480, 854, 3), 128, np.float32)


def test_nothing_is_laid_over_where_nothing_is_asked_for():
    plain = Overlays(3, 854, 480)
    assert plain.laid_over(GREY, 2.0) is GREY
    assert not plain.covers(2.0).any()


def test_captions_come_and_go_in_the_lower_part_and_cover_what_they_change():
    captions = Overlays(3, 854, 480, captions=True)
    shown = [captions.covers(float(time)) for time in TIMES]
    share = np.mean([mask.any() for mask in shown])
    assert 0.2 < share < 0.9
    mask = next(mask for mask in shown if mask.any())
    assert not mask[: 480 // 2].any()
    time = float(TIMES[[bool(mask.any()) for mask in shown].index(True)])
    changed = np.abs(captions.laid_over(GREY, time) - GREY).max(axis=-1)
    assert (changed[~mask] < 0.31 * 128).all()
    assert changed[mask].mean() > 30


def test_a_logo_stays_in_its_corner():
    logo = Overlays(3, 854, 480, logo=True)
    np.testing.assert_array_equal(logo.covers(1.0), logo.covers(9.0))
    rows, columns = np.nonzero(logo.covers(1.0))
    assert rows.size
    assert max(np.ptp(rows) / 480, np.ptp(columns) / 854) < 0.3


def test_what_is_written_is_drawn_by_the_seed():
    masks = [Overlays(seed, 480, 854, logo=True).covers(0.0) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(masks[0], masks[1])
    assert (masks[0] != masks[2]).any()
