import io
from pathlib import Path

import pytest
from PIL import Image

from pipeline.contract.errors import NothingReconstructed, SettingsError
from pipeline.stages.failures import record_failure
from pipeline.stages.registry import stages
from pipeline.store.store import Store
from tests.earlier import VIDEO

from .runs import output, run


def test_preview_writes_a_picture_of_every_stage(data: Path):
    shown = output("preview", VIDEO, "--data", data, "--out", "new/folder").splitlines()
    assert shown == [f"new/folder/{VIDEO}-{stage}.jpg" for stage in stages()]
    for path in shown:
        assert Image.open(io.BytesIO(Path(path).read_bytes())).format == "JPEG"


def test_a_frame_is_shown_for_print(data: Path):
    command = ("preview", VIDEO, "--data", data, "--stage", "occupancy", "--frame", 2, "--png", "--out", "out")
    (small,) = output(*command, "--dpi", 96).splitlines()
    screen = Image.open(small)
    assert (small, screen.format) == (f"out/{VIDEO}-occupancy-frame2.png", "PNG")
    screen.load()
    output(*command, "--dpi", 192)
    printed = Image.open(small)
    assert printed.info["dpi"] == pytest.approx((192, 192), abs=0.1)
    assert printed.width == pytest.approx(2 * screen.width, rel=0.02)


def test_a_clip_that_is_not_there_is_named_before_anything_is_written(data: Path):
    with pytest.raises(SettingsError, match="none of which is 99"):
        run("preview", VIDEO, "--data", data, "--clip", 99, "--out", "out")
    assert not Path("out").exists()


def test_a_video_that_is_not_there_is_named_and_leaves_no_picture(tmp_path: Path):
    with pytest.raises(SettingsError, match="tour-9"):
        run("preview", "tour-9", "--data", tmp_path / "data")
    assert not list(Path().glob("**/*.jpg"))


def test_settings_are_a_line_each_with_value_and_description(tmp_path: Path):
    lines = output("settings", "--data", tmp_path, "--set", "clips.clip_min_s=3.5").splitlines()
    (line,) = [line for line in lines if line.startswith("clips.clip_min_s = ")]
    assert line.startswith("clips.clip_min_s = 3.5  # ")
    assert len(lines) == len({line.partition(" = ")[0] for line in lines}) > 100
    assert "profile = classic" in lines[0]
    assert not any("<-" in line.partition("#")[0] for line in lines)


def test_why_says_where_every_value_comes_from(data: Path, monkeypatch: pytest.MonkeyPatch):
    Path("mine.yaml").write_text("{dataset: {give_up_after: 9}}", encoding="utf-8")
    monkeypatch.setenv("YOUTUBE_OCC_SETTINGS", "mine.yaml")
    lines = output("settings", "--why", "--data", data, "--set", "clips.clip_min_s=3.5").splitlines()

    def origin(name: str) -> str:
        (line,) = [line for line in lines if line.startswith(f"{name} = ")]
        return line.partition("<- ")[2].partition("  #")[0]

    assert origin("clips.clip_min_s") == "the command line"
    assert origin("clips.frames_per_second") == f"the dataset, as {VIDEO} was made"
    assert "mine.yaml" in origin("dataset.give_up_after")
    assert origin("dataset.keep_videos") == "default"


def test_rejects_are_counted_by_reason_with_a_sheet_each(data: Path):
    (line,) = output("rejects", "--data", data).splitlines()
    assert line.split() == ["1", "NotIndoor", "rejects/NotIndoor.jpg"]
    assert Image.open("rejects/NotIndoor.jpg").height > 90


def test_filters_of_the_command_line_reject_more(data: Path):
    lines = output("rejects", "--data", data, "--out", "out", "--set", "dataset.filters.brightness_min=1").splitlines()
    assert [line.split()[:2] for line in lines] == [["1", "NotIndoor"], ["1", "TooDark"]]
    assert Path("out/TooDark.jpg").read_bytes().startswith(b"\xff\xd8")


def test_a_dataset_of_nothing_has_no_rejects(tmp_path: Path):
    assert output("rejects", "--data", tmp_path / "empty") == "no clip was left out\n"


def test_a_video_of_which_nothing_came_is_named_with_the_reason_of_its_clips(tmp_path: Path):
    store = Store(tmp_path / "data")
    for video_id in ("a", "b", "c", "d"):
        error = NothingReconstructed(f"{video_id}: no clip could be reconstructed (clip 0: LensZooms: by 1.6)")
        record_failure(store.video(video_id), "reconstruction", "0123", error)
    lines = output("rejects", "--data", tmp_path / "data").splitlines()
    assert lines[1].split() == ["4", "NothingReconstructed", "videos", "without", "a", "result"]
    reason = "no clip could be reconstructed (clip 0: LensZooms: by 1.6)"
    assert [line.strip() for line in lines[2:]] == [f"{video_id}, reconstruction: {reason}" for video_id in "abc"]


def test_an_unknown_video_is_not_verified_as_sound(data: Path):
    with pytest.raises(SettingsError, match="there is no video no-such in"):
        run("verify", "no-such", "--data", data)


def test_verify_reads_everything_and_fails_where_something_is_lost(data: Path):
    assert output("verify", "--data", data).splitlines()[-1] == "1 videos read, 0 problems"
    lost = next(path for path in (data / "videos" / VIDEO / "scene.zarr/scene/depth/c").rglob("*") if path.is_file())
    lost.write_bytes(b"junk")
    ended = run("verify", VIDEO, "--data", data, "--set-aside")
    assert ended.exit_code == 1
    assert f"{VIDEO}: " in ended.output
    assert "damaged/scene-1" in ended.output
    assert ended.output.splitlines()[-1].endswith("problems")
    assert (data / "videos" / VIDEO / "damaged" / "scene-1" / "depth").is_dir()
