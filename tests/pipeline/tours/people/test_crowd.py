"""What is true of people: exact depth and masks, frame by frame, and no change where they are not."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.contract.classes import SemanticClass
from pipeline.tours.effects.settings import EffectSettings
from pipeline.tours.settings import TourSettings
from pipeline.tours.tour import Tour
from pipeline.tours.variety import MoveSettings

PASSED = TourSettings(
    rooms_max=3, fps=4, indoor_shots=2, outdoor_shots=0, title=False, shot_seconds=5, moves=MoveSettings(people=1)
)


@pytest.fixture(scope="module")
def tour() -> Tour:
    return Tour.from_seed(5, PASSED)


def frames_with_people(tour: Tour) -> list[int]:
    shots = {walker.shot_id for walker in tour.people}
    return [frame for shot in tour.shots if shot.shot_id in shots for frame in range(shot.start_frame, shot.end_frame)]


def test_a_person_is_where_the_depth_differs_from_the_empty_room(tour: Tour):
    empty = replace(tour, people=())
    seen = 0
    for frame in frames_with_people(tour)[::3]:
        with_people, without = tour.truth(frame), empty.truth(frame)
        person = with_people.person
        np.testing.assert_array_equal(person, with_people.depth != without.depth)
        assert (with_people.depth[person] < without.depth[person]).all()
        assert (with_people.labels[person] == SemanticClass.UNKNOWN).all()
        assert (with_people.instances[person] > len(tour.house.things)).all()
        for name in ("labels", "instances", "surfaces"):
            np.testing.assert_array_equal(getattr(with_people, name)[~person], getattr(without, name)[~person])
        seen += person.mean() > 0.005
    assert seen >= 2


def test_people_move_from_frame_to_frame(tour: Tour):
    walker = tour.people[0]
    spots = np.stack([walker.spot(float(t)) for t in np.linspace(0, 5, 20)])
    assert np.linalg.norm(np.ptp(spots, axis=0)) > 0.3


def test_people_are_never_near_the_camera(tour: Tour):
    for frame in frames_with_people(tour):
        shot = next(shot for shot in tour.shots if shot.start_frame <= frame < shot.end_frame)
        walk = tour.walks[shot.shot_id]
        assert walk is not None
        seconds = (frame - tour.timeline.on_screen(shot)[0]) / tour.fps
        for walker in (walker for walker in tour.people if walker.shot_id == shot.shot_id):
            assert np.linalg.norm((walker.spot(seconds) - walk.at(seconds)[:3, 3])[:2]) > 0.75


def test_a_picture_shows_them_where_the_truth_says(tour: Tour):
    frame = max(frames_with_people(tour)[::3], key=lambda frame: tour.truth(frame).person.mean())
    truth = tour.truth(frame)
    person, pose = truth.person, truth.camera_to_world.astype(np.float64)
    differs = np.abs(tour.picture(frame).astype(int) - tour._painter.view(pose)).max(axis=2) > 12
    assert differs[person].mean() > 0.7
    assert differs[~person].mean() < 0.02


def test_a_person_is_seen_by_a_bad_camera_too():
    effects = EffectSettings(distortion=(-0.2, -0.2), readout_ms=(20, 20))
    tour = Tour.from_seed(5, PASSED.model_copy(update={"effects": effects}))
    empty = replace(tour, people=())
    frame = frames_with_people(tour)[8]
    truth = tour.truth(frame)
    np.testing.assert_array_equal(truth.person, truth.depth != empty.truth(frame).depth)


def test_nobody_walks_through_a_plain_tour():
    tour = Tour.from_seed(5, PASSED.model_copy(update={"moves": MoveSettings()}))
    assert tour.people == ()
    assert tour.crowd.mesh is tour.house.mesh
