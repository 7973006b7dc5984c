"""All stages and what goes wrong: kills, damage, a full disk, films of which nothing comes."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from pipeline.contract.errors import (
    BrokenVideo,
    CorruptStore,
    DiskFull,
    NoClips,
    NoIndoorClip,
    VideoLocked,
)
from pipeline.dataset.index import build_dataset
from pipeline.stages.base import Workbench
from pipeline.stages.chain import made_by
from pipeline.stages.failures import last_failure
from pipeline.stages.registry import stages
from pipeline.stages.run import (
    is_built,
    process_video,
)
from tests.pipeline.small_tour import SEED, SMALL, small_workbench


def _build_command(folder: Path) -> list[str]:
    (folder / "small.yaml").write_text(json.dumps(SMALL))
    options = ["--data", str(folder / "data"), "--settings", str(folder / "small.yaml")]
    return [sys.executable, "-m", "pipeline", "process", f"tour://{SEED}", *options]


def test_killed_while_reconstructing_it_goes_on_where_it_was(
    built_tour: Workbench, copied_tour: Workbench, tmp_path: Path
):
    video = copied_tour.video
    for group in ("reconstruction", "scene", "semantics", "occupancy"):
        video.set_aside(f"scene.zarr/{group}")
    child = subprocess.Popen(_build_command(tmp_path), start_new_session=True)
    while not (video.scratch / "clips").exists() and child.poll() is None:
        time.sleep(0.05)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    assert not video.has_group("reconstruction")
    reports = {report.provenance.stage: report.reused for report in process_video(copied_tour)}
    assert [name for name, reused in reports.items() if reused] == ["video", "clips", "indoor_clips"]
    np.testing.assert_array_equal(
        video.read("occupancy", "labels").shape, built_tour.video.read("occupancy", "labels").shape
    )
    assert not list(video.scratch.rglob("*.npz"))


def _process_until_stopped(folder: Path, stage: str, by: signal.Signals) -> None:
    def progress(at: str, done: int, total: int, detail: str = "") -> None:
        del detail
        if at == stage and done >= total - 1:
            signal.raise_signal(by)

    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs begin with it ignored
    list(process_video(replace(small_workbench(folder), progress=progress)))


@pytest.mark.parametrize(
    ("stage", "by"),
    [
        ("clips", signal.SIGKILL),
        ("indoor_clips", signal.SIGKILL),
        ("scene", signal.SIGKILL),
        ("semantics", signal.SIGKILL),
        ("occupancy", signal.SIGKILL),
        ("scene", signal.SIGINT),
    ],
)
def test_stopped_in_the_middle_of_a_stage_only_that_stage_is_done_again(
    copied_tour: Workbench, stage: str, by: signal.Signals
):
    video = copied_tour.video
    stages()[stage].output.set_aside(video)
    child = multiprocessing.get_context("spawn").Process(
        target=_process_until_stopped, args=(Path(video.files.root), stage, by)
    )
    child.start()
    child.join()
    assert child.exitcode
    assert made_by(video, stage) is None
    assert last_failure(video) is None, "who was stopped has not failed"
    reports = list(process_video(copied_tour))
    again = [stage, "indoor_clips", "scene"] if stage == "clips" else [stage]  # which write into the table of clips
    assert [report.provenance.stage for report in reports if not report.reused] == again
    assert is_built(video, copied_tour.settings)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"attributes": {"stage": "scene"}}', "\x00"])
def test_a_result_whose_note_is_damaged_is_made_again(copied_tour: Workbench, content: str):
    video = copied_tour.video
    (Path(video.files.root) / "videos" / video.video_id / "scene.zarr" / "occupancy" / "zarr.json").write_text(content)
    assert not is_built(video, copied_tour.settings)
    assert [report.provenance.stage for report in process_video(copied_tour) if not report.reused] == ["occupancy"]


def test_a_damaged_array_ends_one_build_and_is_made_again_by_the_next(copied_tour: Workbench):
    video = copied_tour.video
    video.set_aside("scene.zarr/occupancy")
    chunks = Path(video.files.root) / "videos" / video.video_id / "scene.zarr" / "scene" / "depth" / "c"
    next(path for path in chunks.rglob("*") if path.is_file()).write_bytes(b"junk")
    with pytest.raises(CorruptStore, match="scene/depth"):
        list(process_video(copied_tour))
    failure = last_failure(video)
    assert failure is not None
    assert failure.may_pass
    assert [report.provenance.stage for report in process_video(copied_tour) if not report.reused] == [
        "scene",
        "occupancy",
    ]


def test_two_processes_do_not_work_on_one_video(copied_tour: Workbench):
    with copied_tour.video.locked(), pytest.raises(VideoLocked):
        next(process_video(copied_tour))


@pytest.fixture(scope="module")
def grey_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("videos") / "sky.mp4"
    _write_video(path, np.full((36, 120, 160, 3), (130, 180, 240), np.uint8))
    return path


def _write_video(path: Path, frames: np.ndarray, rate: int = 12) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame)))
        container.mux(stream.encode())


def test_a_video_without_an_indoor_clip_is_left_out_by_name(grey_video: Path, tmp_path: Path):
    workbench = small_workbench(tmp_path, str(grey_video))
    with pytest.raises(NoIndoorClip):
        list(process_video(workbench))
    summary = build_dataset(workbench.video.files, workbench.settings.dataset)
    assert [(entry.stage, entry.code) for entry in summary.left_out if entry.clip_id is None] == [
        ("indoor_clips", "NoIndoorClip")
    ]


def test_three_frames_are_no_clip(tmp_path: Path):
    _write_video(tmp_path / "short.mp4", np.zeros((3, 120, 160, 3), np.uint8))
    with pytest.raises(NoClips):
        list(process_video(small_workbench(tmp_path / "data", str(tmp_path / "short.mp4"))))


def test_a_text_file_is_no_video(tmp_path: Path):
    (tmp_path / "text.mp4").write_text("not a video")
    workbench = small_workbench(tmp_path / "data", str(tmp_path / "text.mp4"))
    with pytest.raises(BrokenVideo):
        list(process_video(workbench))
    failure = last_failure(workbench.video)
    assert failure is not None
    assert (failure.stage, failure.code, failure.tries) == ("video", "BrokenVideo", 1)


@pytest.fixture
def tiny_disk(tmp_path: Path):
    """A file system of 1 MB, where the machine lets us mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], check=False)
    if mounted.returncode:
        pytest.skip("mounting a tmpfs needs root; the store's own test covers ENOSPC by a file size limit")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_is_told_and_leaves_nothing_half_written(built_tour: Workbench, tiny_disk: Path):
    source = Path(built_tour.video.files.root) / "videos" / built_tour.video.video_id / "source.mp4"
    workbench = small_workbench(tiny_disk, str(source))
    with pytest.raises(DiskFull):
        list(process_video(workbench))
    assert not workbench.video.has_group("frames")
    assert not workbench.video.exists("scene.zarr/frames/rgb/zarr.json")
