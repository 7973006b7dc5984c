import numpy as np

from pipeline.contract.records import MetricScene, Semantics
from pipeline.pictures.viewer.cloud import CELL_STEPS, STEP_M, cloud_of, morton
from tests.pipeline.box_room import film
from tests.pipeline.stored_room import CAMERAS, ROOM


def filmed() -> tuple[MetricScene, Semantics, np.ndarray]:
    scene, semantics = film(ROOM, CAMERAS, (48, 64))
    pictures = np.zeros((len(CAMERAS), 480, 640, 3), np.uint8)
    pictures[..., 0] = 200
    return scene, semantics, pictures


def test_points_lie_on_the_walls_of_the_room_with_their_labels_and_colours():
    cloud = cloud_of(*filmed())
    points = cloud.points()
    low, high = points.min(axis=0), points.max(axis=0)
    assert np.all(low > np.array([0, 0, 0]) - STEP_M - 1e-3)
    assert np.all(high < np.array([4, 3.6, 2.6]) + STEP_M + 1e-3)
    floor = cloud.labels == 2
    assert floor.sum() > 100
    assert np.abs(points[floor, 2]).max() < 2 * STEP_M
    assert np.array_equal(np.unique(cloud.colours, axis=0), [[200, 0, 0]])


def test_a_cloud_is_thinned_to_what_is_asked_for_and_is_the_same_every_time():
    whole, few = cloud_of(*filmed()), cloud_of(*filmed(), most=300)
    assert len(few.steps) == 300 < len(whole.steps)
    assert np.array_equal(few.steps, cloud_of(*filmed(), most=300).steps)
    cells = whole.steps // CELL_STEPS
    assert len(np.unique(cells, axis=0)) == len(cells), "one point a cell"


def test_what_moves_is_left_out():
    scene, semantics, pictures = filmed()
    moving = Semantics(semantics.labels, semantics.regions, None, np.ones(semantics.labels.shape, np.bool_))
    assert len(cloud_of(scene, moving, pictures).steps) == 0


def test_the_curve_visits_the_eight_halves_one_after_the_other():
    cells = np.array(
        [[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1], [2, 0, 0], [65535, 65535, 65535]], np.uint64
    )
    assert morton(cells).tolist() == [0, 1, 2, 3, 4, 8, 2**48 - 1]
