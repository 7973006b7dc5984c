"""What doorways and windows say of a size, and how little odd ones do."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.contract.scale import ScaleCue, ScaleSource
from pipeline.stages.scene import sizes
from pipeline.stages.scene.evidence import LevelSeen, ScaleEvidence
from pipeline.stages.scene.fittings import is_doorway, opening_density
from pipeline.stages.scene.heights import Levels, Scale
from pipeline.stages.scene.openings import OpeningSeen
from pipeline.stages.scene.scales import lower_floors
from tests.pipeline.stages.scene.test_cues import scales
from tests.pipeline.stages.scene.test_estimate import about, estimate, room

CAMERA = 1.53


def doorway(head: float = 2.04, width: float = 0.85, camera: float = CAMERA) -> OpeningSeen:
    """A doorway of a room in metres, down to its floor."""
    return OpeningSeen(head - camera, 0.1 - camera, width, sill=False, through=True)


def window(head: float = 2.07, sill: float = 0.92, camera: float = CAMERA) -> OpeningSeen:
    return OpeningSeen(head - camera, sill - camera, 1.2, sill=True, through=False)


def showing(clip: ScaleEvidence, *openings: OpeningSeen) -> ScaleEvidence:
    return replace(clip, openings=openings)


def test_a_doorway_makes_a_clip_surer_and_tells_a_camera_that_is_low():
    (before,), (after,) = estimate(room(ceiling=None)), estimate(showing(room(ceiling=None), doorway()))
    assert about(after)[1] < 0.5 * about(before)[1]
    assert abs(about(after)[0]) < 0.02
    low = room(1.2, None)
    (before,), (after,) = estimate(low), estimate(showing(low, doorway(camera=1.2)))
    assert about(before)[0] > 0.2
    assert abs(about(after)[0]) < 0.05


def test_a_doorway_of_one_clip_helps_the_others_of_its_video():
    seated = room(1.2, None)
    alone, _ = estimate(seated, seated)
    helped, _ = estimate(seated, showing(seated, doorway(camera=1.2)))
    assert abs(about(helped)[0]) < 0.4 * about(alone)[0]


def test_doors_of_a_house_are_alike_so_that_ten_clips_are_no_surer_than_its_doors_differ():
    clips = [showing(room(CAMERA, None), doorway(1.95)) for _ in range(8)]
    found = estimate(*clips)
    assert all(about(one)[1] > 0.5 * sizes.DOOR_SPREAD for one in found)


@pytest.mark.parametrize(
    "odd",
    [
        doorway(2.04, 2.2),
        window(2.5, 0.2),
        window(1.6, 1.2),
        OpeningSeen(0.3, -0.8, 0.7, sill=False, through=False),
    ],
    ids=["a wide passage", "a picture window", "a peephole", "a recess"],
)
def test_an_odd_opening_moves_a_clip_by_less_than_a_deviation(odd: OpeningSeen):
    (before,), (after,) = estimate(room()), estimate(showing(room(), odd))
    assert abs(about(after)[0]) < 0.06
    assert about(after)[1] > 0.5 * about(before)[1]


@pytest.mark.parametrize("head", [2.2, 2.3, 2.45, 2.6])
def test_a_passage_higher_than_doors_is_no_confident_error(head: float):
    for clip in (room(), room(ceiling=None)):
        (found,) = estimate(showing(clip, doorway(head, 1.0)))
        assert abs(about(found)[0]) < 1.5 * about(found)[1]


ALIKE = {
    **{f"doors of {head} m": doorway(head, 0.95) for head in (1.85, 2.3, 2.4, 2.5)},
    **{f"windows up to {head} m": window(head, 1.0) for head in (1.7, 2.3, 2.5)},
    "windows down to 0.55 m": window(2.07, 0.55),
}
"""Openings that one house may have everywhere, and most houses have nowhere."""


@pytest.mark.parametrize("opening", ALIKE.values(), ids=ALIKE)
@pytest.mark.parametrize(("clips", "each"), [(1, 8), (4, 2)], ids=["eight in a clip", "two in each of four clips"])
def test_openings_of_a_house_that_are_alike_and_odd_are_no_confident_error(opening: OpeningSeen, clips: int, each: int):
    """That openings of a house agree is no proof that they are usual: eight of them are one witness."""
    found = estimate(*[showing(room(CAMERA, None if clips == 1 else 2.7), *[opening] * each)] * clips)[0]
    assert abs(about(found)[0]) < 2 * about(found)[1]


def test_odd_windows_of_a_clip_without_a_floor_are_no_confident_error():
    hidden = room(CAMERA, None, floor=False, lowest=0.45)
    for windows in (1, 8):
        (found,) = estimate(showing(hidden, *[window(2.3, 0.6)] * windows))
        assert abs(about(found)[0]) < 2 * about(found)[1]


def test_whoever_looks_up_may_see_what_is_higher_than_a_room():
    """As on stairs below a ceiling of two storeys: read as a room, such a clip was a third of its size."""
    stairs = ScaleEvidence((), (LevelSeen(2.76, 0.05, 0.0),), 0.05, 2.85, 0.04, 0.57)
    *_, found = estimate(room(1.63, 2.4), room(1.64, 2.4), stairs)
    assert abs(about(found)[0]) < 1.5 * about(found)[1]
    *_, level = estimate(room(1.63, 2.4), room(1.64, 2.4), replace(stairs, pitch=0.0))
    assert about(level)[1] < about(found)[1]


def test_stairs_tell_the_size_of_who_climbs_them():
    climbing = replace(room(ceiling=None), camera_range=0.8)
    (before,), (after,) = estimate(climbing), estimate(replace(climbing, riser=0.185))
    assert about(after)[1] < 0.4 * about(before)[1]
    assert abs(about(after)[0]) < 0.02
    (found,) = scales(replace(climbing, riser=0.185))
    assert ScaleCue.STAIRS in found.cues
    (odd,) = estimate(replace(room(), riser=0.35))
    assert abs(about(odd)[0]) < 0.06, "even terraces of a garden"


def test_a_gallery_may_be_the_floor_of_who_climbs_though_much_is_seen_below_it():
    """The camera is 1.55 m above a gallery, the floor of the room 2.6 m below that, and it climbed up there."""
    gallery = ScaleEvidence((LevelSeen(4.15, 0.05, 0.0), LevelSeen(1.55, 0.02, 0.05)), (), 4.15, 0.6, 0.9, -0.2)
    (still,), (climbing,) = estimate(replace(gallery, camera_range=0.02)), estimate(gallery)
    assert abs(about(climbing)[0]) < 2 * about(climbing)[1]
    assert about(climbing)[1] > about(still)[1]


def test_a_doorway_is_open_down_to_the_floor_and_no_wider_than_doors_are():
    assert is_doorway(doorway(), CAMERA)
    assert not is_doorway(doorway(width=1.8), CAMERA)
    assert not is_doorway(doorway(width=0.3), CAMERA)
    assert not is_doorway(window(), CAMERA)
    assert not is_doorway(replace(doorway(), through=False), CAMERA)
    assert not is_doorway(replace(doorway(), foot=1.2 - CAMERA), CAMERA)
    assert not is_doorway(doorway(), 0.3), "the floor is far below"


def test_a_size_that_fits_no_kind_is_never_impossible():
    log_scales = np.linspace(-1.5, 1.5, 50)
    density = opening_density((doorway(), window()), CAMERA, log_scales)
    assert density.shape == (50, len(sizes.DOORS))
    assert (density > 0).all()
    assert opening_density((), CAMERA, log_scales).shape == (50, 1)


def test_scales_name_the_openings_that_they_agree_with():
    (found,) = scales(showing(room(ceiling=None), doorway(), window()))
    assert ScaleCue.DOORWAY in found.cues
    assert ScaleCue.WINDOW in found.cues
    assert "doorway+window" in found.cues.names()
    (other,) = scales(showing(room(), doorway(2.7, 1.1)))
    assert ScaleCue.DOORWAY not in other.cues


def test_a_level_below_the_floor_is_named_with_its_depth():
    gallery = ScaleEvidence((LevelSeen(4.1, 0.05, 0.0), LevelSeen(1.5, 0.02, 0.05)), (), 4.15, 0.6, 0.9, -0.2)
    levels = Levels(10.0, 5.9, 10.6, None, None)
    taken = Scale(1.0, 8.5, ScaleSource.EVIDENCE, ScaleCue.FLOOR)
    assert lower_floors(levels, gallery, taken) == pytest.approx((2.6,))
    assert lower_floors(levels, gallery, replace(taken, metres=2.0)) == pytest.approx((5.2,))
    assert lower_floors(levels, gallery, replace(taken, zero=5.9)) == ()
    assert lower_floors(levels, replace(gallery, floors=(LevelSeen(1.58, 0.05, 0.0),)), taken) == (), "a bent floor"
