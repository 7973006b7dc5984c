from pathlib import Path

import numpy as np
import pytest

from pipeline.store.store import Store
from pipeline.store.video import VideoStore
from pipeline.tours.settings import TourSettings
from pipeline.tours.tour import Tour
from pipeline.tours.truth import tour_of, true_clip
from tests.pipeline.provenances import noted

from .conftest import SMALL


def stored(folder: Path, origin: str, tour: TourSettings = SMALL) -> VideoStore:
    """A video as the stage ``video`` notes it, without its pictures."""
    video = Store(folder).video("a-video")
    made = noted("video", settings={"tour": tour.model_dump(mode="json")})
    video.write_json("source.json", {"origin": origin, "provenance": made})
    return video


def test_the_tour_of_a_video_is_built_again_with_the_settings_it_was_made_with(tmp_path: Path, tour: Tour):
    rebuilt = tour_of(stored(tmp_path, "tour://5"))
    assert rebuilt is not None
    assert (rebuilt.seed, rebuilt.settings, rebuilt.timeline) == (5, SMALL, tour.timeline)
    assert rebuilt.house.rooms == tour.house.rooms
    np.testing.assert_array_equal(rebuilt.truth(9).depth, tour.truth(9).depth)


@pytest.mark.parametrize("origin", ["https://example.org/tour://5", "file:///tmp/tour.mp4", ""])
def test_other_videos_have_no_tour(tmp_path: Path, origin: str):
    assert tour_of(stored(tmp_path, origin)) is None


def test_a_video_that_is_not_there_has_no_tour(tmp_path: Path):
    assert tour_of(Store(tmp_path).video("nothing")) is None


@pytest.mark.parametrize(
    "content", ['{"origin": "tour://5", "provena', '{"origin": "tour://5", "provenance": {"stage": 1}}']
)
def test_a_video_whose_notes_are_damaged_has_no_tour(tmp_path: Path, content: str):
    video = stored(tmp_path, "tour://5")
    (tmp_path / "videos" / "a-video" / "source.json").write_text(content)
    assert tour_of(video) is None


def test_a_true_clip_stacks_the_truth_of_its_frames_in_their_order(tour: Tour):
    frames = np.array([9, 1, 5])
    clip = true_clip(tour, frames)
    for row, frame in enumerate(frames):
        truth = tour.truth(int(frame))
        np.testing.assert_array_equal(clip.scene.depth[row], truth.depth)
        np.testing.assert_array_equal(clip.scene.camera_to_world[row], truth.camera_to_world)
        np.testing.assert_array_equal(clip.semantics.labels[row], truth.labels)
        np.testing.assert_array_equal(clip.semantics.regions[row], truth.instances)
        assert (clip.shot_id[row], clip.kind[row], clip.in_transition[row]) == (
            truth.shot_id,
            truth.kind,
            truth.in_transition,
        )
    assert clip.scene.registered.all()
    assert clip.kind[1] == "title"


def test_frames_that_the_tour_does_not_have_are_refused(tour: Tour):
    with pytest.raises(IndexError, match=f"frames 0 to {tour.frame_count - 1}"):
        true_clip(tour, np.array([0, tour.frame_count]))
