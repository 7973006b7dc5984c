"""All stages on a rendered tour, end to end: what is stored, what is reused, what a fault leaves behind."""

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
import zarr

from pipeline.contract.errors import (
    BrokenVideo,
    CorruptStore,
    DiskFull,
    NoClips,
    NoIndoorClip,
    NothingReconstructed,
    StageMissing,
    StorageFailed,
    VideoLocked,
)
from pipeline.dataset.index import build_dataset
from pipeline.sources.catalog.rows import CatalogRow, VideoState
from pipeline.sources.video_source import VideoSource
from pipeline.stages.base import Workbench
from pipeline.stages.chain import finished, made_by
from pipeline.stages.failures import last_failure, record_failure
from pipeline.stages.registry import stages
from pipeline.stages.run import (
    StageReport,
    decisive_settings,
    final_fingerprint,
    finish_video,
    is_built,
    process_video,
    run_stage,
)
from pipeline.store.video import VideoStore
from tests.pipeline.small_tour import SEED, SMALL, small_workbench
from tests.pipeline.stages.filling import damage, workbench_of


def test_every_array_has_one_row_a_kept_frame_and_opens_with_plain_zarr(built_tour: Workbench):
    video = built_tour.video
    scene = zarr.open_group(Path(video.files.root) / "videos" / video.video_id / "scene.zarr", mode="r")
    n = scene["frames/rgb"].shape[0]
    h, w = scene["scene/depth"].shape[1:]
    expected = {
        "frames/rgb": ((n, 480, 640, 3), np.uint8),
        "scene/intrinsics": ((n, 3, 3), np.float32),
        "scene/camera_to_world": ((n, 4, 4), np.float32),
        "scene/depth": ((n, h, w), np.float16),
        "scene/confidence": ((n, h, w), np.float16),
        "semantics/labels": ((n, h, w), np.uint8),
        "semantics/regions": ((n, h, w), np.uint16),
        "occupancy/labels": ((n, 60, 60, 36), np.uint8),
        "occupancy/origin": ((n, 3), np.float32),
        "occupancy/grid_from_world": ((n, 4, 4), np.float32),
    }
    assert n >= 8
    assert {name: (scene[name].shape, scene[name].dtype) for name in expected} == expected


def test_groups_say_how_they_were_made(built_tour: Workbench):
    for name, stage in stages().items():
        made = made_by(built_tour.video, name)
        assert made is not None
        assert (made.stage, made.code_version) == (name, stage.code_version)
        assert made.settings == built_tour.settings.of(stage).decisive()
        assert made.counts


def test_the_outdoor_shot_is_left_out_with_its_reason(built_tour: Workbench):
    made = made_by(built_tour.video, "indoor_clips")
    assert made is not None
    assert [item.code for item in made.left_out] == ["NotIndoor"]
    assert made.counts["clips"] == 1


def test_a_second_run_does_nothing(built_tour: Workbench):
    assert all(report.reused for report in process_video(built_tour))
    assert is_built(built_tour.video, built_tour.settings)


def test_other_labels_leave_the_reconstruction_alone(copied_tour: Workbench):
    changed = copied_tour.settings.model_copy(
        update={"occupancy": copied_tour.settings.occupancy.model_copy(update={"reach_m": 9.0})}
    )
    reports = list(process_video(replace(copied_tour, settings=changed)))
    assert [report.provenance.stage for report in reports if not report.reused] == ["occupancy"]


def test_stages_refuse_to_run_before_what_they_build_on(tmp_path: Path):
    with pytest.raises(StageMissing, match="'scene' needs 'reconstruction'"):
        run_stage("scene", small_workbench(tmp_path))


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
    assert [report.provenance.stage for report in reports if not report.reused] == [stage]
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


def test_a_stage_is_run_once_and_its_stored_result_given_after_that(own_room: VideoStore):
    workbench = workbench_of(own_room, occupancy={"reach_m": 8.0})
    first, second = run_stage("occupancy", workbench), run_stage("occupancy", workbench)
    assert (first.reused, second.reused) == (False, True)
    assert second == StageReport(first.provenance, reused=True)
    assert first.provenance == made_by(own_room, "occupancy")


def test_a_result_made_of_another_input_is_made_again(own_room: VideoStore):
    workbench = workbench_of(own_room, semantics={"regions": {"count": 40}})
    before = run_stage("occupancy", workbench).provenance.fingerprint
    run_stage("semantics", workbench)
    again = run_stage("occupancy", workbench)
    assert not again.reused
    assert again.provenance.fingerprint != before


