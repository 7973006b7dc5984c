"""All stages on a rendered tour, end to end: what is stored, and what is reused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import zarr

import pipeline.stages.chain
import pipeline.stages.run
from assets.resources import is_missing
from pipeline.contract.errors import (
    CorruptStore,
    NewerResult,
    NoClips,
    NothingReconstructed,
    StageMissing,
    StorageFailed,
)
from pipeline.sources.catalog.rows import CatalogRow, VideoState
from pipeline.sources.video_source import VideoSource
from pipeline.stages.base import Workbench
from pipeline.stages.chain import by_newer_code, finished, made_by
from pipeline.stages.failures import last_failure, record_failure
from pipeline.stages.indoor_clips.rows import SCORE_COLUMNS, SCORED_BY, indoor_scores, scored_by
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
from tests.pipeline.small_tour import small_workbench
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


def test_frames_whose_scores_are_gone_from_the_table_of_clips_are_made_again(copied_tour: Workbench):
    """As after settings of clips were changed and changed back: the table is new, and the frames are as they were."""
    video = copied_tour.video
    attributes = video.attributes("frames")
    with video.write_group("frames", {**attributes, "beside": scored_by(video)}) as group:
        for name in ("rgb", "clip_id", "frame_index", "time_s", "indoor_score"):
            group.append(name, video.read("frames", name))
    assert run_stage("indoor_clips", copied_tour).reused
    assert finished(video) is not None
    table = video.read_table("clips.parquet")
    metadata = {key: value for key, value in table.schema.metadata.items() if key != SCORED_BY}
    video.write_table("clips.parquet", table.drop_columns(list(SCORE_COLUMNS)).replace_schema_metadata(metadata))
    assert finished(video) is None
    assert not run_stage("indoor_clips", copied_tour).reused
    assert len(indoor_scores(video)) == len(table)
    assert finished(video) is not None


def test_a_failed_stage_is_noted_and_leaves_the_earlier_result(own_room: VideoStore):
    with pytest.raises(NothingReconstructed):
        run_stage("scene", workbench_of(own_room, scene={"up_confidence_min": 1.0}))
    failure = last_failure(own_room)
    assert failure is not None
    assert (failure.stage, failure.code, failure.tries) == ("scene", "NothingReconstructed", 1)
    assert made_by(own_room, "scene") is not None
    assert own_room.read("scene", "depth").any()


def test_a_request_to_end_that_a_library_has_wrapped_is_no_failure(own_room: VideoStore):
    def interrupted(*_: object) -> None:
        raise ImportError("initialization failed") from KeyboardInterrupt()

    workbench = workbench_of(own_room, semantics={"regions": {"count": 40}})
    with pytest.raises(KeyboardInterrupt):
        run_stage("semantics", replace(workbench, progress=interrupted))
    assert last_failure(own_room) is None


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


def test_what_newer_code_made_is_left_to_it_and_said_in_one_line(
    copied_tour: Workbench, monkeypatch: pytest.MonkeyPatch
):
    """Two releases on one store: the older would make anew what the newer made, and the newer that again."""
    video, declared = copied_tour.video, stages()["scene"]
    group = zarr.open_group(video.files.path(*video.folder, "scene.zarr"), mode="r+")["scene"]
    group.attrs.update({"mood": "good"})  # a note that this release does not know
    before = {name: made_by(video, name) for name in stages()}
    older = {**stages(), "scene": replace(declared, code_version=str(int(declared.code_version) - 1))}
    for module in (pipeline.stages.run, pipeline.stages.chain):
        monkeypatch.setattr(module, "stages", lambda: older)
    assert not is_built(video, copied_tour.settings)
    assert by_newer_code(video) == "scene"
    assert not is_missing(video, copied_tour.settings)
    with pytest.raises(NewerResult, match=r"a newer release made 'scene' \(code version \d+, here \d+\)") as told:
        list(process_video(copied_tour))
    assert "\n" not in str(told.value)
    assert last_failure(video) is None, "the newer release has nothing to forget"
    monkeypatch.undo()
    assert by_newer_code(video) is None
    assert [report.reused for report in process_video(copied_tour)] == [True] * len(stages())
    assert {name: made_by(video, name) for name in stages()} == before
