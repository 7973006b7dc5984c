"""Bars are found where they are, to a line of 240, and nowhere else."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.arrays import Images
from pipeline.contract.padding import shown_columns
from pipeline.contract.records import WHOLE, Box
from pipeline.media import read_each
from pipeline.stages.clips.bars import BarSearch
from pipeline.stages.clips.find import find_clips
from pipeline.stages.clips.settings import ClipsSettings
from pipeline.tours.settings import TourSettings
from pipeline.tours.tour import Tour
from tests.pipeline.videos import walk, write_video

FPS = 8
FILM = walk(4, 12)


def box_of(frames: list[Images]) -> Box:
    search = BarSearch(FPS)
    for number, frame in enumerate(frames):
        search.add(number, np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), np.uint8))
    return search.box(0, len(frames))


def with_bars(frames: list[Images], left: int, top: int, right: int, bottom: int, level: int = 16) -> list[Images]:
    """Paint bars of so many lines over pictures, black as video has it, with its noise."""
    rng, barred = np.random.default_rng(0), []
    for frame in frames:
        h, w = frame.shape[:2]
        picture = rng.integers(max(level - 3, 0), level + 3, frame.shape, np.uint8)
        picture[top : h - bottom, left : w - right] = frame[top : h - bottom, left : w - right]
        barred.append(picture)
    return barred


def with_blurred_sides(frames: list[Images], width: int) -> list[Images]:
    """Put the middle of pictures before an enlarged and blurred copy of itself, as editors do with portrait films."""
    barred = []
    for frame in frames:
        h, w = frame.shape[:2]
        middle = frame[:, width : w - width]
        picture = cv2.GaussianBlur(cv2.resize(middle, (w, h)), (0, 0), 12)
        picture[:, width : w - width] = middle
        barred.append(np.asarray(picture, np.uint8))
    return barred


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 70), st.integers(0, 70), st.booleans(), st.sampled_from([3, 16]))
def test_black_bars_of_any_width_are_found_and_what_is_left_is_film(first: int, last: int, across: bool, level: int):
    sides = (first, 0, last, 0) if across else (0, first, 0, last)
    size = 320 if across else 240
    box = box_of(with_bars(FILM, *sides, level=level))
    found = (box.left, 1 - box.right) if across else (box.top, 1 - box.bottom)
    for wide, share in zip((first, last), found, strict=True):
        if wide >= 0.03 * size:
            assert wide <= share * size <= wide + 2
        else:
            assert share * size <= wide + 2, "narrow ones may be left"
    assert (box.top, box.bottom) == (0, 1) if across else (box.left, box.right) == (0, 1)


@pytest.mark.parametrize("width", [40, 90])
def test_blurred_sides_are_found(width: int):
    box = box_of(with_blurred_sides(FILM, width))
    assert (box.top, box.bottom) == (0, 1)
    assert [box.left * 320, (1 - box.right) * 320] == pytest.approx([width + 1, width + 1], abs=1.5)


def with_logo(frames: list[Images], left: int, top: int) -> list[Images]:
    """Write the name of a channel over pictures, in a frame."""
    marked = [frame.copy() for frame in frames]
    for frame in marked:
        cv2.rectangle(frame, (left, top), (left + 50, top + 16), (240, 240, 240), 1)
        cv2.putText(frame, "HOUSES", (left + 4, top + 12), cv2.FONT_HERSHEY_SIMPLEX, 0.35, (240, 240, 240), 1)
    return marked


@pytest.mark.parametrize("left", [5, 262])
def test_a_logo_over_blurred_sides_makes_them_no_film(left: int):
    bare = with_blurred_sides(FILM, 90)
    assert box_of(with_logo(bare, left, 8)) == box_of(bare) != WHOLE


@pytest.mark.parametrize("top", [4, 218])
def test_a_logo_over_black_bars_makes_them_no_film(top: int):
    bare = with_bars(FILM, 0, 30, 0, 30)
    assert box_of(with_logo(bare, 250, top)) == box_of(bare) != WHOLE


def test_walls_floors_and_ceilings_of_rooms_are_no_bars():
    tour = Tour.from_seed(3, TourSettings(texel=0.03))
    for first in (30, 190):
        frames = [cv2.resize(tour.picture(first + i), (320, 240)) for i in range(0, 24, 4)]
        assert box_of([np.asarray(frame, np.uint8) for frame in frames]) == WHOLE


def test_a_dark_room_has_no_bars():
    dark = [(frame * 0.08).astype(np.uint8) for frame in FILM]
    assert box_of(dark) == WHOLE


def test_a_film_between_bars_is_cut_like_the_film_alone(tmp_path: Path):
    film = walk(9, 16, step=4, size=(320, 240))
    barred = write_video(tmp_path / "barred.mp4", with_bars(film, 0, 30, 0, 30), fps=FPS)
    alone = write_video(tmp_path / "alone.mp4", [np.ascontiguousarray(frame[30:210]) for frame in film], fps=FPS)
    pictures = []
    for path in (barred, alone):
        clips = find_clips(path, ClipsSettings()).clips
        assert len(clips) == 1
        pictures.append(next(read_each(path, [clips[0].frame_index], [clips[0].box])))
    assert pictures[0].shape == pictures[1].shape
    # A line more is left out on both sides, so that the picture is larger by a hundredth.
    inner = np.s_[:, 40:-40, 40:-40]
    assert np.abs(pictures[0][inner].astype(int) - pictures[1][inner]).mean() < 12
    assert pictures[0].min(axis=(0, 2, 3)).max() >= 0
    assert (pictures[0][:, (0, -1)].mean(axis=(0, 2, 3)) > 40).all(), "no bar is left at the edges"


def test_a_film_that_is_mostly_bars_is_left_out_by_name(tmp_path: Path):
    path = write_video(tmp_path / "slit.mp4", with_bars(walk(9, 24), 0, 100, 0, 100), fps=FPS)
    found = find_clips(path, ClipsSettings())
    assert found.clips == []
    assert [(item.code, item.detail) for item in found.left_out] == [
        ("MostlyBars", "bars leave 16% of a side of the picture")
    ]


def test_a_portrait_film_between_bars_keeps_its_height(tmp_path: Path):
    path = write_video(tmp_path / "portrait.mp4", with_bars(walk(9, 24), 100, 0, 100, 0), fps=FPS)
    clip = find_clips(path, ClipsSettings()).clips[0]
    box = clip.box
    assert (box.top, box.bottom) == (0, 1)
    assert [box.left, 1 - box.right] == pytest.approx([100 / 320, 100 / 320], abs=0.008)
    ((rgb,), (film,)) = (read_each(path, [clip.frame_index], [kept]) for kept in (box, WHOLE))
    columns = shown_columns(rgb)
    assert [columns.start, columns.stop] == pytest.approx([640 * box.left, 640 * box.right], abs=3)
    # between them it is the film as it was: nothing is cut off above or below
    inside = slice(columns.start + 4, columns.stop - 4)
    assert np.abs(rgb[:, :, inside].astype(int) - film[:, :, inside]).mean() < 0.1 * film[:, :, inside].std()
