import numpy as np

from pipeline.pictures.depth import NO_VALUE, depth_beside_picture
from pipeline.stages.reconstruction.preview import depth_in_own_unit
from pipeline.store.video import VideoStore
from tests.pipeline.stages.filling import replaced
from tests.pipeline.stored_room import FRAMES


def test_the_middle_frame_is_shown_beside_its_depth(stored_room: VideoStore):
    row = slice(FRAMES // 2, FRAMES // 2 + 1)
    rgb = stored_room.read("frames", "rgb", row)[0]
    depth = stored_room.read("reconstruction", "depth", row)[0].astype(np.float32)
    expected = depth_beside_picture(rgb, depth, "x")
    assert np.array_equal(np.asarray(depth_in_own_unit(stored_room)), np.asarray(expected))


def test_a_frame_with_a_camera_is_chosen(own_room: VideoStore):
    depth = own_room.read("reconstruction", "depth")
    depth[1:] = 0
    replaced(own_room, "reconstruction", depth=depth, registered=np.arange(FRAMES) == 0)
    picture = np.asarray(depth_in_own_unit(own_room).convert("RGB"))
    assert (picture[:, picture.shape[1] // 2 :] == NO_VALUE).all(axis=2).mean() < 0.1
