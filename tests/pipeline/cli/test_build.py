import io
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.contract.errors import BrokenVideo, DownloadGone, FrozenSeeds, SettingsError, UnloggedLook, VideoLocked
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.video_source import parse_source
from pipeline.stages.registry import stages
from pipeline.store.ownership import MARK
from pipeline.store.store import Store
from pipeline.tours import frozen
from tests.earlier import VIDEO
from tests.frozen import FROZEN, looks, new_checkout

from .runs import output, run


def files_of(data: Path) -> dict[str, int]:
    kept = (path for path in data.rglob("*") if path.is_file() and "scratch" not in path.parts)
    return {str(path): path.stat().st_mtime_ns for path in kept}


def test_what_is_built_is_kept_stage_by_stage_with_the_settings_of_the_dataset(data: Path):
    before = files_of(data)
    shown = output("process", "tour://5", "--data", data)
    lines = [line.split() for line in shown.splitlines()]
    assert [line[0] for line in lines if line[1:2] == ["kept"]] == list(stages())
    assert "left out clip 0: NotIndoor: P(indoor) 0.00 < 0.45" in shown
    assert shown.splitlines()[-1] == f"done: {data / 'videos' / VIDEO}"
    assert {path: time for path, time in files_of(data).items() if Path(path).name != MARK} == before


def test_a_video_is_entered_into_the_catalog_and_its_error_is_raised(tmp_path: Path):
    (tmp_path / "broken.mp4").write_text("this is no video")
    with pytest.raises(BrokenVideo):
        run("process", tmp_path / "broken.mp4", "--data", tmp_path / "data")
    (video_id,) = Catalog(Store(tmp_path / "data")).video_ids()
    assert video_id.startswith("broken")
    with pytest.raises(DownloadGone, match=r"nowhere\.mp4 does not exist"):
        run("process", tmp_path / "nowhere.mp4", "--data", tmp_path / "data")


@pytest.mark.parametrize("source", ["tour://five", "ftp://example.org/a.mp4", "https:///a.mp4"])
def test_a_source_that_is_none_is_refused_before_anything_is_written(tmp_path: Path, source: str):
    with pytest.raises(SettingsError, match=source.rpartition("/")[2]):
        run("process", source, "--data", tmp_path / "data")
    assert not (tmp_path / "data" / "videos").exists()


def test_a_tour_is_scored_and_its_plots_are_written(data: Path):
    shown = output("score", "--seeds", "5", "--data", data, "--plot", "plots.png")
    assert "profile small" in shown
    assert "rotation AUC@5" in shown
    assert "plots: plots.png" in shown
    assert np.asarray(Image.open(io.BytesIO(Path("plots.png").read_bytes()))).std() > 10


def test_several_profiles_are_set_side_by_side_each_in_its_own_folder(data: Path, tmp_path: Path):
    (tmp_path / "profiles").mkdir()
    data.rename(tmp_path / "profiles" / "small")
    # No seed: what lies in the folders decides nothing here, and nothing is built.
    shown = output("score", "--seeds", "7-6", "--data", tmp_path / "profiles", "--profile", "small,classic")
    assert "small: 0 tours; classic: 0 tours" in shown
    assert shown.index("profile small") < shown.index("profile classic")
    assert sorted(path.name for path in (tmp_path / "profiles").iterdir()) == ["classic", "small"]


def test_a_tour_that_fails_is_told_in_one_line_and_the_others_are_scored(data: Path):
    store = Store(data)
    Catalog(store)
    with store.video("tour-6").locked():
        shown = output("score", "--seeds", "6,5", "--data", data)
    assert "VideoLocked: tour-6 is being worked on by another process" in shown
    assert shown.index("VideoLocked") < shown.index("occupancy")
    assert "on tour-5" in shown


def test_labels_alone_builds_nothing(tmp_path: Path):
    shown = output("score", "--labels-alone", "--seeds", "7-6", "--data", tmp_path / "data", "--profile", "classic")
    assert shown.splitlines() == [
        "profile classic, labels on true cameras and depth: IoU 0.000, mIoU 0.000, mIoU of pixels 0.000"
    ]
    assert not (tmp_path / "data").exists()


def test_seeds_that_are_none_are_refused_with_an_example(tmp_path: Path):
    with pytest.raises(SettingsError, match="1000001-1000010"):
        run("score", "--seeds", "many", "--data", tmp_path)


@pytest.mark.parametrize("more", [(), ("--labels-alone",), ("--reporting", "")])
def test_frozen_tours_are_not_scored_without_a_purpose(tmp_path: Path, more: tuple[str, ...]):
    with pytest.raises(FrozenSeeds, match="--reporting"):
        run("score", "--seeds", f"5,{FROZEN}", "--data", tmp_path / "data", "--profile", "classic", *more)
    assert not (tmp_path / "data").exists()


def test_a_look_at_frozen_tours_is_logged_once_for_all_profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(frozen, "CHECKOUT", new_checkout(tmp_path / "checkout"))
    stores = [Store(tmp_path / "data" / profile) for profile in ("classic", "small")]
    for store in stores:
        Catalog(store).add([parse_source("tour://5")])
    command = ("score", "--seeds", FROZEN, "--data", tmp_path / "data", "--profile", "classic,small")
    with ExitStack() as held:
        for store in stores:
            held.enter_context(store.video(f"tour-{FROZEN}").locked())
            # Certainly neither is built: this is no look.
            with pytest.raises(VideoLocked), Store(store.root).video(f"tour-{FROZEN}").locked():
                pass
        shown = output(*command, "--reporting", "figures of this test")
    (look,) = looks(tmp_path / "checkout")
    assert (look["command"], look["seeds"], look["scored"]) == ("youtube-occ score", str(FROZEN), "classic, small")
    assert look["purpose"] == "figures of this test"
    assert shown.index("this look at frozen tours is logged in") < shown.index("VideoLocked")


def test_without_a_log_nothing_frozen_is_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(frozen, "CHECKOUT", new_checkout(tmp_path / "checkout"))
    (tmp_path / "checkout" / "docs").write_text("a file is where the log's folder would be")
    with pytest.raises(UnloggedLook, match="nothing was looked at"):
        run("score", "--seeds", FROZEN, "--data", tmp_path / "data", "--profile", "classic", "--reporting", "figures")
    assert not (tmp_path / "data").exists()


def test_a_frozen_tour_is_processed_by_no_other_command(tmp_path: Path):
    with pytest.raises(FrozenSeeds, match=f"tours {FROZEN} are frozen"):
        run("process", f"tour://{FROZEN}", "--data", tmp_path / "data", "--profile", "classic")
    assert not list((tmp_path / "data").rglob("*.mp4"))
