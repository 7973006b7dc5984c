from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.sources.duplicates.perceptual import CROPS, picture_hashes
from pipeline.sources.duplicates.settings import BITS, FRAMES, SAME_PICTURE, DuplicateSettings
from tests.pipeline.videos import walk


def test_a_hash_has_as_many_bits_as_a_distance_may_count():
    (first, *_) = picture_hashes(walk(1, 1)[0])
    assert len(picture_hashes(walk(1, 1)[0])) == len(CROPS)
    assert first.itemsize * 8 == BITS
    assert 0 < SAME_PICTURE < BITS / 2, "half of the bits of pictures that have nothing to do with each other agree"


def test_more_frames_than_describe_a_video_cannot_be_asked_for():
    assert DuplicateSettings(frames_min=FRAMES).frames_min == FRAMES
    with pytest.raises(ValidationError):
        DuplicateSettings(frames_min=FRAMES + 1)


@pytest.mark.parametrize("values", [{"share": 0}, {"share": 1.1}, {"distance": 65}, {"distance": -1}, {"shares": 1}])
def test_values_out_of_bounds_and_misspelt_names_are_refused(values: dict[str, Any]):
    with pytest.raises(ValidationError):
        DuplicateSettings.model_validate(values)
