import numpy as np
import pytest

from pipeline.tours.effects.drawn import VideoEffects, fps_of
from pipeline.tours.effects.lens import bends_at_most
from pipeline.tours.effects.settings import HARD, EffectSettings
from pipeline.tours.effects.shutter import Shutter

SEEDS = range(300)


def drawn(seed: int, settings: EffectSettings = HARD, field_of_view: float = 65.0) -> VideoEffects:
    return VideoEffects.draw(seed, settings, field_of_view, fps_of(seed, settings, 12), 1.5)


def test_by_default_nothing_is_drawn():
    plain = drawn(4, EffectSettings())
    assert (plain.lens.k1, plain.shutter, plain.layout.camera_size) == (0, Shutter(samples_max=4), (640, 480))
    assert (plain.sensor.iso, plain.sensor.plain_noise, plain.bitrate_kbps, plain.variable_rate) == (0, 1.5, 0, False)
    assert (plain.overlays.captions, plain.overlays.logo) == (False, False)
    np.testing.assert_allclose(plain.lens.intrinsics[:, 2], [320, 240, 1])
    assert fps_of(4, EffectSettings(), 12) == 12


def test_a_hard_video_draws_from_the_whole_of_its_ranges():
    videos = [drawn(seed) for seed in SEEDS]
    for values, (low, high) in (
        ([v.shutter.readout_s * 1000 for v in videos], HARD.readout_ms),
        ([v.sensor.iso for v in videos], HARD.iso),
        ([v.bitrate_kbps for v in videos], HARD.bitrate_kbps),
        ([v.sensor.stops.amplitude for v in videos], HARD.exposure_drift),
    ):
        assert low <= min(values) < low + (high - low) / 10
        assert high >= max(values) > high - (high - low) / 10
    assert {fps_of(seed, HARD, 12) for seed in SEEDS} == {24, 30, 60}
    assert len({v.layout for v in videos}) == len(set(HARD.formats))
    assert np.mean([v.variable_rate for v in videos]) == pytest.approx(HARD.variable_rate, abs=0.08)
    assert all(v.shutter.exposure_s <= 1 / fps_of(seed, HARD, 12) for seed, v in zip(SEEDS, videos, strict=True))


def test_no_lens_bends_more_than_its_width_allows():
    wide, narrow = ([drawn(seed, field_of_view=fov) for seed in SEEDS] for fov in (100.0, 50.0))
    for video in wide:
        size, focal = video.layout.camera_size, float(video.lens.intrinsics[0, 0])
        assert video.lens.k1 >= bends_at_most(size, focal, HARD.principal_point * size[0]) - 1e-6
    assert min(video.lens.k1 for video in wide) > -0.2
    assert min(video.lens.k1 for video in narrow) < -0.27


def test_what_one_effect_draws_does_not_move_another():
    alone = drawn(9, EffectSettings(iso=HARD.iso))
    assert alone.sensor.iso == drawn(9).sensor.iso
    np.testing.assert_array_equal(
        drawn(9).lens.intrinsics, drawn(9, HARD.model_copy(update={"iso": (0, 0)})).lens.intrinsics
    )


def test_the_longer_side_has_the_field_of_view():
    upright = drawn(9, EffectSettings(formats=("portrait",)))
    assert 2 * np.degrees(np.arctan(854 / 2 / upright.lens.intrinsics[1, 1])) == pytest.approx(65, rel=1e-5)
