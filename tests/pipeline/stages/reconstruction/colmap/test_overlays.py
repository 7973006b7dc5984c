"""Letters and logos over a moving film are found where they are shown; nothing else is, and nothing where it stands."""

import cv2
import numpy as np
import pytest

from pipeline.contract.arrays import Images
from pipeline.stages.reconstruction.colmap.overlays import overlays

FRAMES = 8
LOGO = (slice(20, 50), slice(20, 160))
CAPTION = (slice(380, 420), slice(200, 460))


def film(step: int, blur: float = 3.0) -> Images:
    """A papered wall that moves by ``step`` pixels a frame, with the noise of a camera."""
    draw = np.random.default_rng(0)
    paper = cv2.GaussianBlur(draw.integers(0, 255, (480, 640 + FRAMES * 20, 3)).astype(np.uint8), (0, 0), blur)
    paper = cv2.normalize(paper, None, 0, 255, cv2.NORM_MINMAX)
    frames = [paper[:, step * k : step * k + 640].astype(float) for k in range(FRAMES)]
    return np.stack([np.clip(frame + draw.normal(0, 3, frame.shape), 0, 255) for frame in frames]).astype(np.uint8)


def written(rgb: Images, caption_from: int = 0) -> Images:
    """The same with a logo, and with a caption from some frame on."""
    rgb = rgb.copy()
    for k, frame in enumerate(rgb):
        cv2.putText(frame, "HOMES", (24, 46), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (240, 240, 240), 2)
        if k >= caption_from:
            cv2.putText(frame, "Living room", (204, 412), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (255, 255, 255), 3)
    return rgb


def share(mask: np.ndarray, place: tuple[slice, slice]) -> float:
    return float(mask[place].mean())


def test_a_logo_and_a_caption_are_found_and_the_room_is_not():
    found = overlays(written(film(9)))
    assert all(share(mask, LOGO) > 0.6 and share(mask, CAPTION) > 0.5 for mask in found)
    for place in (LOGO, CAPTION):
        found[(slice(None), *(slice(max(part.start - 25, 0), part.stop + 25) for part in place))] = False
    assert found.mean() < 0.01


def test_a_caption_is_found_in_the_frames_that_show_it():
    found = overlays(written(film(9), caption_from=4))
    assert all(share(mask, CAPTION) < 0.1 for mask in found[:4])
    assert all(share(mask, CAPTION) > 0.4 for mask in found[4:])


@pytest.mark.parametrize("step", [4, 9, 15])
def test_in_a_film_without_letters_nothing_is_found(step: int):
    assert not overlays(film(step)).any()


def test_in_a_film_that_stands_still_nothing_is_laid_over():
    assert not overlays(written(film(0, blur=1))).any()


def test_of_two_frames_nothing_is_said():
    assert not overlays(written(film(9))[:2]).any()
