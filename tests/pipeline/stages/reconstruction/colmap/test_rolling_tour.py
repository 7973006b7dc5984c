"""A walk that swings to and fro, filmed row by row: the readout is found, and cameras and depth are of one moment.

Another one, swinging as fast before a shutter that exposes all rows at once, is left as it was filmed.
"""

import hashlib
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pipeline.contract.arrays import Float64s
from pipeline.contract.records import Clip, Source
from pipeline.geometry.poses import depth_errors, pose_errors, resize_nearest
from pipeline.quality.calibration.filmed import HOUSE
from pipeline.stages.base import StageResult
from pipeline.stages.clips.rows import clips_table
from pipeline.stages.reconstruction.film import FilmedClips
from pipeline.stages.reconstruction.stage import reconstruction
from pipeline.store.groups import CLIPS, SOURCE_VIDEO
from pipeline.store.rows import pictures_group, read_reconstruction, read_rolling_shutter
from pipeline.store.store import Store
from pipeline.store.video import VideoStore
from pipeline.tours.camera import Movement
from pipeline.tours.effects.settings import EffectSettings
from pipeline.tours.tour import Tour
from pipeline.tours.truth import TrueClip, as_stored, true_clip
from tests.pipeline.stages.filling import filled, workbench_of

READOUT_MS, FRAMES = 25.0, 9
SMALL = {"reconstruction": {"colmap": {"sweep": {"width": 160}}}}


@dataclass(frozen=True)
class Swinging:
    """A movement that also looks to the left and to the right, 50 degrees a second at most."""

    walk: Movement

    @property
    def duration(self) -> float:
        return self.walk.duration

    def at(self, seconds: float) -> Float64s:
        turned = np.eye(4)
        turned[:3, :3] = Rotation.from_rotvec((0, 0.35 * np.sin(2.4 * seconds), 0)).as_matrix()
        return np.asarray(self.walk.at(seconds) @ turned)


def swinging(readout_ms: float) -> Tour:
    effects = EffectSettings(readout_ms=(readout_ms, readout_ms))
    tour = Tour.from_seed(501, HOUSE.model_copy(update={"effects": effects}))
    walks = tuple(None if walk is None else Swinging(walk) for walk in tour.walks)
    filming = None if tour.filming is None else replace(tour.filming, walks=walks)
    return replace(tour, walks=walks, filming=filming)


def stored(tour: Tour, folder: Path) -> VideoStore:
    """The film and one clip of it, as the stages before would store them."""
    video, film = Store(folder).video("tour"), folder / "film.mp4"
    tour.write_video(film)
    size, sha256 = film.stat().st_size, hashlib.sha256(film.read_bytes()).hexdigest()
    video.place(film, SOURCE_VIDEO)
    seconds = tour.frame_count / tour.fps
    source = Source("tour", "file", "a tour", "", "", sha256, size, 640, 480, tour.fps, seconds)
    video.write_json("source.json", asdict(source))
    kept = np.linspace(1, tour.frame_count - 2, FRAMES).astype(np.int64)
    clip = Clip(0, 0, tour.frame_count, kept, kept / tour.fps, np.ones(FRAMES, np.float32), 0.1)
    video.write_table(CLIPS, clips_table([clip]))
    with video.write_group("frames") as group:
        group.append("rgb", np.stack([tour.picture(frame) for frame in kept.tolist()]))
        group.append("clip_id", np.zeros(FRAMES, np.int32))
        group.append("frame_index", kept)
    return video


@dataclass(frozen=True)
class Built:
    """A film, what was made of it, and what is true of it, at the pixels of the stored pictures."""

    video: VideoStore
    result: StageResult
    truth: TrueClip


def built(readout_ms: float, folder: Path) -> Built:
    tour = swinging(readout_ms)
    video = stored(tour, folder)
    result = filled(reconstruction, workbench_of(video, **SMALL))
    truth = as_stored(video, true_clip(tour, video.read("frames", "frame_index")), slice(0, FRAMES))
    return Built(video, result, truth)


@pytest.fixture(scope="module")
def rolled(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return built(READOUT_MS, tmp_path_factory.mktemp("rolled"))


def test_the_readout_is_the_drawn_one(rolled: Built):
    assert rolled.result.counts["readout_ms"] == pytest.approx(READOUT_MS, abs=2.5)
    assert "one after another" in rolled.result.notes[0]


def test_cameras_and_depth_are_those_of_the_middle_rows_moment(rolled: Built):
    found, true = read_reconstruction(rolled.video, slice(0, FRAMES)), rolled.truth.scene
    assert found.registered.all()
    assert found.intrinsics[:, 0, 0] == pytest.approx(true.intrinsics[:, 0, 0], rel=0.015)
    assert pose_errors(found.camera_to_world, true.camera_to_world).auc(5) > 0.95
    errors = depth_errors(found.depth, resize_nearest(true.depth, found.depth.shape[1:]))
    assert errors.absolute_relative < 0.03


def test_pictures_are_stored_with_what_they_were_turned_back_by(rolled: Built):
    turned = read_rolling_shutter(rolled.video)
    assert turned is not None
    assert turned.shape == (FRAMES, 10)
    assert np.degrees(np.abs(turned[:, 1]).max()) == pytest.approx(1.2, abs=0.4), "48 degrees a second, 25 ms"
    assert 1 < turned[0, 9] < 1.06
    assert pictures_group(rolled.video) == "reconstruction"
    moved = rolled.video.read("reconstruction", "rgb").astype(int) - rolled.video.read("frames", "rgb")
    assert np.abs(moved).mean() > 4


def test_frames_between_are_turned_back_as_their_neighbours_are(rolled: Built):
    """Shown again as frames of the clip, they get the same turns; the film is decoded for them alone."""
    camera = replace(FilmedClips(rolled.video, [(0, slice(0, FRAMES))]).camera, readout=READOUT_MS / 1000)
    film = FilmedClips(rolled.video, [(0, slice(0, FRAMES))]).with_rates().taken_by(camera)
    between = film.between(0)
    plain, turned = between.frames([1] * (FRAMES - 1)), between([1] * (FRAMES - 1))
    assert [len(step) for step in turned] == [1] * (FRAMES - 1)
    off = [np.abs(a[0].astype(int) - b[0]).mean() for a, b in zip(plain, turned, strict=True)]
    assert max(off) > 4


def test_a_shutter_that_exposes_all_rows_at_once_is_left_alone(tmp_path: Path):
    plain = built(0.0, tmp_path)
    assert "readout_ms" not in plain.result.counts
    assert pictures_group(plain.video) == "frames"


def test_a_film_that_is_gone_or_cut_short_tells_no_turns_and_nothing_is_undone(rolled: Built):
    def film() -> FilmedClips:
        found = FilmedClips(rolled.video, [(0, slice(0, FRAMES))]).with_rates()
        return found.taken_by(replace(found.camera, readout=READOUT_MS / 1000))

    assert film().camera.readout
    with rolled.video.local_file(SOURCE_VIDEO) as path:
        path.write_bytes(path.read_bytes()[:-4000])
    assert film().rates is None
    rolled.video.remove(SOURCE_VIDEO)
    assert film().rates is None
    assert not film().camera.changes