def test_a_result_made_of_another_file_is_made_again_though_its_fingerprint_is_the_same(own_room: VideoStore):
    workbench, content = workbench_of(own_room, occupancy={"reach_m": 8.0}), own_room.read_json("source.json")
    before = run_stage("occupancy", workbench).provenance
    assert before.upstream.endswith(f"@{content['sha256'][:16]}")
    assert finished(own_room) is not None
    own_room.write_json("source.json", {**content, "sha256": "1" * 64})
    assert finished(own_room) is None
    again = run_stage("occupancy", workbench)
    assert not again.reused
    assert again.provenance.fingerprint == before.fingerprint
    assert again.provenance.upstream.endswith(f"@{'1' * 16}")


def test_a_failed_stage_is_noted_and_leaves_the_earlier_result(own_room: VideoStore):
    with pytest.raises(NothingReconstructed):
        run_stage("scene", workbench_of(own_room, scene={"up_confidence_min": 1.0}))
    failure = last_failure(own_room)
    assert failure is not None
    assert (failure.stage, failure.code, failure.tries) == ("scene", "NothingReconstructed", 1)
    assert made_by(own_room, "scene") is not None
    assert own_room.read("scene", "depth").any()


def test_what_the_disk_refuses_speaks_against_no_video(own_room: VideoStore):
    draft = own_room.scratch / "groups"
    draft.mkdir(parents=True, exist_ok=True)
    draft.rmdir()
    draft.write_text("a file where a folder has to be")
    with pytest.raises(StorageFailed, match="Not a directory"):
        run_stage("occupancy", workbench_of(own_room, occupancy={"reach_m": 8.0}))
    failure = last_failure(own_room)
    assert failure is not None
    assert (failure.stage, failure.code, failure.may_pass) == ("occupancy", "StorageFailed", True)


def test_a_stage_that_reads_damaged_values_moves_their_group_aside_to_be_made_again(own_room: VideoStore):
    damage(own_room, "scene", "depth")
    with pytest.raises(CorruptStore, match="scene/depth"):
        run_stage("semantics", workbench_of(own_room, semantics={"regions": {"count": 40}}))
    failure = last_failure(own_room)
    assert failure is not None
    assert failure.may_pass
    assert not own_room.has_group("scene")
    with pytest.raises(StageMissing, match="'semantics' needs 'scene'"):
        run_stage("semantics", workbench_of(own_room))


@pytest.mark.parametrize("keep_source", [True, False])
def test_a_finished_video_is_noted_in_the_catalog_and_its_source_may_go(own_room: VideoStore, keep_source: bool):
    workbench = workbench_of(own_room)
    workbench.catalog.register([CatalogRow("room", VideoSource.of_origin("/films/room.mp4"))])
    record_failure(own_room, "scene", "0", NoClips("earlier"))
    finish_video(workbench, keep_source=keep_source)
    row = workbench.catalog.row("room")
    assert (row.state, row.built) == (VideoState.FETCHED, final_fingerprint("room", workbench.settings))
    assert last_failure(own_room) is None
    assert own_room.exists("source.mp4") == keep_source
    assert own_room.exists("source.json")


def test_the_fingerprint_of_a_finished_video_follows_from_its_id_and_what_decides(tmp_path: Path):
    plain = small_workbench(tmp_path).settings
    found = final_fingerprint("tour-5", plain)
    assert found == final_fingerprint("tour-5", small_workbench(tmp_path).settings)
    assert found != final_fingerprint("tour-6", plain)
    for stage, values in (
        ("clips", {"trim_s": 0.2}),
        ("reconstruction", {"colmap": {"sparse": {"seed": 1}}}),
        ("occupancy", {"reach_m": 9}),
    ):
        assert found != final_fingerprint(
            "tour-5", workbench_of(small_workbench(tmp_path).video, **{stage: values}).settings
        )


def test_settings_that_say_only_how_fast_or_patiently_decide_nothing(tmp_path: Path):
    video = small_workbench(tmp_path).video
    patient = workbench_of(video, video={"retries": 9, "timeout_s": 60}, semantics={"san": {"batch": 1}})
    assert final_fingerprint("tour-5", patient.settings) == final_fingerprint("tour-5", workbench_of(video).settings)
    decisive = decisive_settings(stages()["video"], patient.settings)
    assert set(decisive) == {"height_max", "tour"}


def test_a_video_with_all_results_of_other_settings_is_not_built(built_tour: Workbench):
    assert is_built(built_tour.video, built_tour.settings)
    assert not is_built(built_tour.video, workbench_of(built_tour.video).settings)
