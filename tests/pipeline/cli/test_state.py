"""``status`` and ``drop``: what stands, what is old, what failed and why; what is dropped is gone and built anew."""

import json
import re
from pathlib import Path

import pytest

from pipeline.contract.errors import NothingReconstructed, SettingsError, VideoLocked
from pipeline.dataset.status import StageState, status_of
from pipeline.settings import load_settings
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.video_source import parse_source
from pipeline.stages.base import Workbench
from pipeline.stages.failures import record_failure
from pipeline.stages.registry import stages
from pipeline.store.store import Store
from tests.earlier import VIDEO

from .runs import output, run


def test_a_built_video_is_built_in_every_stage_and_its_seconds_add_up(built_tour: Workbench):
    found = status_of(built_tour.video, built_tour.settings)
    assert {stage.state for stage in found.stages} == {StageState.BUILT}
    assert found.said == found.kind == "built"
    assert found.seconds > 1
    assert found.size > 100_000


def test_what_a_thousand_clips_cost_is_told_by_what_those_took_that_are_there(built_tour: Workbench):
    found = status_of(built_tour.video, built_tour.settings)
    costs = [stage.cost for stage in found.stages if stage.cost]
    assert len(costs) == len(stages())
    assert all(cost["peak_bytes"] > 50e6 for cost in costs), "Python with numpy alone takes as much"
    hours = sum(cost["cpu_seconds"] for cost in costs) * 1000 / found.clips / 3600
    shown = output("status", "--data", built_tour.video.files.root)
    assert f"a thousand clips, as these {found.clips}: {hours:,.1f} hours of a core, 0.0 of a graphics card" in shown


def test_what_earlier_releases_did_not_note_is_not_told(data: Path):
    assert "a thousand clips" not in output("status", "--data", data)


@pytest.mark.parametrize("changed", ["clips", "scene", "occupancy"])
def test_other_settings_make_a_stage_old_and_all_after_it(built_tour: Workbench, changed: str):
    values = {
        "clips": {"clip_min_s": 1.25},
        "scene": {"wall_height_m": 2.7},
        "occupancy": {"vote": "confidence"},
    }
    dumped = built_tour.settings.model_dump()
    dumped[changed] |= values[changed]
    found = status_of(built_tour.video, load_settings(overrides=dumped))
    names = list(stages())
    old = [stage.name for stage in found.stages if stage.state is StageState.OLD]
    assert old[0] == changed
    assert found.kind == "old"
    assert f"old from {changed} on" in found.said
    assert all(name not in old for name in names[: names.index(changed)])


def test_status_counts_by_stage_and_names_what_is_not_built_and_why(data: Path):
    store = Store(data)
    video = store.video("tour-99")
    video.write_json("source.json", {})
    record_failure(video, "reconstruction", "x", NothingReconstructed("tour-99: no clip could be reconstructed"))
    shown = output("status", "--data", data)
    assert re.search(r"stage\s+built\s+old\s+missing\s+seconds", shown)
    assert "tour-99: failed in reconstruction: NothingReconstructed: no clip could be reconstructed" in shown
    assert "2 videos:" in shown
    assert "1 failed" in shown
    lines = [json.loads(line) for line in output("status", "--data", data, "--json").splitlines() if line[0] == "{"]
    assert [line["video_id"] for line in lines] == store.video_ids()
    assert lines[1]["failure"]["code"] == "NothingReconstructed"


def test_a_video_that_is_not_there_is_told_with_those_that_are_like_it(data: Path):
    like = VIDEO[:-1] + "q"
    for command in ("status", "verify"):
        with pytest.raises(SettingsError, match=f"no video {like} .*did you mean {VIDEO}"):
            run(command, like, "--data", data)


def test_an_unknown_setting_is_told_with_those_that_are_like_it(data: Path):
    with pytest.raises(SettingsError, match=r"clips\.clip_min: there is no such setting, did you mean clip_min_s"):
        run("settings", "--data", data, "--set", "clips.clip_min=2")
    with pytest.raises(SettingsError, match=r"reconstruction\.colmap\.sweeep: .*did you mean sweep"):
        run("settings", "--data", data, "--set", "reconstruction.colmap.sweeep.width=2")


def test_an_empty_folder_says_what_makes_the_first_video(tmp_path: Path):
    assert "makes the first" in output("status", "--data", tmp_path / "none")


def test_what_is_dropped_is_gone_and_the_catalog_knows_it_as_not_built(data: Path):
    store = Store(data)
    catalog = Catalog(store)
    (video_id,) = catalog.add([parse_source(VIDEO.replace("tour-", "tour://"))])
    catalog.mark_built(video_id, "f" * 16)
    asked = run("drop", VIDEO, "--data", data)  # nobody says yes
    assert asked.exit_code == 1
    assert store.video_ids() == [VIDEO]
    assert "deleted" in output("drop", VIDEO, "--data", data, "--yes")
    assert store.video_ids() == []
    assert catalog.row(VIDEO).built == ""
    with pytest.raises(SettingsError, match="no video"):
        run("drop", VIDEO, "--data", data, "--yes")


def test_a_video_that_is_being_built_is_not_dropped(data: Path):
    store = Store(data)
    with store.video(VIDEO).locked(), pytest.raises(VideoLocked):
        run("drop", VIDEO, "--data", data, "--yes")
    assert store.video_ids() == [VIDEO]
