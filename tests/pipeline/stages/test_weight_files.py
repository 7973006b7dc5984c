"""Weights that settings name by a path: their content decides, not their name."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file

from models.weights.cache import SHIPPED
from models.weights.contents import checksum
from pipeline.contract.errors import WeightsReplaced
from pipeline.stages.base import Workbench
from pipeline.stages.chain import made_by
from pipeline.stages.failures import last_failure
from pipeline.stages.indoor_clips.rows import indoor_scores
from pipeline.stages.reconstruction.recorded import together
from pipeline.stages.registry import stages
from pipeline.stages.run import decisive_settings, final_fingerprint, is_built, run_stage
from pipeline.stages.weight_files import check_noted, weight_files
from pipeline.store.provenance import fingerprint
from pipeline.store.video import VideoStore
from tests.pipeline.stages.filling import workbench_of


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOUTUBE_OCC_WEIGHTS", str(tmp_path / "cache"))


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "indoor.safetensors"
    path.write_bytes((SHIPPED / "indoor_small.safetensors").read_bytes())
    return path


def put_others(path: Path) -> None:
    """Put weights of the same size and time in the place of some: those that hold the opposite for likely."""
    before, tensors = path.stat(), load_file(path)
    save_file(tensors | {name: -value for name, value in tensors.items() if name.startswith("head.")}, path)
    content = path.read_bytes()
    assert len(content) <= before.st_size
    header = int.from_bytes(content[:8], "little") + before.st_size - len(content)
    padded = content[8:].replace(b"}}", b"}}" + b" " * (before.st_size - len(content)), 1)
    path.write_bytes(header.to_bytes(8, "little") + padded)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def bench(video: VideoStore, weights: Path | str, *progress: Callable[..., None]) -> Workbench:
    values: dict[str, Any] = {"backend": "small", "threshold": 0, "small": {"weights": str(weights)}}
    return workbench_of(video, *progress, indoor_clips=values)


def scores(video: VideoStore) -> list[float]:
    return [score.indoor for score in indoor_scores(video)]


def test_a_file_replaced_in_place_makes_the_result_and_all_that_follow_new(own_room: VideoStore, weights: Path):
    workbench = bench(own_room, weights)
    first, final = run_stage("indoor_clips", workbench), final_fingerprint("room", workbench.settings)
    said = scores(own_room)
    assert run_stage("indoor_clips", workbench).reused
    put_others(weights)
    again = run_stage("indoor_clips", workbench)
    assert not again.reused
    assert again.provenance.fingerprint != first.provenance.fingerprint
    assert again.provenance.weights == {weights.name: checksum(weights)} != first.provenance.weights
    assert scores(own_room) == pytest.approx([1 - score for score in said], abs=1e-5), "the network was asked again"
    assert final_fingerprint("room", workbench.settings) != final
    assert not is_built(own_room, workbench.settings)


def test_the_same_content_put_back_has_the_fingerprint_that_it_had(own_room: VideoStore, weights: Path):
    settings = bench(own_room, weights).settings
    first, content = final_fingerprint("room", settings), weights.read_bytes()
    put_others(weights)
    assert final_fingerprint("room", settings) != first
    weights.write_bytes(content)
    assert final_fingerprint("room", settings) == first


def test_names_stand_for_what_they_name_so_that_earlier_fingerprints_hold(own_room: VideoStore):
    workbench = bench(own_room, "indoor_small")
    stage, made = stages()["indoor_clips"], run_stage("indoor_clips", workbench).provenance
    decisive = decisive_settings(stage, workbench.settings)
    assert made.settings == decisive
    assert made.fingerprint == fingerprint(
        "indoor_clips", stage.code_version, decisive, made.upstream.partition("@")[0]
    )


def test_settings_stay_as_they_are_where_files_enter_the_fingerprint(own_room: VideoStore, weights: Path):
    workbench = bench(own_room, weights)
    stage, made = stages()["indoor_clips"], run_stage("indoor_clips", workbench).provenance
    assert made.settings == decisive_settings(stage, workbench.settings)
    files, before = {"small.weights": {weights.name: checksum(weights)}}, made.upstream.partition("@")[0]
    assert made.fingerprint == fingerprint("indoor_clips", stage.code_version, made.settings, before, files)


def test_only_the_weights_of_the_chosen_backend_count(own_room: VideoStore, weights: Path):
    settings = workbench_of(own_room, indoor_clips={"backend": "sky_rule", "small": {"weights": str(weights)}}).settings
    assert weight_files(settings.of(stages()["indoor_clips"])) == {}


@pytest.mark.parametrize(
    "name", ["reconstruction.dust3r.weights", "indoor_clips.places365.weights", "semantics.san.weights"]
)
def test_every_backend_with_weights_is_looked_into(own_room: VideoStore, weights: Path, name: str):
    stage, backend, setting = name.split(".")
    values = {stage: {"backend": backend, backend: {setting: str(weights)}}}
    found = weight_files(workbench_of(own_room, **values).settings.of(stages()[stage]))
    assert found == {f"{backend}.{setting}": {weights.name: checksum(weights)}}


def test_a_folder_of_a_saved_network_counts_with_its_configuration(own_room: VideoStore, tmp_path: Path):
    folder = tmp_path / "indoor_small"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"tensors")
    (folder / "config.json").write_text('{"id2label": {"0": "wall"}}')
    values = {"backend": "closed_set", "closed_set": {"folder": str(folder)}}
    settings = workbench_of(own_room, semantics=values).settings
    assert set(weight_files(settings.of(stages()["semantics"]))["closed_set.folder"]) == {
        "model.safetensors",
        "config.json",
    }
    first = final_fingerprint("room", settings)
    (folder / "config.json").write_text('{"id2label": {"0": "sofa"}}')
    assert final_fingerprint("room", settings) != first


def test_weights_that_are_away_leave_finished_results_as_they_are(own_room: VideoStore, weights: Path):
    workbench = bench(own_room, weights)
    made = run_stage("indoor_clips", workbench).provenance
    weights.rename(weights.with_suffix(".elsewhere"))
    again = run_stage("indoor_clips", workbench)
    assert again.reused
    assert again.provenance == made


def test_weights_that_were_never_seen_are_known_by_their_name_alone(own_room: VideoStore, tmp_path: Path):
    settings = bench(own_room, tmp_path / "never.safetensors").settings
    assert weight_files(settings.of(stages()["indoor_clips"])) == {}


def test_a_file_replaced_while_the_stage_runs_ends_it_and_nothing_is_kept(own_room: VideoStore, weights: Path):
    def replace_it(*_: object) -> None:
        if not replaced:
            put_others(weights)
            replaced.append(True)

    replaced: list[bool] = []
    before, said = made_by(own_room, "indoor_clips"), scores(own_room)
    workbench = bench(own_room, weights, replace_it)
    with pytest.raises(WeightsReplaced, match=r"small\.weights"):
        run_stage("indoor_clips", workbench)
    assert made_by(own_room, "indoor_clips") == before
    assert scores(own_room) == said, "no score of either network is kept for the other"
    failure = last_failure(own_room)
    assert failure is not None
    assert (failure.code, failure.may_pass) == ("WeightsReplaced", True)
    made = run_stage("indoor_clips", replace(workbench, progress=lambda *_: None))
    assert made.provenance.weights == {weights.name: checksum(weights)}


def test_what_a_stage_noted_is_held_against_what_its_fingerprint_covers():
    before = {"small.weights": {"a.pth": "1" * 64}}
    check_noted({"a.pth": "1" * 64, "of_a_name.pth": "2" * 64}, before)
    with pytest.raises(WeightsReplaced, match=r"a\.pth"):
        check_noted({"a.pth": "2" * 64}, before)


def test_two_networks_whose_files_have_one_name_are_both_held_against_the_fingerprint():
    one, two, other = ("1" * 64, "2" * 64, "3" * 64)
    before = {"da3.weights": {"x": one}, "da3.metric_weights": {"x": two}}
    noted = together({"x": one}, {"x": two})
    assert noted == {"x": one, "x (2)": two}
    assert together({"x": one}, {"x": one}) == {"x": one}
    check_noted(noted, before)
    for changed in ({"x": other, "x (2)": two}, {"x": one, "x (2)": other}):
        with pytest.raises(WeightsReplaced, match="x"):
            check_noted(changed, before)
