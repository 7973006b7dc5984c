import dataclasses

import numpy as np
import pytest

from pipeline.contract.records import MetricScene, Reconstruction
from pipeline.stages.scene.settings import SceneSettings
from pipeline.stages.scene.surfaces import SurfaceSamples, sample_surfaces
from tests.pipeline.box_room import Box, Room, film, looking

LOW, HIGH = np.array([-1.5, -1.0, 0.0]), np.array([2.0, 3.0, 2.6])
ROOM = Room(Box(tuple(LOW), tuple(HIGH)))
WALK = [looking((-0.6 + 0.2 * i, -0.6, 1.5), (0.5, 2.0, 1.2)) for i in range(4)]
SETTINGS = SceneSettings(samples=2000)


def as_reconstruction(scene: MetricScene) -> Reconstruction:
    return Reconstruction(scene.intrinsics, scene.camera_to_world, scene.depth, scene.confidence, scene.registered)


@pytest.fixture(scope="module")
def found() -> Reconstruction:
    return as_reconstruction(film(ROOM, WALK, (60, 80))[0])


@pytest.fixture(scope="module")
def samples(found: Reconstruction) -> SurfaceSamples:
    return sample_surfaces(found, SETTINGS)


def test_points_lie_on_the_sides_of_the_room(samples: SurfaceSamples):
    off = np.minimum(np.abs(samples.points - LOW), np.abs(samples.points - HIGH)).min(axis=1)
    # Of the rest the windows reach over an edge, where the plane that fits best bends round it.
    assert np.quantile(off, 0.7) < 1e-6
    assert off.max() < 0.1


def test_normals_are_those_of_the_sides_and_look_into_the_room(samples: SurfaceSamples):
    assert np.allclose(np.linalg.norm(samples.normals, axis=1), 1, atol=1e-6)
    straight = np.abs(samples.normals).max(axis=1)
    assert (straight > np.cos(np.radians(1))).mean() > 0.7
    middle = (LOW + HIGH) / 2
    assert (np.einsum("ij,ij->i", samples.normals, middle - samples.points) > 0).mean() > 0.99


def test_every_frame_gives_as_many_as_the_others_and_no_more_than_asked_for(samples: SurfaceSamples):
    assert len(samples.points) == len(samples.normals) == SETTINGS.samples


def test_the_same_seed_draws_the_same_points_and_another_one_others(found: Reconstruction, samples: SurfaceSamples):
    assert np.array_equal(sample_surfaces(found, SETTINGS).points, samples.points)
    other = sample_surfaces(found, SceneSettings(samples=2000, seed=1))
    assert not np.array_equal(other.points, samples.points)


def test_frames_without_a_camera_give_none(found: Reconstruction):
    one = sample_surfaces(dataclasses.replace(found, registered=np.array([False, True, False, False])), SETTINGS)
    assert len(one.points) == SETTINGS.samples, "the one frame gives all"


def test_what_is_nowhere_flat_gives_nothing(found: Reconstruction):
    rough = np.random.default_rng(0).uniform(0.5, 4, found.depth.shape).astype(np.float32)
    assert len(sample_surfaces(dataclasses.replace(found, depth=rough), SETTINGS).points) < 20
