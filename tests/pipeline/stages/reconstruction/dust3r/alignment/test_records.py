from pathlib import Path

import numpy as np

from pipeline.stages.reconstruction.dust3r.alignment.records import Alignment, Known, PairPredictions
from tests.pipeline.stages.reconstruction.dust3r.alignment.truths import chain

SHAPE = (6, 2, 3)
NUMBERED = np.broadcast_to(np.arange(6.0)[:, None, None], SHAPE)


def predictions() -> PairPredictions:
    """Six pairs of four images; everything of pair i is i."""
    edges = np.array([[0, 1], [1, 0], [1, 2], [2, 1], [2, 3], [3, 2]])
    points = np.broadcast_to(NUMBERED[..., None], (*SHAPE, 3))
    return PairPredictions(4, edges, points, points, NUMBERED, NUMBERED)


def test_all_pairs_lie_in_their_own_rows():
    assert predictions().rows_of(np.array([4, 0])).tolist() == [4, 0]


def test_images_and_pairs_are_left_out_and_numbered_anew_without_copying_a_map():
    whole = predictions()
    part = whole.subset(np.array([False, True, True, True]), np.array([False, False, True, True, False, True]))
    assert part.image_count == 3
    assert part.edges.tolist() == [[0, 1], [1, 0], [2, 1]]
    rows = part.rows_of(np.arange(3))
    assert part.points1[rows][:, 0, 0, 0].tolist() == [2, 3, 5]
    assert part.points1 is whole.points1
    assert part.confidence2 is whole.confidence2


def test_a_part_of_a_part_still_finds_its_rows():
    part = predictions().subset(np.ones(4, np.bool_), np.array([False, True, True, True, True, True]))
    again = part.subset(np.array([False, True, True, True]), np.array([False, False, True, True, False]))
    assert again.rows_of(np.arange(2)).tolist() == [3, 4]
    assert again.edges.tolist() == [[1, 0], [1, 2]]


def test_maps_in_files_are_let_go_of_and_read_again(tmp_path: Path):
    maps = []
    for number in range(4):
        shape = (*SHAPE, 3) if number < 2 else SHAPE
        written = np.memmap(tmp_path / f"{number}.npy", np.float32, "w+", shape=shape)
        written[:] = number + 1
        maps.append(written)
    stored = PairPredictions(4, predictions().edges, *maps)
    stored.release()
    assert [float(each.mean()) for each in maps] == [1, 2, 3, 4]
    predictions().release()


def test_nothing_is_known_by_default_and_a_fresh_alignment_says_nothing():
    assert (Known().focal, Known().camera_to_world, Known().principal_point) == (None, None, None)
    nothing = np.zeros(1)
    assert Alignment(nothing, nothing, nothing, nothing, nothing, nothing, 0, 0, 0).notes == ()


def test_the_analytic_pairs_of_the_tests_are_what_they_should_be():
    scene = chain(3)
    predictions = scene.predictions
    # What both pairs with image 1 first say of it differs by a scale alone.
    first, second = (
        predictions.points1[row].astype(np.float64) for row in np.flatnonzero(predictions.edges[:, 0] == 1)
    )
    ratio = first[..., 2] / second[..., 2]
    assert np.allclose(first, ratio[..., None] * second, rtol=1e-5)
    assert np.ptp(ratio) < 1e-5
