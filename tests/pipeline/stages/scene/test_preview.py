import numpy as np
import pytest

from pipeline.pictures.floor_plan import PATH
from pipeline.stages.scene.preview import SIDE, plan_and_depth
from pipeline.store.video import VideoStore
from tests.pipeline.stages.filling import replaced
from tests.pipeline.stored_room import CAMERAS, FRAMES


def path_pixels(video: VideoStore) -> np.ndarray:
    """Rows and columns of the way of the camera on the plan."""
    plan = np.asarray(plan_and_depth(video).convert("RGB"))[:, :SIDE]
    return np.argwhere((plan == PATH).all(axis=2))


def test_the_plan_shows_the_way_of_the_camera_from_left_to_right(stored_room: VideoStore):
    columns = path_pixels(stored_room)[:, 1]
    walked = np.linalg.norm(CAMERAS[-1][:3, 3] - CAMERAS[0][:3, 3])
    # A room of 4 m by 3.6 m fits the side of the plan, less a margin of some pixels.
    assert np.ptp(columns) * 4 / SIDE == pytest.approx(walked, rel=0.3)


def test_frames_without_a_camera_are_not_on_the_way(own_room: VideoStore):
    whole = np.ptp(path_pixels(own_room)[:, 1])
    replaced(own_room, "scene", registered=np.arange(FRAMES) < 2)
    assert np.ptp(path_pixels(own_room)[:, 1]) < whole


def test_depth_stands_beside_the_plan(stored_room: VideoStore):
    picture = plan_and_depth(stored_room)
    beside = np.asarray(picture.convert("RGB"))[:, SIDE + 20 :]
    assert picture.width > 2 * SIDE
    assert beside.std() > 10
