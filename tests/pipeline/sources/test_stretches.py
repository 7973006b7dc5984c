"""What the command line does with the states of videos."""

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli.app import command_line
from pipeline.settings import load_settings
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import VideoState
from pipeline.sources.video_source import parse_source
from pipeline.stages.base import Workbench
from pipeline.store.store import Store
from tests.pipeline.videos import walk, write_video


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frames = [*walk(3, 60, step=3.0), *walk(4, 60, step=3.0)]
    return write_video(tmp_path_factory.mktemp("stretches") / "film.mp4", frames)


@pytest.fixture
def workbench(film: Path, tmp_path: Path) -> Workbench:
    (tmp_path / "film.mp4").write_bytes(film.read_bytes())
    store = Store(tmp_path / "data")
    catalog = Catalog(store)
    (key,) = catalog.add([parse_source(str(tmp_path / "film.mp4"))])
    return Workbench(store.video(key), catalog, load_settings())


def test_the_command_line_counts_states_and_lets_a_video_be_asked_for_again(workbench: Workbench):
    catalog, key, runner = Catalog(workbench.video.files), workbench.video.video_id, CliRunner()
    catalog.update([key], lambda row: replace(row, state=VideoState.GONE, last_error="DownloadGone", tries=1))
    data = ["--data", str(workbench.video.files.root)]
    assert "gone" in runner.invoke(command_line(), ["sources", "states", *data]).output
    assert runner.invoke(command_line(), ["sources", "retry", key, *data]).exit_code == 0
    assert catalog.row(key).state is VideoState.NEW
    assert runner.invoke(command_line(), ["sources", "fetch", *data]).exit_code == 0
    assert catalog.row(key).state is VideoState.FETCHED
