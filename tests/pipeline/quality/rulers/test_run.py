"""A suite whose films fail in ways that nobody foresaw."""

import errno
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.contract.errors import OutOfMemory, StorageFailed
from pipeline.contract.progress import Progress
from pipeline.quality.rulers.records import PartScores
from pipeline.quality.rulers.run import run_suite
from pipeline.quality.rulers.suites import Part, real_parts
from pipeline.quality.truth.film import TrueFilm
from pipeline.quality.truth.posed import PosedFilm
from pipeline.settings import Settings
from pipeline.stages.failures import last_failure
from pipeline.store.groups import RULER
from pipeline.store.store import Store
from tests.pipeline.room_video import write_room_video
from tests.pipeline.small_tour import small_settings
from tests.pipeline.videos import walk, write_video


class Unreadable(PosedFilm):
    """A film whose truth brings up what nobody foresaw."""

    def known(self, frame_index: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which frames are known (``IndexError``)."""
        raise IndexError(f"{len(frame_index)} is out of range")


@pytest.fixture
def parts(tmp_path: Path) -> list[Part]:
    """Two clips with cameras that are too short to be one."""
    folder = tmp_path / "truth" / "clips"
    folder.mkdir(parents=True)
    pose = " ".join(map(str, np.eye(4)[:3].ravel()))
    write_room_video(folder / "first.mp4", 4)
    write_video(folder / "second.mp4", walk(3, 4))
    for name in ("first", "second"):
        lines = "".join(f"{i} 0.8 1 0.5 0.5 0 0 {pose}\n" for i in range(4))
        (folder / f"{name}.pose.txt").write_text(f"url\n{lines}")
    return real_parts(tmp_path / "truth")


def scored(parts: list[Part], folder: Path, progress: Progress = lambda *_: None) -> tuple[PartScores, ...]:
    return run_suite(parts, {"real": Store(folder)}, {"real": small_settings()}, progress)


def failing(at: str, error: BaseException, film: str = "first") -> Progress:
    """Raise an error in the middle of a stage, while one film is built."""
    now = [""]

    def progress(stage: str, done: float, total: float, detail: str = "") -> None:
        del done, total
        now[0] = detail if stage == "films" else now[0]
        if stage == at and film in now[0]:
            raise error

    return progress


@pytest.mark.parametrize("error", [ValueError("max() arg is an empty sequence"), ZeroDivisionError()])
def test_an_error_that_nobody_foresaw_loses_its_film_by_name_and_no_other(
    parts: list[Part], tmp_path: Path, error: Exception
):
    (part,) = scored(parts, tmp_path / "data", failing("clips", error))
    first, second = part.films
    (lost,), (short,) = first.shots, second.shots
    assert (lost.frames, lost.kept) == (4, 0)
    assert lost.reason.startswith(f"{type(error).__name__}: ")
    assert str(error) in lost.reason
    assert "(test_run.py, line " in lost.reason
    assert short.reason.startswith("NoClips: ")
    assert scored(parts, tmp_path / "data") == (part,), "a later run knows as much, and does not try it again"


def test_a_film_that_cannot_be_compared_is_lost_by_name_and_compared_again_by_the_next_run(
    parts: list[Part], tmp_path: Path
):
    (part,) = parts
    truth_of = part.films[0][1]
    broken = Part(part.name, part.folder, ((part.films[0][0], unreadable(truth_of)), part.films[1]))
    (found,) = scored([broken], tmp_path / "data")
    (lost,), (short,) = found.films[0].shots, found.films[1].shots
    assert (lost.frames, lost.kept) == (4, 0)
    assert "NoClips" in lost.reason
    assert "not measured: IndexError: 4 is out of range (test_run.py, line " in lost.reason
    assert short.reason.startswith("NoClips: ")
    kept = [Store(tmp_path / "data").video(film.video_id).exists(RULER) for film in found.films]
    assert kept == [False, True]
    (mended,) = scored(parts, tmp_path / "data")
    assert mended.films[0].shots[0].reason.startswith("NoClips: ")


def unreadable(truth_of: Callable[[Settings], TrueFilm]) -> Callable[[Settings], TrueFilm]:
    def made(settings: Settings) -> TrueFilm:
        film = truth_of(settings)
        assert isinstance(film, PosedFilm)
        return Unreadable(film.name, film.video, film.pictures, film.cameras, film.depth, film.level)

    return made


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (KeyboardInterrupt(), KeyboardInterrupt),
        (MemoryError(), OutOfMemory),
        (OSError(errno.ENOSPC, "No space left on device"), StorageFailed),
    ],
)
def test_what_ends_the_machine_ends_the_suite(
    parts: list[Part], tmp_path: Path, error: BaseException, raised: type[BaseException]
):
    with pytest.raises(raised):
        scored(parts, tmp_path / "data", failing("clips", error))
    store = Store(tmp_path / "data")
    second = parts[0].films[1][0].video_id
    assert last_failure(store.video(second)) is None, "it was not begun"
