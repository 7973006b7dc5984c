"""What a window takes, against what was measured of whole processes, and how many frames fit."""

import pytest

from models.da3.config import Da3Config
from models.da3.memory import fitting_frames, window_bytes
from pipeline.bench.operations import DA3_SMALL

PICTURE = (378, 504)
MEASURED = [
    (DA3_SMALL, 0.14, {8: 1.8, 16: 2.2, 22: 2.2, 48: 2.5}),
    (Da3Config(), 0.54, {8: 2.9, 16: 2.8, 22: 3.0, 48: 4.6}),
]
"""Size of the weights and peak of a process that ran so many frames, gigabytes (docs/results/speed.md)."""


@pytest.mark.parametrize(("config", "weights", "peaks"), MEASURED)
def test_processes_took_about_what_is_reckoned_with_what_python_and_torch_take(
    config: Da3Config, weights: float, peaks: dict[int, float]
):
    for frames, peak in peaks.items():
        reckoned = window_bytes(config, PICTURE, frames) / 1e9 + weights + 0.6
        assert 0.75 * peak < reckoned < 1.5 * peak


@pytest.mark.parametrize("config", [DA3_SMALL, Da3Config()])
@pytest.mark.parametrize("frames", [1, 4, 7, 8, 9, 64, 600])
def test_so_many_frames_fit_as_take_what_is_free(config: Da3Config, frames: int):
    free = window_bytes(config, PICTURE, frames)
    assert fitting_frames(config, PICTURE, free) == frames
    assert fitting_frames(config, PICTURE, free - 1) == frames - 1
    assert fitting_frames(config, PICTURE, 0) == 0
