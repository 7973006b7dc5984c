"""Films that are told by the files of their folders, and what is said where they cannot be read."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.errors import BrokenVideo, SettingsError
from pipeline.quality.truth.folder import films_below
from pipeline.stages.base import Workbench
from pipeline.tours.truth import tour_of
from tests.pipeline.quality.truth.exports import source_of, to_icl, to_realestate10k, to_tum
from tests.pipeline.room_video import write_room_video

FRAMES = (12, 14, 17)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, built_tour: Workbench) -> Path:
    """A tour as three kinds of real footage, with two films that should be left out and a folder of something else."""
    folder, tour = tmp_path_factory.mktemp("footage"), tour_of(built_tour.video)
    assert tour is not None
    for name, export in (("clips", to_realestate10k), ("sequence", to_icl), ("captured", to_tum)):
        export(tour, source_of(built_tour.video), FRAMES, folder / name)
    for name in ("outdoor_and_mixed/street.mp4", "outdoor_and_mixed/house.mp4", "vggt_room/room.mp4"):
        (folder / name).parent.mkdir(exist_ok=True)
        write_room_video(folder / name, 3)
    (folder / "other").mkdir()
    (folder / "other" / "notes.txt").write_text("nothing to see here")
    return folder


def test_films_are_found_by_folder(folder: Path):
    found = {name: [film.name for film in films] for name, films in films_below(folder).items()}
    assert found == {
        "captured": ["captured"],
        "clips": ["abc"],
        "outdoor_and_mixed": ["street"],
        "sequence": ["sequence"],
        "vggt_room": ["room"],
    }


def test_what_is_read_is_what_was_written(folder: Path, built_tour: Workbench):
    tour, frames = tour_of(built_tour.video), np.array(FRAMES)
    assert tour is not None
    truth = [tour.truth(frame) for frame in FRAMES]
    true_steps = np.linalg.inv(truth[0].camera_to_world.astype(float)) @ [frame.camera_to_world for frame in truth]
    films = films_below(folder)
    for name in ("clips", "sequence", "captured"):
        (film,) = films[name]
        clip = film.clip(frames)
        steps = np.linalg.inv(clip.scene.camera_to_world[0].astype(float)) @ clip.scene.camera_to_world
        np.testing.assert_allclose(steps, true_steps, atol=1e-5)
        np.testing.assert_allclose(clip.scene.intrinsics, [tour.intrinsics] * 3, atol=1e-3)
        assert film.known(np.array([*FRAMES, 10_000])).tolist() == [True, True, True, False]
        assert film.in_metres == (name != "clips")
        if film.in_metres:
            named = np.stack([np.where(frame.labels == 255, 0, frame.depth) for frame in truth])
            np.testing.assert_allclose(clip.scene.depth, named, atol=0.6e-3)
    np.testing.assert_allclose(
        films["captured"][0].clip(frames).scene.camera_to_world, [f.camera_to_world for f in truth], atol=1e-5
    )


def test_a_film_that_should_be_left_out_is_one_shot_without_truth(folder: Path):
    (film,) = films_below(folder)["outdoor_and_mixed"]
    (shot,) = film.shots
    assert (shot.start, shot.end, shot.wanted) == (0, 3, False)
    assert not film.known(np.arange(3)).any()
    with pytest.raises(ValueError, match="street"):
        film.clip(np.arange(3))


def test_the_version_follows_the_cameras(folder: Path, tmp_path: Path, built_tour: Workbench):
    tour = tour_of(built_tour.video)
    assert tour is not None
    to_icl(tour, source_of(built_tour.video), FRAMES, tmp_path / "sequence")
    (film,) = films_below(tmp_path)["sequence"]
    assert film.version == films_below(folder)["sequence"][0].version
    np.savetxt(tmp_path / "sequence" / "frames" / "000014.pose.txt", np.diag([1, 1, 1, 1.0]))
    assert films_below(tmp_path)["sequence"][0].version != film.version


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("clips/abc.pose.txt", "https://example.org\n1 2 3\n", "holds no cameras"),
        ("sequence/frames/000014.pose.txt", "1 0 0", "is no 4x4 matrix"),
        ("sequence/camera-intrinsics.txt", "", "is no 3x3 matrix"),
        ("captured/truth_cam_poses.txt", "1 2 3\n", "is no trajectory"),
    ],
)
def test_files_that_cannot_be_read_are_named(folder: Path, path: str, text: str, said: str):
    whole = (folder / path).read_bytes()
    (folder / path).write_text(text)
    try:
        with pytest.raises(SettingsError, match=rf"{Path(path).name} {said}.*again"):
            films_below(folder)
    finally:
        (folder / path).write_bytes(whole)


def test_a_depth_map_that_is_none_is_named_when_it_is_needed(tmp_path: Path, built_tour: Workbench):
    tour = tour_of(built_tour.video)
    assert tour is not None
    to_icl(tour, source_of(built_tour.video), FRAMES, tmp_path / "sequence")
    (tmp_path / "sequence" / "frames" / "000014.depth.png").write_text("no picture")
    with pytest.raises(BrokenVideo, match=r"000014\.depth\.png is no depth map"):
        films_below(tmp_path)["sequence"][0].clip(np.array(FRAMES))


def test_a_folder_without_truth_says_what_it_wants(tmp_path: Path):
    with pytest.raises(SettingsError, match=r"no film whose truth is known: it wants .*pose\.txt \(RealEstate10K\)"):
        films_below(tmp_path)
    with pytest.raises(SettingsError, match=r"there is no folder .*nowhere"):
        films_below(tmp_path / "nowhere")
