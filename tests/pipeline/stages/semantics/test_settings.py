from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.contract.errors import SettingsError
from pipeline.contract.vocabulary import default_vocabulary
from pipeline.stages.semantics.backends import SETTINGS
from pipeline.stages.semantics.settings import (
    ClosedSetSettings,
    RegionSettings,
    SanSettings,
    SemanticsSettings,
    StructureSettings,
)
from tests.pipeline.stages.semantics.tiny_san import write_vocabulary


def test_words_are_those_of_the_project_of_a_file_or_written_down(tmp_path: Path):
    assert SanSettings().words() == default_vocabulary()
    path = write_vocabulary(tmp_path / "words.yaml", "wooden")
    own = SanSettings.model_validate({"vocabulary": str(path)})
    assert own.words().classes["wall"] == ("wooden wall",)
    written = SanSettings.model_validate({"vocabulary": own.words().model_dump()})
    assert written.words() == own.words()


def test_it_is_the_words_that_decide_and_not_the_file_they_stand_in(tmp_path: Path):
    here, there = (write_vocabulary(tmp_path / name, "wooden") for name in ("here.yaml", "there.yaml"))
    one, other = (SanSettings.model_validate({"vocabulary": str(path)}) for path in (here, there))
    assert one.decisive() == other.decisive()
    assert one.decisive() == SanSettings(vocabulary=one.words()).decisive()
    write_vocabulary(here, "heavy")
    assert one.decisive() != other.decisive(), "the file was edited"


def test_where_and_how_fast_a_network_runs_decides_nothing(tmp_path: Path):
    aside = {"batch": 1, "device": "cpu", "features": str(tmp_path), "features_gb": 1.0}
    assert SanSettings.model_validate(aside).decisive() == SanSettings().decisive()
    one, other = ClosedSetSettings(folder=tmp_path, batch=1, device="cpu"), ClosedSetSettings(folder=tmp_path)
    assert one.decisive() == other.decisive()


@pytest.mark.parametrize("change", [{"short_side": 320}, {"score_min": 0.2}, {"precision": "bfloat16"}])
def test_what_changes_labels_decides(change: dict[str, Any]):
    assert SanSettings.model_validate(change).decisive() != SanSettings().decisive()


def test_a_vocabulary_that_cannot_be_read_is_a_matter_of_settings(tmp_path: Path):
    nowhere = SanSettings(vocabulary=tmp_path / "nowhere.yaml")
    for ask in (nowhere.words, nowhere.decisive):
        with pytest.raises(SettingsError, match=r"nowhere\.yaml"):
            ask()


@pytest.mark.parametrize(
    "values",
    [
        {"regions": {"count": 3}},
        {"structure": {"tilt_max_deg": 45}},
        {"san": {"short_side": 10}},
        {"san": {"precision": "int8"}},
        {"san": {"vocabulary": {"classes": {"wall": ["wall"]}}}},
        {"closed_set": {}},
        {"closed_set": {"folder": "f", "batch": 0}},
        {"segments": {}},
    ],
)
def test_values_out_of_bounds_and_unknown_names_are_refused(values: dict[str, Any]):
    with pytest.raises(ValidationError):
        SETTINGS.model_validate(values)


def test_every_number_of_geometry_is_explained():
    for model in (RegionSettings, StructureSettings):
        assert all(field.description for field in model.model_fields.values())
    assert issubclass(SETTINGS, SemanticsSettings)
    assert SETTINGS().regions == RegionSettings()
