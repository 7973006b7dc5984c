import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pipeline.contract.classes import SemanticClass
from pipeline.contract.vocabulary import GROUP_LABELS, MOVING_GROUP, UNKNOWN_GROUP
from pipeline.stages.semantics import readout


def test_the_best_group_labels_a_pixel_and_its_share_is_the_confidence():
    scores = np.zeros((len(GROUP_LABELS), 1, 4), np.float32)
    scores[2, 0, 0], scores[5, 0, 0] = 0.75, 0.25
    scores[UNKNOWN_GROUP, 0, 1] = 1
    scores[MOVING_GROUP, 0, 2] = 1
    scores[2, 0, 3] = 0.05
    labels, confidence, moving = readout.label_pixels(scores, score_min=0.1)
    assert labels.tolist() == [[SemanticClass.WALL, 255, 255, 255]]
    assert confidence.tolist() == [[191, 0, 0, 0]]
    assert moving.tolist() == [[False, False, True, False]]


def test_one_owner_in_two_places_makes_two_regions_numbered_in_reading_order():
    owner = np.array([[7, 7, 2, 7], [7, 7, 2, 7], [-1, -1, -1, 7]])
    regions, owners = readout.connected_regions(owner, pixels_min=2)
    assert regions.tolist() == [[1, 1, 2, 3], [1, 1, 2, 3], [0, 0, 0, 3]]
    assert owners.tolist() == [7, 2, 7]


def test_small_regions_are_dropped_without_leaving_gaps_in_the_numbers():
    owner = np.array([[0, 1, 1, 2], [3, 1, 1, 2]])
    regions, owners = readout.connected_regions(owner, pixels_min=2)
    assert regions.tolist() == [[0, 1, 1, 2], [0, 1, 1, 2]]
    assert owners.tolist() == [1, 2]


@given(arrays(np.int64, (9, 11), elements=st.integers(-1, 3)), st.integers(1, 6))
@settings(max_examples=100)
def test_regions_are_whole_pieces_of_one_owner(owner: np.ndarray, pixels_min: int):
    regions, owners = readout.connected_regions(owner, pixels_min)
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
    assert readout.single_coloured(np.stack([flat, picture]).astype(np.uint8), contrast_min=3).tolist() == [True, False]


@example(np.full((len(GROUP_LABELS), 2, 3), np.finfo(np.float32).smallest_subnormal), 0.0)
@given(arrays(np.float32, (len(GROUP_LABELS), 2, 3), elements=st.floats(0, 1, width=32)), st.floats(0, 1))
@settings(max_examples=40)
def test_whatever_the_scores_a_label_has_a_confidence_and_unknown_has_none(scores: np.ndarray, score_min: float):
    labels, confidence, moving = readout.label_pixels(scores, score_min)
    best = scores.max(axis=0)
    assert (labels[best < score_min] == SemanticClass.UNKNOWN).all()
    assert (confidence[labels == SemanticClass.UNKNOWN] == 0).all()
    # The winner of thirteen groups has a thirteenth of all scores at least: 19.6 of 255.
    assert (confidence[(labels != SemanticClass.UNKNOWN) & (best > 0)] >= 19).all()
    assert not (moving & (labels != SemanticClass.UNKNOWN)).any()


def test_scores_of_another_size_give_the_same_labels():
    scores = np.random.default_rng(0).random((len(GROUP_LABELS), 4, 5)).astype(np.float32)
    assert np.array_equal(readout.label_pixels(scores, 0.0)[0], readout.label_pixels(0.5 * scores, 0.0)[0])
    assert np.array_equal(readout.label_pixels(scores, 0.0)[1], readout.label_pixels(0.5 * scores, 0.0)[1])


def test_no_owner_anywhere_is_no_region():
    regions, owners = readout.connected_regions(np.full((3, 4), -1), pixels_min=1)
    assert not regions.any()
    assert owners.shape == (0,)


def test_a_blank_frame_is_unknown_certain_of_nothing_and_still():
    frame = readout.blank(3, 4)
    assert (frame.labels == SemanticClass.UNKNOWN).all()
    assert not frame.confidence.any()
    assert not frame.moving.any()
    assert not frame.regions.any()
    assert (frame.labels.shape, frame.regions.dtype, frame.owners.shape) == ((3, 4), np.uint16, (0,))


def test_frames_of_a_clip_are_stacked_with_the_embeddings_of_all_their_regions():
    two = readout.FrameReadout(*vars(readout.blank(3, 4)).values())
    embeddings = [np.ones((2, 8), np.float16), np.zeros((0, 8), np.float16), np.full((3, 8), 2, np.float16)]
    clip = readout.gather([readout.blank(3, 4), two, readout.blank(3, 4)], embeddings)
    assert clip.labels.shape == clip.regions.shape == (3, 3, 4)
    assert clip.region_offsets is not None
    assert clip.region_offsets.tolist() == [0, 2, 2, 5]
    assert clip.region_embeddings is not None
    assert clip.region_embeddings[2:, 0].tolist() == [2, 2, 2]


def test_a_backend_without_embeddings_has_none():
    clip = readout.gather([readout.blank(3, 4)], [])
    assert clip.region_embeddings is None
    assert clip.region_offsets is None


@pytest.mark.parametrize(("contrast_min", "empty"), [(0.0, False), (3.0, False), (200.0, True)])
def test_how_little_a_frame_may_show_is_a_setting(contrast_min: float, empty: bool):
    picture = np.broadcast_to(np.arange(64, dtype=np.uint8)[None, :, None], (48, 64, 3))
    assert readout.single_coloured(picture[None], contrast_min).tolist() == [empty]
