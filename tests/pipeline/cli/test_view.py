import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pipeline.contract.errors import SettingsError, StageMissing
from pipeline.pictures.viewer.packing import unpacked
from pipeline.stages.registry import stages
from pipeline.store.store import Store
from tests.earlier import FRAMES, VIDEO

from .runs import output, run


class Pictures(HTMLParser):
    """Counts the pictures and headings of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self.tags.append(tag)


def test_a_data_folder_and_a_video_folder_mean_their_videos(data: Path):
    (by_folder,) = output("view", data, "--no-truth").splitlines()
    (by_video,) = output("view", data / "videos" / VIDEO, "--no-truth", "--out", "c").splitlines()
    assert Path(by_folder) == Path("views") / Path(by_video).name
    page = Path(by_video).read_text(encoding="utf-8")
    assert Path(by_folder).read_text(encoding="utf-8") == page, "the same every time"
    assert Pictures(page).tags.count("canvas") == 2
    assert len(page) < 5_000_000


def test_one_page_with_a_picture_of_every_stage_is_there_too(data: Path):
    assert output("view", VIDEO, "--data", data, "--stages").splitlines() == [f"views/{VIDEO}.html"]
    page = Path(f"views/{VIDEO}.html").read_text(encoding="utf-8")
    assert Pictures(page).tags.count("img") == len(stages())


def test_a_recording_for_rerun_lies_beside_the_page(data: Path):
    page, recording = (Path(line) for line in output("view", VIDEO, "--data", data, "--no-truth", "--rerun").split())
    assert recording == page.with_suffix(".rrd")
    assert recording.read_bytes().startswith(b"RRF")


@pytest.mark.parametrize("command", ["view", "preview"])
def test_a_video_that_is_not_there_is_named_with_those_like_it_and_leaves_no_page(data: Path, command: str):
    with pytest.raises(SettingsError, match=rf"there is no video {VIDEO}0 in .*{VIDEO}"):
        run(command, f"{VIDEO}0", "--data", data)
    assert not list(Path().glob("**/*.html"))


def test_a_half_built_video_says_which_stage_to_run(data: Path):
    shutil.rmtree(data / "videos" / VIDEO / "scene.zarr" / "occupancy")
    with pytest.raises(StageMissing, match="has no group 'occupancy': run the stage 'occupancy' first"):
        run("view", VIDEO, "--data", data)
    assert not list(Path().glob("**/*.html"))


def test_a_half_built_video_among_others_does_not_stop_them(data: Path):
    Store(str(data)).video("half").write_json("source.json", {"title": "half"})
    ended = run("view", data, "--no-truth")
    assert ended.exit_code == 1
    lines = ended.output.splitlines()
    assert [line for line in lines if line.startswith("StageMissing: half has no group")]
    assert [line for line in lines if line.startswith(f"views/{VIDEO}-")]


def test_a_clip_that_is_not_stored_and_a_folder_of_nothing_are_named(data: Path, tmp_path: Path):
    with pytest.raises(SettingsError, match="has no clip 77: stored are"):
        run("view", VIDEO, "--data", data, "--clip", "77")
    (tmp_path / "empty" / "videos").mkdir(parents=True)
    with pytest.raises(SettingsError, match="holds no video yet"):
        run("view", tmp_path / "empty")


def test_words_of_a_query_are_on_the_page_as_heat(data: Path):
    (path,) = output("view", VIDEO, "--data", data, "--no-truth", "--query", "a bed").splitlines()
    page = Path(path).read_text(encoding="utf-8")
    assert '"words":{"text":"a bed","bounds":[' in page
    heat = unpacked(page.partition('id="b-words">')[2].partition("<")[0])
    assert heat.size == FRAMES * 60 * 60 * 36
    assert heat.max() == 254
    assert 0 < (heat > 0).mean() < 0.5, "some voxels have regions, most have none"
