"""What goes wrong with a network is a matter of settings, and names the setting that chose it."""

from pathlib import Path

import pytest

from models.errors import ModelError, WrongWeights
from pipeline.contract.errors import SettingsError
from pipeline.stages.network_errors import as_settings_error


@pytest.mark.parametrize("kind", [ModelError, WrongWeights])
def test_an_error_of_a_network_names_the_setting_and_keeps_its_cause(kind: type[ModelError]):
    told = pytest.raises(SettingsError, match=r"^indoor weights x\.pth: a layer is missing$")
    with told as refused, as_settings_error("indoor weights x.pth"):
        raise kind("a layer is missing")
    assert isinstance(refused.value.__cause__, kind)


def test_other_errors_pass_as_they_are():
    with pytest.raises(ZeroDivisionError), as_settings_error("indoor weights"):
        raise ZeroDivisionError
    with pytest.raises(SettingsError, match=r"^of its own$"), as_settings_error("indoor weights"):
        raise SettingsError("of its own")


def test_a_file_of_weights_that_is_not_there_is_a_matter_of_settings_too(tmp_path: Path):
    with pytest.raises(SettingsError, match=r"^indoor weights: .*gone\.pth"), as_settings_error("indoor weights"):
        (tmp_path / "gone.pth").read_bytes()


def test_where_nothing_goes_wrong_nothing_happens():
    with as_settings_error("indoor weights"):
        found = 1
    assert found == 1
