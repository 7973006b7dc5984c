"""Frames of plain tours, as small views with their truth."""

import numpy as np
import pytest
import torch

from pipeline.contract.classes import SemanticClass
from pipeline.tours.views.shots import ShotViews, title_view, tour_shots, true_clip_of


@pytest.fixture(scope="module")
def shots() -> list[ShotViews]:
    return tour_shots(900_005, 2, 24, 32, garden=True)


def test_every_shot_gives_as_many_frames_of_the_size_asked_for(shots: list[ShotViews]):
    assert {shot.views.pictures.shape for shot in shots} == {(2, 3, 24, 32)}
    assert {shot.indoor for shot in shots} == {True, False}


def test_rooms_are_closed_and_gardens_have_a_sky(shots: list[ShotViews]):
    indoor = torch.cat([shot.views.depth for shot in shots if shot.indoor])
    outdoor = torch.cat([shot.views.depth for shot in shots if not shot.indoor])
    assert (indoor > 0).all()
    assert (outdoor == 0).any()


def test_the_truth_of_a_shot_is_that_of_its_views(shots: list[ShotViews]):
    shot = next(shot for shot in shots if shot.indoor)
    truth = true_clip_of(shot)
    assert np.array_equal(truth.scene.depth, shot.views.depth.numpy())
    assert np.array_equal(truth.semantics.labels, shot.views.labels.numpy())
    assert truth.scene.registered.all()
    assert truth.kind == ("indoor", "indoor")
    assert SemanticClass.UNKNOWN not in truth.semantics.labels


def test_a_title_card_is_a_picture_with_writing_on_it():
    card = title_view(np.random.default_rng(0), "A house")
    assert (card.shape, card.dtype) == ((3, 480, 640), torch.uint8)
    other = title_view(np.random.default_rng(0), "Another one")
    assert not torch.equal(card, other)


def test_without_the_garden_only_rooms_are_filmed():
    indoors = tour_shots(900_005, 1, 12, 16, garden=False)
    assert indoors
    assert all(shot.indoor for shot in indoors)
    for shot in indoors:
        assert SemanticClass.UNKNOWN not in shot.views.labels
