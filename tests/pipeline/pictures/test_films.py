"""Pictures at the size of their film are those of the store, larger; where they are not, the stored ones stand."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from pipeline.contract.arrays import Images
from pipeline.geometry.distortion import Distortion
from pipeline.pictures.films import FilmPictures
from pipeline.stages.reconstruction.film import FilmCamera, FilmedClips
from pipeline.stages.reconstruction.rows import append_pictures
from pipeline.store.frames import Frame, FrameReader
from pipeline.store.groups import SOURCE_VIDEO
from pipeline.store.store import Store
from tests.earlier import FRAMES, VIDEO, unpack_earlier_dataset
from tests.pipeline.videos import numbered, write_video

HEIGHT, WIDTH = 960, 1712


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wide film of twice the rows whose middle shows the stored frames where they were cut from."""
    folder = tmp_path_factory.mktemp("film")
    store = Store(unpack_earlier_dataset(folder))
    numbers = store.video(VIDEO).read("frames", "frame_index").tolist()
    stored = dict(zip(numbers, store.video(VIDEO).read("frames", "rgb"), strict=True))
    blank = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    return write_video(
        folder / "film.mp4", [_wide(stored[i]) if i in stored else blank for i in range(numbers[-1] + 3)]
    )


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(unpack_earlier_dataset(tmp_path))


def _wide(picture: Images) -> Images:
    frame = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    left = (WIDTH - 1280) // 2
    frame[:, left : left + 1280] = cv2.resize(picture, (1280, 960), interpolation=cv2.INTER_CUBIC)
    return frame


def _put(store: Store, film: Path) -> None:
    shutil.copy(film, Path(store.path("videos", VIDEO, SOURCE_VIDEO)))


def _frames(store: Store) -> list[Frame]:
    return [Frame(VIDEO, row, 1, "train", 0.0, FrameReader(store)) for row in range(FRAMES)]


def _difference(picture: Images, stored: Images) -> float:
    small = cv2.resize(picture, (640, 480), interpolation=cv2.INTER_AREA)
    return float(cv2.absdiff(small, stored).mean())


@pytest.mark.parametrize("order", [range(FRAMES), range(FRAMES - 1, -1, -1), (2, 2, 0, 5)])
def test_frames_come_as_large_as_their_film_in_any_order(store: Store, film: Path, order: list[int]):
    _put(store, film)
    frames, films = _frames(store), FilmPictures(store)
    for row in order:
        picture = films.picture(frames[row])
        assert picture.shape == (960, 1280, 3)
        own = [_difference(picture, frame.picture) for frame in frames]
        assert int(np.argmin(own)) == row, "not another frame of the film"
        assert own[row] < 4


@pytest.mark.parametrize("readout", [0.0, 0.03])
def test_what_a_camera_did_is_undone_at_any_size(store: Store, film: Path, readout: float):
    _put(store, film)
    lens, video = Distortion(k1=-0.08, p1=0.002), store.video(VIDEO)
    filmed = video.read("frames", "rgb")
    rates = np.zeros((FRAMES, 9))
    rates[:, 1] = np.linspace(-0.8, 0.8, FRAMES)
    clips = FilmedClips(video, [(1, slice(0, FRAMES))], rates={1: rates}).taken_by(FilmCamera(lens, readout))
    with video.locked(), video.write_group("reconstruction") as group:
        append_pictures(group, clips)
    for row in (0, FRAMES - 1):
        frame = _frames(store)[row]
        picture = FilmPictures(store).picture(frame)
        assert picture.shape == (960, 1280, 3)
        assert _difference(picture, frame.picture) < 4
        assert _difference(cv2.resize(filmed[row], (1280, 960)), frame.picture) > 6, "what was done is seen"


def test_a_film_that_is_gone_no_larger_broken_or_another_gives_the_stored_pictures(store: Store, tmp_path: Path):
    frame = _frames(store)[3]

    def is_stored() -> bool:
        return np.array_equal(FilmPictures(store).picture(frame), frame.picture)

    assert is_stored(), "gone"
    _put(store, write_video(tmp_path / "short.mp4", numbered(3)))
    assert is_stored(), "ends before the frame"
    (tmp_path / "page.mp4").write_bytes(b"<html>not a film</html>")
    _put(store, tmp_path / "page.mp4")
    assert is_stored(), "no film"
    _put(store, write_video(tmp_path / "other.mp4", [np.full((960, 1280, 3), 250, np.uint8)] * 200))
    assert is_stored(), "shows something else"
    stored = store.video(VIDEO).read("frames", "rgb")
    numbers = store.video(VIDEO).read("frames", "frame_index").tolist()
    small = [stored[np.searchsorted(numbers, i).clip(0, FRAMES - 1)] for i in range(numbers[-1] + 1)]
    _put(store, write_video(tmp_path / "small.mp4", small))
    assert is_stored(), "has no more rows"
