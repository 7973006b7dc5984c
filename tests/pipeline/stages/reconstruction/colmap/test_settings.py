from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from pipeline.stages.reconstruction.colmap.settings import (
    ColmapSettings,
    PlaneSettings,
    SignBounds,
    SparseSettings,
    SweepSettings,
    TrustSettings,
    WalkSettings,
)


@pytest.mark.parametrize(
    "model", [SparseSettings, SweepSettings, PlaneSettings, TrustSettings, SignBounds, WalkSettings]
)
def test_every_number_is_explained(model: type[BaseModel]):
    assert all(field.description for field in model.model_fields.values())


def test_planes_and_angles_are_in_their_order():
    settings = ColmapSettings()
    assert settings.sweep.min_planes < settings.sweep.max_planes
    assert settings.sweep.tolerance <= settings.sweep.max_tolerance
    assert settings.trust.focal_range[0] < settings.sparse.focal_prior < settings.trust.focal_range[1]


@pytest.mark.parametrize(
    "values",
    [
        {"sparse": {"max_features": 10}},
        {"sparse": {"timeout_s": 0}},
        {"sweep": {"width": 322}},
        {"sweep": {"sources": 1}},
        {"planes": {"min_inliers": 0}},
        {"trust": {"min_frames": 1}},
        {"trust": {"focal_range": (0.3,)}},
        {"threads": 0},
        {"dense": {}},
    ],
)
def test_values_out_of_bounds_and_unknown_names_are_refused(values: dict[str, Any]):
    with pytest.raises(ValidationError):
        ColmapSettings.model_validate(values)


def test_what_came_later_decides_only_where_it_is_set():
    plain = ColmapSettings().model_dump()
    assert "walks" not in plain
    assert "signs" not in plain["trust"]
    assert ColmapSettings(walks=WalkSettings(xfeat=True)).model_dump()["walks"]["xfeat"]
    stricter = ColmapSettings(trust=TrustSettings(signs=SignBounds(max_jump=2.0)))
    assert stricter.model_dump()["trust"]["signs"]["max_jump"] == 2
    assert ColmapSettings.model_validate(stricter.model_dump()) == stricter


def test_another_draw_changes_the_samples_and_nothing_else():
    settings = ColmapSettings(sparse=SparseSettings(seed=7))
    assert settings.drawn(0) == settings
    assert settings.drawn(2) == ColmapSettings(sparse=SparseSettings(seed=9))
