from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.contract.errors import DownloadGone, SettingsError
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import VideoState
from pipeline.stages.failures import last_failure, record_failure
from pipeline.store.store import Store
from tests.earlier import VIDEO
from tests.pipeline.videos import walk, write_video

from .runs import output, run


def cells(shown: str, first: str) -> list[str]:
    """The cells of a table's row by what stands in its first column."""
    (line,) = [line for line in shown.splitlines() if line.startswith(f"│ {first} ")]
    return [cell.strip() for cell in line.strip("│").split("│")]


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return write_video(tmp_path / "film.mp4", walk(1, 6, size=(64, 48)))


def test_check_lists_what_would_be_new_and_writes_nothing_down(data: Path):
    before = Catalog(Store(data)).video_ids()
    shown = output("sources", "check", "--data", data, "--sources", "tour://5 tour://6")
    assert cells(shown, "tour://5") == ["tour://5", "1", "1", "0", "", "", ""]
    assert cells(shown, "tour://6") == ["tour://6", "1", "0", "1", "", "", "tour-6"]
    assert Catalog(Store(data)).video_ids() == before


def test_poll_enters_what_is_new_once(data: Path):
    shown = output("sources", "poll", "--data", data, "--sources", "tour://5 tour://6")
    assert cells(shown, "tour://6")[3] == "1"
    assert set(Catalog(Store(data)).video_ids()) == {VIDEO, "tour-6"}
    again = output("sources", "poll", "--data", data, "--sources", "tour://5 tour://6")
    assert cells(again, "tour://6")[1:4] == ["1", "1", "0"]


def test_sources_are_those_of_the_variable_or_of_the_file_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    Path("sources.yaml").write_text("sources: [tour://7]", encoding="utf-8")
    assert "tour://7" in output("sources", "check", "--data", tmp_path)
    monkeypatch.setenv("SOURCES", "tour://8")
    assert "tour://8" in output("sources", "check", "--data", tmp_path)


def test_a_source_that_is_none_is_refused(tmp_path: Path):
    with pytest.raises(SettingsError, match="tour://x"):
        run("sources", "check", "--data", tmp_path, "--sources", "tour://x")


def test_states_count_videos_by_source_state_and_error(data: Path):
    output("sources", "poll", "--data", data, "--sources", "tour://6 tour://7")
    shown = output("sources", "states", "--data", data)
    assert cells(shown, "tour://6") == ["tour://6", "new", "", "1", ""]
    assert ["fetched", "", "1"] in [line.strip("│").split("│") for line in _trimmed(shown)]


def _trimmed(shown: str) -> list[str]:
    rows = [[cell.strip() for cell in line.strip("│").split("│")] for line in shown.splitlines() if "│" in line]
    return ["│".join(row[1:]) for row in rows]


def test_fetch_brings_every_video_that_is_due_and_builds_nothing(tmp_path: Path, film: Path):
    data = tmp_path / "data"
    output("sources", "poll", "--data", data, "--sources", str(film))
    shown = output("sources", "fetch", "--data", data)
    store = Store(data)
    (video_id,) = Catalog(store).video_ids()
    assert Catalog(store).row(video_id).state == VideoState.FETCHED
    assert store.video(video_id).exists("source.mp4")
    assert not store.video(video_id).exists("clips.parquet")
    assert "fetched" in shown


def test_a_video_that_cannot_be_fetched_is_told_and_the_others_are_brought(tmp_path: Path, film: Path):
    data, broken = tmp_path / "data", tmp_path / "broken.mp4"
    broken.write_text("this is no video")
    output("sources", "poll", "--data", data, "--sources", f"{broken} {film}")
    shown = output("sources", "fetch", "--data", data)
    states = {row.state for row in Catalog(Store(data)).rows(Catalog(Store(data)).video_ids()).values()}
    assert VideoState.FETCHED in states
    assert len(states) == 2
    assert ": BrokenVideo: " in shown


def test_waiting_ends_where_nothing_is_left_to_be_asked_for(tmp_path: Path, film: Path):
    data = tmp_path / "data"
    output("sources", "poll", "--data", data, "--sources", str(film))
    shown = output("sources", "fetch", "--wait", "--data", data)
    assert "fetched" in shown


def test_retry_lets_a_video_be_asked_for_again_whatever_is_known_of_it(data: Path):
    catalog = Catalog(Store(data))
    catalog.update([VIDEO], lambda row: replace(row, state=VideoState.GONE, tries=7))
    record_failure(Store(data).video(VIDEO), "video", "wanted", DownloadGone("it is gone"))
    assert output("sources", "retry", VIDEO, "--data", data) == f"{VIDEO}: was gone\n"
    row = Catalog(Store(data)).row(VIDEO)
    assert (row.state, row.tries, row.next_try) == (VideoState.NEW, 0, None)
    assert last_failure(Store(data).video(VIDEO)) is None, "a build would pass the video over"
