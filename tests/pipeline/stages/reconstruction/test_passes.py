"""A video whose lens bends is looked at, voted on and reconstructed on straightened pictures; readers get those."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.arrays import Float64s, Images
from pipeline.contract.errors import InconsistentReconstruction, TooLittleParallax, UnlikelyReconstruction
from pipeline.contract.records import Reconstruction
from pipeline.geometry.distortion import STRAIGHT, Distortion
from pipeline.settings import load_settings
from pipeline.stages.backends import Backend, with_backends
from pipeline.stages.base import Workbench
from pipeline.stages.reconstruction.base import FramesBetween
from pipeline.stages.reconstruction.colmap.settings import ColmapSettings
from pipeline.stages.reconstruction.first_look import UNTOLD, Ballot, FirstLook, FoundCameras, LensFit
from pipeline.stages.reconstruction.settings import ReconstructionSettings
from pipeline.stages.reconstruction.stage import reconstruction
from pipeline.store.frames import FrameReader
from pipeline.store.rows import pictures_group, read_distortion, read_pictures
from pipeline.store.store import Store
from tests.pipeline.stages.filling import filled, workbench_of

BARREL = Distortion(-0.08)
EDGE = 120
"""Column of a bright line, which a barrel bends."""


@lru_cache
def picture(lens: Distortion, level: int) -> Images:
    """One vertical line as a lens shows it, (480, 640, 3); everything is at least as bright as ``level``."""
    rows, columns = np.indices((480, 640)) + 0.5
    where = lens.straight(np.stack([columns.ravel(), rows.ravel()], 1))[:, 0].reshape(480, 640)
    line = 150 * np.exp(-(((where - EDGE - 0.5) / 3) ** 2))
    return np.repeat((level + line).astype(np.uint8)[..., None], 3, 2)


def sag(rgb: Images) -> int:
    """Columns by which the line is farther right at the top than in the middle."""
    return int(rgb[0, :320, 0].argmax()) - int(rgb[240, :320, 0].argmax())


class Measuring:
    """A backend that measures how the line is bent; dark clips have no parallax.

    stretched: brightness of clips that take their pixels for stretched. focals: what clips take for their focal length,
    by brightness, else 500. square, focal: what the clips are said to agree on. later: brightness of clips whose depth
    is left for later. part: brightness of clips of which only the first frame is placed, and that are refused when done
    again with another. vague: brightness of clips that are not sure of their focal length. lines: the lens that edges
    tell of. shown: brightness of the clips that they were asked of. probability: of being right, by brightness.
    """

    name, weights, asks_for_motion = "measuring", dict[str, str](), False

    def __init__(self) -> None:
        self.asked: list[tuple[str, int, int]] = []
        self.stretched: set[int] = set()
        self.focals: dict[int, float] = {}
        self.square, self.focal = False, 0.0
        self.lines, self.shown = STRAIGHT, list[int]()
        self.probability: dict[int, float] = {}
        self.later: set[int] = set()
        self.part: set[int] = set()
        self.vague: set[int] = set()
        self.draws: dict[int, list[int]] = {}
        self.lucky: dict[int, int] = {}
        self.ends: dict[tuple[str, int], BaseException] = {}

    def _asked(self, what: str, rgb: Images, scratch: Path) -> int:
        assert list(scratch.iterdir()) == [], "every clip has an empty folder of its own"
        level = int(rgb[0, 240, 500, 0])
        if (what, level) in self.ends:
            raise self.ends[what, level]
        self.asked.append((what, level, sag(rgb[0])))
        if level < 20:
            raise TooLittleParallax(f"brightness {level}")
        return level

    def _result(self, rgb: Images, aspect: float, focal: float = 500) -> Reconstruction:
        n = len(rgb)
        ones = np.ones((n, 6, 8), np.float32)
        intrinsics = np.tile(np.diag([focal, focal * aspect, 1]).astype(np.float32), (n, 1, 1))
        return Reconstruction(intrinsics, np.tile(np.eye(4), (n, 1, 1)), ones, ones, np.ones(n, np.bool_))

    def reconstruct(self, rgb: Images, scratch: Path) -> Reconstruction:
        return self._result(rgb, 1.2 if self._asked("reconstruct", rgb, scratch) in self.stretched else 1)

    def reconstruct_known(
        self, rgb: Images, scratch: Path, _between: FramesBetween, known: Ballot, draw: int = 0
    ) -> Reconstruction:
        level = self._asked("known", rgb, scratch)
        self.draws.setdefault(level, []).append(draw)
        if draw < self.lucky.get(level, 0):
            raise InconsistentReconstruction(f"draw {draw}")
        if level in self.part and len(rgb) > 1:
            raise TooLittleParallax(f"{len(rgb)} frames")
        return self._result(rgb, 1, known.focal or 500)

    def first_look(self, rgb: Images, scratch: Path, _between: FramesBetween, _rates: Float64s | None) -> FirstLook:
        level = self._asked("look", rgb, scratch)
        if abs(sag(rgb[0])) > 2:
            return FirstLook(LensFit(BARREL, 0.6, 0.4, 100), None)
        focal = self.focals.get(level, 500.0)
        fit = LensFit(STRAIGHT, 0.4, 0.4, 100, focal, 0.1 if level in self.vague else 0.02)
        if level in self.later:
            return FirstLook(fit, None, {"focal": np.array(focal)})
        result = self._result(rgb, 1.2 if level in self.stretched else 1, focal)
        result = replace(result, probability_right=self.probability.get(level, float("nan")))
        if level in self.part:
            result.registered[1:] = False
        return FirstLook(fit, result)

    def go_on(self, rgb: Images, scratch: Path, _between: FramesBetween, cameras: FoundCameras) -> Reconstruction:
        self._asked("go on", rgb, scratch)
        return self._result(rgb, 1, float(cameras["focal"]))

    def lens_of_lines(self, clips: Iterable[Images]) -> Distortion:
        self.shown = [int(rgb[0, 240, 500, 0]) for rgb in clips]
        return self.lines

    def vote(self, fits: Sequence[LensFit]) -> Ballot:
        bent = [fit for fit in fits if fit.lens.bends]
        told = [fit for fit in fits if fit != UNTOLD]
        return Ballot(bent[0].lens if 2 * len(bent) > len(told) else STRAIGHT, self.square, self.focal)


@pytest.fixture
def backend() -> Measuring:
    return Measuring()


@pytest.fixture
def bench(tmp_path: Path, backend: Measuring) -> Callable[..., Workbench]:
    """A stored video of clips, each with a lens and a brightness."""
    own = with_backends(
        "reconstruction", ReconstructionSettings, (Backend("measuring", ColmapSettings, lambda *_: backend),)
    )

    def made(*clips: tuple[Distortion, int]) -> Workbench:
        video = Store(tmp_path).video("a")
        with video.write_group("frames") as group:
            for clip_id, (lens, level) in enumerate(clips):
                group.append("rgb", np.repeat(picture(lens, level)[None], 2, 0))
                group.append("clip_id", np.full(2, clip_id, np.int32))
        settings = load_settings().model_copy(update={"reconstruction": own()})
        return Workbench(video, workbench_of(video).catalog, settings, wanted="0123")

    return made


def test_a_lens_that_edges_tell_of_is_undone_before_the_first_look(bench: Callable[..., Workbench], backend: Measuring):
    backend.lines = BARREL
    workbench = bench((BARREL, 30), (BARREL, 10), (BARREL, 40))
    result = filled(reconstruction, workbench)
    assert backend.shown == [30, 10, 40]
    assert [what for what, _, _ in backend.asked] == ["look"] * 3, "nothing is left to find, and nothing is done again"
    assert all(abs(bent) <= 1 for _, _, bent in backend.asked)
    assert abs(sag(read_pictures(workbench.video, slice(5, 6))[0])) <= 1
    assert result.counts["lens_k1"] == -0.08


def test_a_bent_video_is_reconstructed_and_read_straightened(bench: Callable[..., Workbench], backend: Measuring):
    workbench = bench((BARREL, 30), (BARREL, 10), (BARREL, 40))
    result = filled(reconstruction, workbench)
    video = workbench.video
    assert sag(video.read("frames", "rgb", slice(0, 1))[0]) > 5, "the film stays as it is"
    assert abs(sag(read_pictures(video, slice(5, 6))[0])) <= 1
    assert pictures_group(video) == "reconstruction"
    assert len(read_pictures(video)) == 6, "clips that were left out have pictures, too"
    row = read_distortion(video)
    assert row is not None
    assert Distortion.of_row(row) == BARREL
    assert result.counts["lens_k1"] == -0.08
    assert result.notes[0] == "The lens bends straight lines by 8.0% at the corners; pictures were straightened."
    assert [item.clip_id for item in result.left_out] == [1]
    # Bent clips are not gone on with, and what is straight is done once.
    assert [(what, level) for what, level, bend in backend.asked if abs(bend) <= 2] == [
        ("look", 30),
        ("look", 10),
        ("look", 40),
    ]


def test_single_frames_are_read_straightened(bench: Callable[..., Workbench]):
    workbench = bench((BARREL, 30))
    filled(reconstruction, workbench)
    reader = FrameReader(workbench.video.files)
    assert np.array_equal(reader.read_picture("a", 1), read_pictures(workbench.video)[1])


def test_a_straight_video_keeps_the_pictures_of_its_film_alone(bench: Callable[..., Workbench], backend: Measuring):
    workbench = bench((STRAIGHT, 30), (STRAIGHT, 40))
    result = filled(reconstruction, workbench)
    assert not workbench.video.has_array("reconstruction", "rgb")
    assert not workbench.video.has_array("reconstruction", "distortion")
    assert read_distortion(workbench.video) is None
    assert np.array_equal(read_pictures(workbench.video), workbench.video.read("frames", "rgb"))
    assert set(result.counts) == {"clips", "clips_left_out"}
    assert [what for what, *_ in backend.asked] == ["look", "look"], "nothing is done twice"


def test_a_clip_that_is_outvoted_is_gone_on_with_as_it_was_filmed(bench: Callable[..., Workbench], backend: Measuring):
    workbench = bench((STRAIGHT, 30), (BARREL, 40), (STRAIGHT, 50))
    filled(reconstruction, workbench)
    assert pictures_group(workbench.video) == "frames"
    assert [(what, level) for what, level, _ in backend.asked][3:] == [("reconstruct", 40)]
    assert workbench.video.read("reconstruction", "registered").all()


def test_clips_that_took_their_pixels_for_stretched_are_done_again_where_the_others_disagree(
    bench: Callable[..., Workbench], backend: Measuring
):
    backend.stretched, backend.square = {40}, True
    workbench = bench((STRAIGHT, 30), (STRAIGHT, 40))
    filled(reconstruction, workbench)
    assert [(what, level) for what, level, _ in backend.asked] == [("look", 30), ("look", 40), ("known", 40)]
    focal = workbench.video.read("reconstruction", "intrinsics")[:, (0, 1), (0, 1)]
    assert (focal == 500).all()


def test_clips_whose_focal_length_is_off_are_done_again_with_that_of_the_video_unless_another_lens_filmed_them(
    bench: Callable[..., Workbench], backend: Measuring
):
    backend.focals, backend.focal = {40: 530.0, 50: 800.0}, 501.0
    workbench = bench((STRAIGHT, 30), (STRAIGHT, 40), (STRAIGHT, 50))
    filled(reconstruction, workbench)
    assert [(what, level) for what, level, _ in backend.asked][3:] == [("known", 40)]
    focal = workbench.video.read("reconstruction", "intrinsics")[:, 0, 0]
    assert focal.tolist() == [500, 500, 501, 501, 800, 800]


@pytest.mark.parametrize("probability", [np.nan, 0.9])
def test_cameras_that_are_refused_with_the_focal_length_of_the_video_stay_as_they_were(
    bench: Callable[..., Workbench], backend: Measuring, probability: float
):
    backend.focals, backend.focal, backend.probability = {40: 530.0}, 501.0, {40: probability}
    backend.ends["known", 40] = TooLittleParallax("it does not fit")
    workbench = bench((STRAIGHT, 30), (STRAIGHT, 40))
    assert filled(reconstruction, workbench).left_out == ()
    assert workbench.video.read("reconstruction", "intrinsics")[:, 0, 0].tolist() == [500, 500, 530, 530]


def test_cameras_that_are_refused_with_the_focal_length_of_the_video_and_were_not_sure_are_left_out(
    bench: Callable[..., Workbench], backend: Measuring
):
    backend.focals, backend.focal, backend.probability = {40: 530.0}, 501.0, {40: 0.65}
    backend.ends["known", 40] = UnlikelyReconstruction("it does not fit")
    left_out = filled(reconstruction, bench((STRAIGHT, 30), (STRAIGHT, 40))).left_out
    assert [(item.clip_id, item.detail) for item in left_out] == [(1, "it does not fit")]


def test_a_clip_that_is_refused_when_done_again_is_gone_on_with_by_the_frames_that_were_placed_before(
    bench: Callable[..., Workbench], backend: Measuring
):
    backend.stretched, backend.square, backend.part = {40}, True, {40}
    workbench = bench((STRAIGHT, 30), (STRAIGHT, 40))
    assert filled(reconstruction, workbench).left_out == ()
    assert workbench.video.read("reconstruction", "registered").tolist() == [True, True, True, False]
    focal = workbench.video.read("reconstruction", "intrinsics")[:, (0, 1), (0, 1)]
    assert (focal[:3] == 500).all(), "the pixels of the frame that is left are square, as those of the other clip"


def test_clips_that_are_refused_are_tried_with_the_focal_length_of_those_that_came_through(
    bench: Callable[..., Workbench], backend: Measuring
):
    backend.focals = {30: 540.0, 40: 560.0}
    backend.ends["look", 50] = UnlikelyReconstruction("with a focal length of its own")
    backend.ends["look", 60] = TooLittleParallax("which no focal length helps")
    backend.ends["look", 70] = backend.ends["known", 70] = InconsistentReconstruction("with any focal length")
    workbench = bench(*((STRAIGHT, level) for level in (30, 40, 50, 60, 70)))
    left_out = filled(reconstruction, workbench).left_out
    assert [(item.clip_id, item.detail) for item in left_out] == [
        (3, "which no focal length helps"),
        (4, "with any focal length"),
    ]
    assert workbench.video.read("reconstruction", "registered").tolist() == [True] * 6 + [False] * 4
    focal = workbench.video.read("reconstruction", "intrinsics")[:6, 0, 0]
    np.testing.assert_allclose(focal, [540, 540, 560, 560, *[np.sqrt(540 * 560)] * 2], rtol=1e-6)


def test_clips_that_are_refused_are_tried_without_a_focal_length_where_nobody_is_sure_of_one(
    bench: Callable[..., Workbench], backend: Measuring
):
    backend.ends["look", 50] = UnlikelyReconstruction("with a focal length of its own")
    backend.vague, backend.focals = {30}, {30: 540.0}
    workbench = bench((STRAIGHT, 30), (STRAIGHT, 50))
    assert filled(reconstruction, workbench).left_out == ()
    assert workbench.video.read("reconstruction", "intrinsics")[:, 0, 0].tolist() == [540, 540, 500, 500]


def test_every_further_try_of_a_refused_clip_draws_other_samples_and_the_first_that_comes_through_counts(
    bench: Callable[..., Workbench], backend: Measuring
):
    for level in (40, 50, 60):
        backend.ends["look", level] = InconsistentReconstruction("as it was drawn first")
    backend.lucky = {50: 2, 60: 9}
    left_out = filled(reconstruction, bench(*((STRAIGHT, level) for level in (30, 40, 50, 60)))).left_out
    assert backend.draws == {40: [1], 50: [1, 2], 60: [1, 2]}
    assert [(item.clip_id, item.detail) for item in left_out] == [(3, "as it was drawn first")]


def test_a_stop_in_the_second_try_loses_nothing_of_the_first(bench: Callable[..., Workbench], backend: Measuring):
    for level in (40, 50):
        backend.ends["look", level] = UnlikelyReconstruction("alone")
    backend.ends["known", 50] = KeyboardInterrupt()
    workbench = bench((STRAIGHT, 30), (STRAIGHT, 40), (STRAIGHT, 50))
    with pytest.raises(KeyboardInterrupt):
        filled(reconstruction, workbench)
    del backend.ends["known", 50]
    assert filled(reconstruction, workbench).left_out == ()
    assert [(what, level) for what, level, _ in backend.asked] == [("look", 30), ("known", 40), ("known", 50)]


def test_depth_of_sure_cameras_is_looked_for_once_the_clips_have_voted(
    bench: Callable[..., Workbench], backend: Measuring
):
    backend.later, backend.focals, backend.focal = {30, 40, 50}, {40: 530.0, 50: 800.0}, 501.0
    workbench = bench((STRAIGHT, 30), (STRAIGHT, 40), (STRAIGHT, 50))
    filled(reconstruction, workbench)
    done = [(what, level) for what, level, _ in backend.asked]
    assert done[3:] == [("go on", 30), ("known", 40), ("go on", 50)], "every clip has its depth once"
    focal = workbench.video.read("reconstruction", "intrinsics")[:, 0, 0]
    assert focal.tolist() == [500, 500, 501, 501, 800, 800]


def test_sure_cameras_that_the_focal_length_of_the_video_does_not_fit_are_gone_on_with(
    bench: Callable[..., Workbench], backend: Measuring
):
    backend.later, backend.focals, backend.focal = {30, 40}, {40: 530.0}, 501.0
    backend.ends["known", 40] = TooLittleParallax("it does not fit")
    workbench = bench((STRAIGHT, 30), (STRAIGHT, 40))
    assert filled(reconstruction, workbench).left_out == ()
    assert workbench.video.read("reconstruction", "intrinsics")[:, 0, 0].tolist() == [500, 500, 530, 530]


def test_a_stop_before_depth_loses_no_cameras(bench: Callable[..., Workbench], backend: Measuring):
    backend.later = {30, 40}
    workbench = bench((STRAIGHT, 30), (STRAIGHT, 40))
    backend.ends["go on", 40] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        filled(reconstruction, workbench)
    del backend.ends["go on", 40]
    filled(reconstruction, replace(workbench))
    assert [(what, level) for what, level, _ in backend.asked] == [
        ("look", 30),
        ("look", 40),
        ("go on", 30),
        ("go on", 40),
    ]


def test_a_stop_in_the_second_pass_loses_nothing_of_the_first(bench: Callable[..., Workbench], backend: Measuring):
    workbench = bench((BARREL, 30), (BARREL, 40))
    backend.ends["look", 40] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        filled(reconstruction, workbench)
    del backend.ends["look", 40]
    filled(reconstruction, replace(workbench))
    assert [level for _, level, bend in backend.asked if abs(bend) > 2] == [30, 40]
    assert pictures_group(workbench.video) == "reconstruction"


def test_pictures_that_were_lost_are_not_replaced_by_bent_ones(bench: Callable[..., Workbench]):
    import shutil

    workbench = bench((BARREL, 30))
    filled(reconstruction, workbench)
    folder = workbench.video.files.path("videos", "a", "scene.zarr", "reconstruction", "rgb")
    shutil.rmtree(folder)
    with pytest.raises(Exception, match="is missing"):
        read_pictures(workbench.video)
