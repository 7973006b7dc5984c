"""What both filters with a network say of their file of weights."""

from pathlib import Path

import numpy as np
import pytest
from pydantic import BaseModel

from models.weights.contents import checksum
from pipeline.contract.errors import SettingsError
from pipeline.stages.indoor_clips.network_filter import NetworkFilter
from pipeline.stages.indoor_clips.places365 import Places365Filter
from pipeline.stages.indoor_clips.settings import Places365Settings, SmallIndoorSettings
from pipeline.stages.indoor_clips.small import SmallIndoorFilter

FILTERS = [(Places365Filter, Places365Settings), (SmallIndoorFilter, SmallIndoorSettings)]


@pytest.mark.parametrize(("kind", "settings"), FILTERS)
def test_weights_are_named_with_their_checksum(kind: type[NetworkFilter], settings: type[BaseModel], tmp_path: Path):
    (tmp_path / "own.weights").write_bytes(b"numbers")
    own = kind(settings.model_validate({"weights": str(tmp_path / "own.weights")}))
    assert own.weights == {"own.weights": checksum(tmp_path / "own.weights")}


@pytest.mark.parametrize(("kind", "settings"), FILTERS)
def test_missing_weights_are_named_with_their_setting(
    kind: type[NetworkFilter], settings: type[BaseModel], tmp_path: Path
):
    nowhere = kind(settings.model_validate({"weights": str(tmp_path / "nowhere.weights")}))
    with pytest.raises(SettingsError, match=r"indoor weights .*nowhere\.weights"):
        nowhere.score(np.zeros((1, 48, 64, 3), np.uint8))
    with pytest.raises(SettingsError, match=r"indoor weights .*nowhere\.weights"):
        dict(nowhere.weights)
