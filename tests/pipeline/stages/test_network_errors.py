from pathlib import Path

import pytest

from models.errors import NoSuchDevice, WeightsUnavailable, WeightsUnreachable, WrongWeights
from models.weights.cache import MIRRORS_VARIABLE, locate
from models.weights.registry import WEIGHTS, WeightFile
from pipeline.contract.errors import SettingsError, WeightsAway
from pipeline.stages.network_errors import as_settings_error


@pytest.mark.parametrize(
    "error", [WrongWeights("x"), WeightsUnavailable("x"), FileNotFoundError("x"), NoSuchDevice("x")]
)
def test_what_somebody_has_to_settle_is_an_error_of_the_settings(error: Exception):
    with pytest.raises(SettingsError, match="indoor weights toy: x"), as_settings_error("indoor weights toy"):
        raise error


def test_weights_that_no_server_gives_are_no_error_of_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("YOUTUBE_OCC_WEIGHTS", str(tmp_path))
    monkeypatch.delenv(MIRRORS_VARIABLE, raising=False)
    nobody = WeightFile("toy", "toy.pth", ("http://127.0.0.1:9/toy.pth",), 1, None, "MIT", "anything")
    monkeypatch.setitem(WEIGHTS, "toy", nobody)
    said = "indoor weights toy: .*toy.pth: nobody takes the connection"
    with pytest.raises(WeightsAway, match=said), as_settings_error("indoor weights toy"):
        locate("toy")
    assert issubclass(WeightsUnreachable, WeightsUnavailable)
