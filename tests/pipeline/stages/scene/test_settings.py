from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.stages.scene.settings import OutlierSettings, PaneSettings, SceneSettings


def test_every_number_is_explained_and_all_of_them_decide():
    for model in (SceneSettings, OutlierSettings, PaneSettings):
        own = [field for name, field in model.model_fields.items() if name not in {"outliers", "panes"}]
        assert all(field.description for field in own)
    changed = SceneSettings(panes=PaneSettings(fill=False), fastest_m_s=5, scale="evidence", join_shots=False)
    assert set(changed.decisive()) == set(SceneSettings.model_fields)
    later = {"panes", "fastest_m_s", "scale", "join_shots"}
    assert set(SceneSettings().decisive()) == set(SceneSettings.model_fields) - later


def test_walls_are_as_high_as_the_paper_has_them():
    assert SceneSettings().wall_height_m == 2.8
    low, high = SceneSettings().camera_height_share
    assert low < SceneSettings().camera_height_m / SceneSettings().wall_height_m < high


@pytest.mark.parametrize(
    "values",
    [
        {"wall_height_m": 0.5},
        {"camera_height_m": 3.0},
        {"camera_height_share": (0.35,)},
        {"tilt_max_deg": 45},
        {"samples": 10},
        {"seed": -1},
        {"outliers": {"voxel_share": 0}},
        {"outliers": {"radius": 1}},
        {"wall_height": 2.8},
        {"scale": "guess"},
    ],
)
def test_values_out_of_bounds_and_misspelt_names_are_refused(values: dict[str, Any]):
    with pytest.raises(ValidationError):
        SceneSettings.model_validate(values)
