"""Clips that nobody wants are left out by name, and what looks like one is kept."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.contract.arrays import Images
from pipeline.stages.clips.find import find_clips
from pipeline.stages.clips.settings import ClipsSettings
from pipeline.stages.clips.unwanted import TEXT_MAX, is_split_screen, is_static, objection, text_share
from pipeline.tours.settings import TourSettings
from pipeline.tours.tour import Tour
from tests.pipeline.videos import write_video

ALL = ClipsSettings().leave_out
WORDS = ("THE BEST HOUSE TOUR", "OF THE WHOLE YEAR", "SUBSCRIBE AND CLICK", "THE BELL FOR MORE", "HOMES LIKE THIS")


def walked(tour: Tour, shot: int = -1, count: int = 8) -> Images:
    """Frames of a shot inside."""
    inside = [shot for shot in tour.shots if shot.kind == "indoor"][shot]
    return np.stack([tour.picture(int(f)) for f in np.linspace(inside.start_frame, inside.end_frame - 1, count)])


@pytest.fixture(scope="module")
def tours() -> list[Tour]:
    return [Tour.from_seed(seed, TourSettings(texel=0.02)) for seed in (2, 3)]


@pytest.fixture(scope="module")
def rooms(tours: list[Tour]) -> list[Images]:
    return [walked(tour) for tour in tours]


def noisy(picture: Images, count: int, deviation: float) -> Images:
    noise = np.random.default_rng(0).normal(0, deviation, (count, *picture.shape))
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def written(frames: Images, lines: int) -> Images:
    marked = frames.copy()
    for frame in marked:
        for line, words in enumerate(WORDS[:lines]):
            cv2.putText(frame, words, (30, 90 + 80 * line), cv2.FONT_HERSHEY_DUPLEX, 1.7, (0, 0, 0), 9)
            cv2.putText(frame, words, (30, 90 + 80 * line), cv2.FONT_HERSHEY_DUPLEX, 1.7, (255, 255, 255), 3)
    return marked


def bannered(frames: Images) -> Images:
    marked = frames.copy()
    marked[:, 360:430] = marked[:, 360:430] // 4
    for frame in marked:
        cv2.putText(frame, WORDS[0], (30, 412), cv2.FONT_HERSHEY_DUPLEX, 1.4, (255, 255, 255), 3)
    return marked


def framed_card() -> Images:
    card = np.full((10, 480, 640, 3), 235, np.uint8)
    for picture in card:
        cv2.rectangle(picture, (200, 0), (440, 479), (40, 60, 90), 6)
        cv2.putText(picture, "House tour", (215, 240), cv2.FONT_HERSHEY_DUPLEX, 1.2, (30, 30, 30), 3)
    return card


def test_a_walk_through_a_room_is_wanted(rooms: list[Images]):
    for room in rooms:
        assert objection(room, ALL) is None
        assert text_share(room) < 0.05


@pytest.mark.parametrize("deviation", [1.5, 6.0])
def test_a_camera_that_stands_is_left_out_whatever_its_noise(rooms: list[Images], deviation: float):
    for room in rooms:
        assert objection(noisy(room[0], 10, deviation), ALL) == (
            "Static",
            "the camera does not move, so that nothing tells how far things are",
        )


def test_somebody_who_walks_through_the_picture_moves_no_camera(rooms: list[Images]):
    still = noisy(rooms[0][0], 8, 1.5)
    for number, frame in enumerate(still):
        frame[150:400, 40 * number : 40 * number + 80] = rooms[1][number, 150:400, 100:180]
    assert is_static(still)


def test_a_camera_that_moves_by_a_hundredth_of_the_picture_is_not_still(rooms: list[Images]):
    moved = [np.roll(rooms[0][0], round(6.4 * i / 9), axis=1) for i in range(10)]
    assert not is_static(np.stack(moved))


@pytest.mark.parametrize("upright", [True, False])
def test_two_films_side_by_side_or_one_above_the_other_are_a_split_screen(rooms: list[Images], *, upright: bool):
    here, there = rooms
    there = there[::-1]
    both = [here[:, :, :320], there[:, :, :320]] if upright else [here[:, :240], there[:, :240]]
    found = objection(np.concatenate(both, axis=2 if upright else 1), ALL)
    assert found is not None
    assert found[0] == "SplitScreen"


def test_an_edge_that_stands_in_few_frames_is_no_border(rooms: list[Images]):
    here, there = rooms[0].copy(), rooms[1][::-1]
    here[:2, :, 320:] = there[:2, :, :320] // 3  # a doorway that is walked past
    assert not is_split_screen(here)
    here[:6, :, 320:] = there[:6, :, :320] // 3
    assert is_split_screen(here)


def test_a_framed_title_card_is_no_split_screen_and_goes_on_to_the_indoor_filter():
    assert objection(framed_card(), ALL) is None


def test_the_title_card_of_a_tour_goes_on_too(tours: list[Tour]):
    title = next(shot for shot in tours[0].shots if shot.kind == "title")
    assert objection(np.stack([tours[0].picture(title.start_frame + i) for i in range(8)]), ALL) is None


def test_a_banner_over_a_film_splits_nothing(rooms: list[Images]):
    assert not is_split_screen(bannered(rooms[0]))
    assert objection(bannered(rooms[0]), ALL) is None


@pytest.mark.parametrize(("lines", "unwanted"), [(1, False), (5, True)])
def test_text_over_a_third_is_unwanted_and_a_line_is_not(rooms: list[Images], lines: int, *, unwanted: bool):
    for room in rooms:
        assert (text_share(written(room, lines)) > TEXT_MAX) == unwanted
        found = objection(written(room, lines), ALL)
        assert (found[0] if found else None) == ("TextOverlay" if unwanted else None)


def test_only_what_is_named_is_left_out(rooms: list[Images], tmp_path: Path):
    path = write_video(tmp_path / "still.mp4", list(noisy(rooms[0][0], 30, 1.5)), fps=12)
    assert [item.code for item in find_clips(path, ClipsSettings()).left_out] == ["Static"]
    assert len(find_clips(path, ClipsSettings(leave_out=("SlideShow",))).clips) == 1
