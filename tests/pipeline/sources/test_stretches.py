"""Only the wanted stretches of a video become clips; a video that was deleted is fetched again when it is needed."""

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli.app import command_line
from pipeline.contract.errors import ChangedMeanwhile
from pipeline.contract.records import Segment
from pipeline.settings import load_settings
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import VideoState
from pipeline.sources.video_source import parse_source
from pipeline.stages.base import Workbench
from pipeline.stages.clips.find import find_clips
from pipeline.stages.clips.settings import ClipsSettings
from pipeline.stages.run import run_stage
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


def test_clips_lie_inside_the_stretches(film: Path):
    whole, _ = find_clips(film, ClipsSettings())
    some, _ = find_clips(film, ClipsSettings(), segments=[Segment(1, 3), Segment(2.5, 4), Segment(7, 1e9)])
    assert [clip.start_frame for clip in whole] == [0, 61]
    spans = [(clip.time_s[0], clip.time_s[-1]) for clip in some]
    assert len(spans) == 2
    assert 1 <= spans[0][0] < spans[0][1] < 4
    assert spans[1][0] >= 7
    assert find_clips(film, ClipsSettings(), segments=[Segment(50, 60)]) == ([], [])


def test_the_stage_takes_the_stretches_of_the_catalog(workbench: Workbench):
    Catalog(workbench.video.files).update(
        [workbench.video.video_id], lambda row: replace(row, segments=(Segment(0, 4),))
    )
    run_stage("video", workbench)
    assert run_stage("clips", workbench).provenance.counts["clips"] == 1


def test_a_deleted_video_is_fetched_again_and_compared(workbench: Workbench, tmp_path: Path):
    run_stage("video", workbench)
    assert Catalog(workbench.video.files).row(workbench.video.video_id).state is VideoState.FETCHED
    workbench.video.remove("source.mp4")
    run_stage("clips", workbench)
    assert workbench.video.exists("source.mp4")
    workbench.video.remove("source.mp4")
    write_video(tmp_path / "film.mp4", walk(9, 60, step=3.0))
    other = replace(workbench, settings=load_settings(overrides={"clips": {"clip_min_s": 2}}))
    with pytest.raises(ChangedMeanwhile):
        run_stage("clips", other)


def test_the_command_line_counts_states_and_lets_a_video_be_asked_for_again(workbench: Workbench):
    catalog, key, runner = Catalog(workbench.video.files), workbench.video.video_id, CliRunner()
    catalog.update([key], lambda row: replace(row, state=VideoState.GONE, last_error="DownloadGone", tries=1))
    data = ["--data", str(workbench.video.files.root)]
    assert "gone" in runner.invoke(command_line(), ["sources", "states", *data]).output
    assert runner.invoke(command_line(), ["sources", "retry", key, *data]).exit_code == 0
    assert catalog.row(key).state is VideoState.NEW
    assert runner.invoke(command_line(), ["sources", "fetch", *data]).exit_code == 0
    assert catalog.row(key).state is VideoState.FETCHED
