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
from tests.pipeline.room_video import film_of
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


def carried(picture: Images, matrices: list[np.ndarray]) -> Images:
    """One picture (480, 640, 3) moved by matrices, (2, 3) or (3, 3) each."""
    warp = [cv2.warpAffine if len(matrix) == 2 else cv2.warpPerspective for matrix in matrices]
    frames = [how(picture, m, (640, 480), borderMode=cv2.BORDER_REFLECT) for how, m in zip(warp, matrices, strict=True)]
    return np.asarray(frames, np.uint8)


def panned_over(picture: Images, zoom: float, right: float, turn: float) -> Images:
    """One picture shown ever larger, further to the right (pixels) and more turned (degrees)."""
    moves = [
        cv2.getRotationMatrix2D((320 + right * share, 240), turn * share, 1 + (zoom - 1) * share)
        for share in np.linspace(0, 1, 12)
    ]
    return carried(picture, moves)


@pytest.mark.parametrize(
    ("zoom", "right", "turn"), [(1.04, 0, 0), (1.06, 20, 0), (1 / 1.05, 0, 0), (1.3, 40, 5), (1.1, 0, -4)]
)
def test_slow_and_turned_slide_shows_are_left_out(rooms: list[Images], zoom: float, right: float, turn: float):
    for room in rooms:
        found = objection(panned_over(room[0], zoom, right, turn), ALL)
        assert found is not None
        assert found[0] == "SlideShow"


def in_changing_light(picture: Images, darkest: float, brightest: float) -> Images:
    light = np.linspace(darkest, brightest, 10)[:, None, None, None]
    return np.clip(noisy(picture, 10, 3) * light, 0, 255).astype(np.uint8)


def trembling(picture: Images) -> Images:
    steps = np.random.default_rng(0).normal(0, 1, (12, 2))
    return carried(picture, [np.array([[1, 0, x], [0, 1, y]]) for x, y in steps])


def test_a_camera_that_stands_is_left_out_in_changing_light_and_where_it_trembles(rooms: list[Images]):
    for room in rooms:
        for clip in (in_changing_light(room[0], 0.6, 1.2), in_changing_light(room[0], 1.2, 0.8), trembling(room[0])):
            found = objection(clip, ALL)
            assert found is not None
            assert found[0] == "Static"


LENS = np.array([[500.0, 0, 320], [0, 500, 240], [0, 0, 1]])


def past_a_wall(picture: Images, along: float, ahead: float, shake: float) -> Images:
    """A wall, 2.4 m of it one picture, from 1.8 m, by a camera that goes metres and shakes by degrees."""
    rng, onto = np.random.default_rng(0), np.array([[2.4 / 640, 0, -1.2], [0, 2.4 / 640, -0.9], [0, 0, 1]])
    moves = []
    for share in np.linspace(-0.5, 0.5, 12):
        turn = cv2.Rodrigues(np.radians(rng.normal(0, shake, 3)))[0] if shake else np.eye(3)
        x, y, z = along * share, 0.0, ahead * share - 1.8
        moves.append(LENS @ turn @ np.array([[1, 0, -x], [0, 1, -y], [0, 0, -z]]) @ onto)
    return carried(picture, moves)


@pytest.mark.parametrize(("along", "ahead"), [(0.4, 0.0), (1.0, 0.0), (0.0, 0.5)])
def test_a_wall_that_a_hand_films_squarely_is_no_still(rooms: list[Images], along: float, ahead: float):
    """Only its picture moves as a whole, too; the hand that turns a little gives it away, over long ways."""
    for room in rooms:
        assert objection(past_a_wall(room[0], along, ahead, shake=0.3), ALL) is None


def test_one_picture_on_a_bare_wall_is_too_small_to_show_that_a_camera_moves(rooms: list[Images]):
    for room in rooms:
        framed = np.full_like(room[0], 235)
        framed[150:330, 200:440] = cv2.resize(room[0], (240, 180))
        assert objection(past_a_wall(framed, 0.3, 0.2, shake=0), ALL) is None


def test_a_camera_that_turns_on_the_spot_is_neither_a_slide_show_nor_still(rooms: list[Images]):
    for degrees in (2, 10):
        angles = np.radians(np.linspace(0, degrees, 10))
        turns = [LENS @ cv2.Rodrigues(np.array([0, angle, 0]))[0] @ np.linalg.inv(LENS) for angle in angles]
        assert objection(carried(rooms[0][0], turns), ALL) is None


def test_rooms_that_other_tests_film_are_wanted():
    assert objection(np.stack([*film_of(12)]), ALL) is None


def half_still(moving: Images, still: Images, *, upright: bool) -> Images:
    size = (320, 480) if upright else (640, 240)
    both = [np.stack([cv2.resize(frame, size) for frame in film]) for film in (moving, [still] * len(moving))]
    return np.concatenate(both, axis=2 if upright else 1)


def with_panel(film: Images, share: float, colour: tuple[int, int, int]) -> Images:
    marked = film.copy()
    for frame in marked:
        frame[:, : int(640 * share)] = colour
        for line in range(5):
            place = (10, 80 + 80 * line)
            cv2.putText(frame, "5 bed 3 bath", place, cv2.FONT_HERSHEY_DUPLEX, 0.9, (255, 255, 255), 2)
    return marked


def test_a_photograph_or_a_panel_beside_a_film_is_left_out(rooms: list[Images]):
    for here, there in (rooms, rooms[::-1]):
        for clip in (
            half_still(here, here[0], upright=True),
            half_still(here, there[0], upright=False),
            with_panel(here, 0.4, (30, 90, 200)),
            with_panel(here, 0.45, (20, 20, 20))[:, :, ::-1],
        ):
            found = objection(clip, ALL)
            assert found is not None
            assert found[0] in {"SplitScreen", "TextOverlay"}


def test_a_logo_and_a_bare_wall_on_one_side_stay_in_their_place_and_are_wanted(rooms: list[Images]):
    for room in rooms:
        marked, bare = room.copy(), room.copy()
        marked[:, 20:80, 500:620] = (200, 30, 30)
        assert objection(marked, ALL) is None
        for number, frame in enumerate(bare):
            frame[:, : 200 + 6 * number] = 240
        assert objection(bare, ALL) is None


def test_only_what_is_named_is_left_out(rooms: list[Images], tmp_path: Path):
    path = write_video(tmp_path / "still.mp4", list(noisy(rooms[0][0], 30, 1.5)), fps=12)
    assert [item.code for item in find_clips(path, ClipsSettings()).left_out] == ["Static"]
    assert len(find_clips(path, ClipsSettings(leave_out=("SlideShow",))).clips) == 1
