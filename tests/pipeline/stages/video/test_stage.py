"""The stage ``video``: what it declares, and what it leaves in the store and in the catalog."""

from pathlib import Path

import pytest

from pipeline.contract.errors import BrokenVideo
from pipeline.sources.catalog.rows import VideoState
from pipeline.stages.run import run_stage
from pipeline.stages.video.settings import VideoSettings
from pipeline.stages.video.stage import video
from pipeline.store.outputs import SourceOutput
from tests.pipeline.small_tour import small_workbench
from tests.pipeline.stages.filling import filled
from tests.pipeline.videos import walk, write_video


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return write_video(tmp_path / "film.mp4", walk(1, 12, size=(160, 120)))


def test_it_reads_nothing_and_brings_the_source():
    assert (video.name, video.inputs, video.settings) == ("video", (), VideoSettings)
    assert video.output == SourceOutput()
    assert video.published is not None
    assert video.restore is not None
    assert video.resources.gpu_share == 0


def test_the_source_lies_in_the_store_with_what_is_known_of_it(film: Path, tmp_path: Path):
    workbench = small_workbench(tmp_path / "data", str(film))
    result = filled(video, workbench)
    assert result.backend == str(film), "the name of a file stands for itself"
    assert result.counts == {"seconds_of_video": pytest.approx(1.2), "megabytes": film.stat().st_size / 1e6}
    notes = workbench.video.read_json("source.json")
    assert (notes["origin"], notes["title"], notes["size_bytes"]) == (str(film), "film", film.stat().st_size)
    with workbench.video.local_file("source.mp4") as path:
        assert path.read_bytes() == film.read_bytes()


def test_once_it_lies_there_the_catalog_says_so(film: Path, tmp_path: Path):
    workbench = small_workbench(tmp_path / "data", str(film))
    run_stage("video", workbench)
    assert workbench.catalog.row(workbench.video.video_id).state is VideoState.FETCHED
    assert run_stage("video", workbench).reused


def test_what_is_no_video_leaves_nothing_in_the_store(tmp_path: Path):
    (tmp_path / "film.mp4").write_text("no film")
    workbench = small_workbench(tmp_path / "data", str(tmp_path / "film.mp4"))
    with pytest.raises(BrokenVideo):
        run_stage("video", workbench)
    assert not workbench.video.exists("source.mp4")
    assert not workbench.video.exists("source.json")
