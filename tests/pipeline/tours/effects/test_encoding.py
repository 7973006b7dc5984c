"""What is written comes back: every frame, when it stands, and at the rate that was asked for."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.media.frames import iterate
from pipeline.tours.effects.clock import FrameClock
from pipeline.tours.effects.encoding import Encoding


def pictures(count: int) -> Iterator[np.ndarray]:
    draw = np.random.default_rng(3)
    texture = cv2.GaussianBlur(draw.uniform(0, 255, (200, 400, 3)).astype(np.float32), (0, 0), 1.2)
    for frame in range(count):
        noise = draw.normal(0, 4, (120, 160, 3))
        yield np.clip(texture[20:140, frame : frame + 160] + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("variable", [False, True])
def test_frames_are_read_at_the_times_of_the_clock(tmp_path: Path, variable: bool):
    clock = FrameClock(5, 24, 48, variable)
    told: list[tuple[int, int]] = []
    Encoding(160, 120, clock).write(tmp_path / "film.mp4", pictures(48), lambda *done: told.append(done))
    shown = list(iterate(tmp_path / "film.mp4", 60))
    assert [frame.index for frame in shown] == list(range(48))
    np.testing.assert_allclose([frame.time_s for frame in shown], [clock.seconds(n) for n in range(48)], atol=1e-3)
    assert all(frame.follows for frame in shown)
    assert told[-1] == (48, 48)


def test_a_web_rate_is_kept_and_costs_detail(tmp_path: Path):
    sizes = {}
    for kbps in (0, 2000, 400):  # of 640x480 at 30 frames a second: a sixteenth of it here
        path = tmp_path / f"{kbps}.mp4"
        Encoding(160, 120, FrameClock(1, 30, 120), kbps).write(path, pictures(120))
        sizes[kbps] = path.stat().st_size * 8 / 4 / 1000
    assert sizes[400] < sizes[2000] < sizes[0]
    assert sizes[2000] == pytest.approx(2000 / 16, rel=0.3)
