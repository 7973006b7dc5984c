from pathlib import Path

import pytest

from models.weights.cache import MIRRORS_VARIABLE
from tests.pipeline.cli.conftest import VARIABLES

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place of its own in which nothing is wrong, and of which each test breaks one thing."""
    for name in (*VARIABLES, *PROXIES, *map(str.upper, PROXIES), "HF_TOKEN", "HF_ENDPOINT", MIRRORS_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("YOUTUBE_OCC_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("YOUTUBE_OCC_WEIGHTS", str(tmp_path / "weights"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path
