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


def test_a_page_a_clip_is_written_and_named(data: Path):
    shown = output("view", VIDEO, "--data", data, "--no-truth").splitlines()
    assert shown
    assert [Path(path).parent for path in shown] == [Path("views")] * len(shown)
    page = Path(shown[0]).read_text(encoding="utf-8")
    assert Pictures(page).tags.count("canvas") == 2
    assert len(page) < 5_000_000


def test_a_data_folder_and_a_video_folder_mean_their_videos(data: Path):
    by_id = output("view", VIDEO, "--data", data, "--no-truth", "--out", "a").splitlines()
    by_folder = output("view", data, "--no-truth", "--out", "b").splitlines()
    by_video = output("view", data / "videos" / VIDEO, "--no-truth", "--out", "c").splitlines()
    names = [Path(path).name for path in by_id]
    assert names == [Path(path).name for path in by_folder] == [Path(path).name for path in by_video]
    assert Path(by_id[0]).read_bytes() == Path(by_video[0]).read_bytes(), "the same every time"


def test_one_page_with_a_picture_of_every_stage_is_there_too(data: Path):
    assert output("view", VIDEO, "--data", data, "--stages").splitlines() == [f"views/{VIDEO}.html"]
    page = Path(f"views/{VIDEO}.html").read_text(encoding="utf-8")
    assert Pictures(page).tags.count("img") == len(stages())


def test_a_video_that_is_not_there_is_named_and_leaves_no_page(tmp_path: Path):
    with pytest.raises(StageMissing, match="tour-9"):
        run("view", "tour-9", "--data", tmp_path / "data")
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
    plain = Path(output("view", VIDEO, "--data", data, "--no-truth").splitlines()[0]).read_text(encoding="utf-8")
    (path,) = output("view", VIDEO, "--data", data, "--no-truth", "--query", "a bed").splitlines()
    page = Path(path).read_text(encoding="utf-8")
    assert '"words":{"text":"a bed","bounds":[' in page
    heat = unpacked(page.partition('id="b-words">')[2].partition("<")[0])
    assert heat.size == FRAMES * 60 * 60 * 36
    assert heat.max() == 254
    assert 0 < (heat > 0).mean() < 0.5, "some voxels have regions, most have none"
    assert 'id="b-words"' not in plain
