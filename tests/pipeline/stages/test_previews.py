"""Previews: pictures show what they claim to show, and fit where they are put."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.contract.errors import StageMissing
from pipeline.contract.records import IndoorScore
from pipeline.stages.indoor_clips.rows import write_indoor_scores
from pipeline.stages.page import picture_of
from pipeline.stages.registry import stages
from pipeline.store.store import Store
from pipeline.store.video import VideoStore
from tests.pipeline.stored_room import store_room


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> VideoStore:
    return store_room(tmp_path_factory.mktemp("room"))


@pytest.mark.parametrize("stage", stages())
def test_every_stage_has_a_preview_small_enough_for_the_event_log(room: VideoStore, stage: str):
    encoded = picture_of(room, stage, 14_500)
    assert len(encoded) <= 14_500
    picture = np.asarray(Image.open(io.BytesIO(encoded)))
    assert picture.std() > 10, "a page with something on it is not of one colour"


def test_a_preview_of_a_stage_that_has_not_run_says_so(tmp_path: Path):
    with pytest.raises(StageMissing):
        picture_of(Store(tmp_path).video("nothing"), "occupancy", 14_500)


def test_a_large_preview_is_larger_than_a_small_one(room: VideoStore):
    assert len(picture_of(room, "occupancy", 4_000_000)) > 20_000


def test_the_sheet_of_indoor_clips_names_kinds_of_room(room: VideoStore):
    named = np.asarray(Image.open(io.BytesIO(picture_of(room, "indoor_clips", 4_000_000))))
    write_indoor_scores(room, [IndoorScore(0.9), IndoorScore(0.1)], "0")
    bare = np.asarray(Image.open(io.BytesIO(picture_of(room, "indoor_clips", 4_000_000))))
    first_caption = slice(0, 20)
    assert named.shape == bare.shape
    assert (named[first_caption] < 128).sum() > 1.3 * (bare[first_caption] < 128).sum()
