import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pipeline.contract.classes import SemanticClass
from pipeline.contract.vocabulary import GROUP_LABELS, MOVING_GROUP, UNKNOWN_GROUP
from pipeline.stages.semantics.readout import connected_regions, label_pixels, single_coloured


def test_the_best_group_labels_a_pixel_and_its_share_is_the_confidence():
    scores = np.zeros((len(GROUP_LABELS), 1, 4), np.float32)
    scores[2, 0, 0], scores[5, 0, 0] = 0.75, 0.25
    scores[UNKNOWN_GROUP, 0, 1] = 1
    scores[MOVING_GROUP, 0, 2] = 1
    scores[2, 0, 3] = 0.05
    labels, confidence, moving = label_pixels(scores, score_min=0.1)
    assert labels.tolist() == [[SemanticClass.WALL, 255, 255, 255]]
    assert confidence.tolist() == [[191, 0, 0, 0]]
    assert moving.tolist() == [[False, False, True, False]]


def test_one_owner_in_two_places_makes_two_regions_numbered_in_reading_order():
    owner = np.array([[7, 7, 2, 7], [7, 7, 2, 7], [-1, -1, -1, 7]])
    regions, owners = connected_regions(owner, pixels_min=2)
    assert regions.tolist() == [[1, 1, 2, 3], [1, 1, 2, 3], [0, 0, 0, 3]]
    assert owners.tolist() == [7, 2, 7]


def test_small_regions_are_dropped_without_leaving_gaps_in_the_numbers():
    owner = np.array([[0, 1, 1, 2], [3, 1, 1, 2]])
    regions, owners = connected_regions(owner, pixels_min=2)
    assert regions.tolist() == [[0, 1, 1, 2], [0, 1, 1, 2]]
    assert owners.tolist() == [1, 2]


@given(arrays(np.int64, (9, 11), elements=st.integers(-1, 3)), st.integers(1, 6))
@settings(max_examples=100, deadline=None)
def test_regions_are_whole_pieces_of_one_owner(owner: np.ndarray, pixels_min: int):
    regions, owners = connected_regions(owner, pixels_min)
    assert sorted(set(np.unique(regions)) - {0}) == list(range(1, len(owners) + 1))
    assert all((owner[regions == number] == owners[number - 1]).all() for number in range(1, len(owners) + 1))
    assert all((regions == number).sum() >= pixels_min for number in range(1, len(owners) + 1))
    for a, b, same in ((owner[1:], owner[:-1], regions[1:] == regions[:-1]), (owner.T[1:], owner.T[:-1], None)):
        together = regions.T[1:] == regions.T[:-1] if same is None else same
        assert together[a == b].all()


def test_single_coloured_frames_are_found_also_behind_compression_noise():
    rng = np.random.default_rng(0)
    flat = np.full((48, 64, 3), (200, 40, 90)) + rng.integers(-2, 3, (48, 64, 3))
    picture = np.broadcast_to(np.arange(64, dtype=np.uint8)[None, :, None], (48, 64, 3))
    assert single_coloured(np.stack([flat, picture]).astype(np.uint8), contrast_min=3).tolist() == [True, False]
