"""Text sides and region networks are found by entry points, so that training need not know who provides them."""

from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pytest

from pipeline.contract.errors import SettingsError
from pipeline.contract.language import ENTRY_POINTS, region_network, text_side
from pipeline.stages.semantics.san import SanSegmenter

PROVIDER = """
import numpy as np
from pipeline.contract.records import Semantics

class Parrot:
    weights, means_nothing = {}, True

    def __init__(self, name):
        self.name = name

    def embed(self, queries):
        return np.eye(len(queries), 4, dtype=np.float32)

    def label(self, rgb, size):
        shape = (len(rgb), *size)
        return Semantics(np.full(shape, 3, np.uint8), np.ones(shape, np.uint16))
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package that provides both; it comes before the project's own."""
    (tmp_path / "parrot_language.py").write_text(PROVIDER)
    installed = tmp_path / "parrot_language-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: parrot-language\nVersion: 1.0\n")
    points = "text_side = parrot_language:Parrot\nregion_network = parrot_language:Parrot\n"
    (installed / "entry_points.txt").write_text(f"[{ENTRY_POINTS}]\n{points}")
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("package")
def test_the_installed_package_gives_the_text_side_of_the_weights_asked_for():
    found = text_side("some_weights")
    assert (found.name, found.means_nothing) == ("some_weights", True)
    assert found.embed(["a chair", "a bed"]).tolist() == [[1, 0, 0, 0], [0, 1, 0, 0]]


@pytest.mark.usefixtures("package")
def test_the_installed_package_gives_the_region_network_of_the_weights_asked_for():
    labelled = region_network("some_weights").label(np.zeros((2, 480, 640, 3), np.uint8), (6, 8))
    assert labelled.labels.shape == (2, 6, 8)


@pytest.mark.parametrize("asked", [text_side, region_network])
def test_where_nobody_provides_one_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, asked: Callable[[str], object]
):
    monkeypatch.setattr("sys.path", [])
    with pytest.raises(SettingsError, match=rf"provides a {asked.__name__}: install"):
        asked("san_small")


def test_the_project_provides_its_own_network_once_installed():
    assert isinstance(region_network("san_small"), SanSegmenter)


def test_the_project_provides_both():
    assert {point.name for point in entry_points(group=ENTRY_POINTS)} >= {"text_side", "region_network"}
