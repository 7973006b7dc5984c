import numpy as np
import pytest

from pipeline.stages.scene.checks import LEAST_DEPTH, LEAST_UP_CONFIDENCE, depth_share, up_confidence
from pipeline.store.video import VideoStore
from tests.pipeline.stages.filling import replaced
from tests.pipeline.stored_room import FRAMES


def test_an_exact_room_is_seen_on_every_pixel_and_knows_which_way_is_up(stored_room: VideoStore):
    assert depth_share(stored_room).passed
    assert depth_share(stored_room).figures["median"] == 1, "every ray of a closed room ends on a surface"
    assert up_confidence(stored_room).passed
    assert up_confidence(stored_room).figures["least"] == 1


@pytest.mark.parametrize(("share", "passed"), [(LEAST_DEPTH + 0.01, True), (LEAST_DEPTH - 0.01, False)])
def test_a_median_frame_with_few_values_is_found(own_room: VideoStore, share: float, passed: bool):
    shares = np.array([0.0, 0.0, share, share, 1.0, 1.0], np.float32)
    replaced(own_room, "scene", depth_share=shares)
    finding = depth_share(own_room)
    assert finding.passed == passed
    assert finding.figures["median"] == pytest.approx(share)
    assert f"{share:.0%}" in finding.detail


@pytest.mark.parametrize("least", [LEAST_UP_CONFIDENCE - 0.1, LEAST_UP_CONFIDENCE])
def test_the_least_certain_clip_decides(own_room: VideoStore, least: float):
    replaced(own_room, "scene", up_confidence=np.linspace(least, 1, FRAMES, dtype=np.float32))
    finding = up_confidence(own_room)
    assert finding.passed == (least >= LEAST_UP_CONFIDENCE)
    assert finding.figures["least"] == pytest.approx(least)


def test_frames_without_a_camera_say_nothing(own_room: VideoStore):
    registered = np.arange(FRAMES) > 1
    poor = np.where(registered, 1, 0).astype(np.float32)
    replaced(own_room, "scene", registered=registered, depth_share=poor, up_confidence=poor)
    assert depth_share(own_room).figures["median"] == 1
    assert up_confidence(own_room).passed
