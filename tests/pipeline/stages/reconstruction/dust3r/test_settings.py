from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.stages.reconstruction.dust3r.alignment.graph import video_pairs
from pipeline.stages.reconstruction.dust3r.settings import Dust3rSettings


def test_pairs_of_a_usual_clip_hold_together_and_grow_with_its_length():
    settings = Dust3rSettings()
    counts = [len(video_pairs(n, settings.window, settings.strides, settings.complete_up_to)) for n in (6, 12, 24)]
    # swin-3: three next ones for each frame, both ways, and those 6 and 12 ahead.
    assert counts == [30, 2 * (11 + 10 + 9 + 6), 2 * (23 + 22 + 21 + 18 + 12)]


@pytest.mark.parametrize(
    "values",
    [
        {"image_size": 100},
        {"window": 0},
        {"min_registered": 1},
        {"precision": "float16"},
        {"batch_pairs": 0},
        {"alignment": {"tolerance": 0}},
        {"weigths": "x"},
    ],
)
def test_values_out_of_bounds_and_misspelt_names_are_refused(values: dict[str, Any]):
    with pytest.raises(ValidationError):
        Dust3rSettings.model_validate(values)
