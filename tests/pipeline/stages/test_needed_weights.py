"""Weights are fetched before any video needs them: by one process, once, or with an error that may pass."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from models.weights.registry import WEIGHTS, CommercialUse
from pipeline.contract.errors import SettingsError, WeightsAway
from pipeline.settings import load_settings
from pipeline.stages.needed_weights import fetch_weights, missing_weights, needed_weights
from pipeline.stages.registry import stages
from pipeline.stages.weight_files import weight_names
from tests.models.weights.server import CONTENT, running
from tests.paths import ROOT

PAPER = ["resnet50_places365", "dust3r_vitl_512_dpt", "san_vit_b_16"]
FETCH = """
import dataclasses, sys
from models.weights.registry import WEIGHTS
from pipeline.settings import load_settings
from pipeline.stages.needed_weights import fetch_weights
for name, entry in list(WEIGHTS.items()):
    WEIGHTS[name] = dataclasses.replace(entry, urls=(f"{sys.argv[1]}?{name}",), size_bytes=3 << 20, sha256=None)
fetch_weights(load_settings("youtube_occ"))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("YOUTUBE_OCC_WEIGHTS", str(tmp_path / "weights"))
    return tmp_path / "weights"


@pytest.mark.parametrize("profile", ["classic", "small"])
def test_a_profile_without_weights_of_others_needs_none(folder: Path, profile: str):
    assert needed_weights(load_settings(profile)) == []
    fetch_weights(load_settings(profile))
    assert not folder.exists()


def test_the_papers_profile_needs_one_file_a_network_and_another_backend_another(folder: Path):
    assert [weights.name for weights in needed_weights(load_settings("youtube_occ"))] == PAPER
    assert [weights.name for weights in needed_weights(load_settings("youtube_occ"), until="indoor_clips")] == PAPER[:1]
    assert needed_weights(load_settings("youtube_occ"), until="clips") == [], "a look at clips downloads nothing"
    cheaper = load_settings("youtube_occ", overrides={"reconstruction": {"backend": "colmap"}})
    assert len(needed_weights(cheaper)) == 2
    folder.mkdir()
    (folder / needed_weights(cheaper)[0].file_name).touch()
    assert missing_weights(cheaper) == needed_weights(cheaper)[1:]


@pytest.mark.parametrize(
    ("profile", "geometry"), [("open", ["moge_2_vitb", "da3_base"]), ("open_cpu", ["moge_2_vits", "da3_small"])]
)
def test_no_weights_of_an_open_profile_forbid_commercial_use(profile: str, geometry: list[str]):
    settings = load_settings(profile)
    needed = needed_weights(settings)
    assert [weights.name for weights in needed] == ["resnet50_places365", *geometry, "san_vit_b_16"]
    named = {name for stage in stages().values() for name in weight_names(settings.of(stage))}
    assert named == {weights.name for weights in needed}, "no backend names weights that the registry does not know"
    not_free = {weights.name: weights.commercial for weights in needed if weights.commercial != CommercialUse.ALLOWED}
    assert not_free == {"san_vit_b_16": CommercialUse.UNSTATED}, "nobody states one, as the guide says"
    assert "san_vit_b_16" in (ROOT / "docs" / "guide" / "profiles.md").read_text()


def test_the_registry_tells_weights_that_forbid_commercial_use_from_others():
    told = {name for name, weights in WEIGHTS.items() if weights.commercial is CommercialUse.FORBIDDEN}
    assert told == {name for name in WEIGHTS if name.startswith("dust3r_")}
    said = {name for name, weights in WEIGHTS.items() if "non-commercial" in weights.use}
    assert said == told, "the licence and what it allows say the same"
    assert any(weights.name in told for weights in needed_weights(load_settings("youtube_occ")))


def test_processes_that_begin_at_once_fetch_each_file_once(folder: Path):
    with running() as server:
        command = [sys.executable, "-c", FETCH, server.url("/whole")]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        begun = [subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE) for _ in range(2)]
        for process in begun:
            _, said = process.communicate(timeout=600)
            assert process.returncode == 0, said
        asked = [path for path, _ in server.headers]
    names = [weights.name for weights in needed_weights(load_settings("youtube_occ"))]
    assert sorted(asked) == sorted(f"/whole?{name}" for name in names)
    for name in names:
        assert (folder / WEIGHTS[name].file_name).read_bytes() == CONTENT


@pytest.mark.usefixtures("folder")
def test_weights_that_no_server_gives_are_away_and_mirrors_of_the_settings_help(monkeypatch: pytest.MonkeyPatch):
    settings = load_settings("youtube_occ", overrides={"reconstruction": {"backend": "colmap"}})
    for weights in needed_weights(settings):
        here = weights.__class__(
            weights.name, "whole", ("http://127.0.0.1:9/x",), len(CONTENT), None, "MIT", "anything"
        )
        monkeypatch.setitem(WEIGHTS, weights.name, here)
    with pytest.raises(WeightsAway, match="could not be fetched"):
        fetch_weights(settings)
    with running() as server:
        fetch_weights(settings, (server.url(""),))
    assert missing_weights(settings) == []


@pytest.mark.parametrize(
    ("setting", "name", "wanted"),
    [
        ("reconstruction.da3.weights", "moge_2_vits", "Depth Anything 3"),
        ("reconstruction.da3.weights", "moge_small", "Depth Anything 3"),
        ("reconstruction.dust3r.weights", "da3_base", "DUSt3R"),
        ("reconstruction.colmap_moge.weights", "dust3r_small", "MoGe-2"),
        ("reconstruction.colmap_moge.da3_weights", "dinov2_small", "Depth Anything 3"),
        ("indoor_clips.places365.weights", "san_vit_b_16", "Places365"),
        ("indoor_clips.small.weights", "resnet18_places365", "small indoor classifier"),
        ("semantics.san.weights", "indoor_small", "SAN"),
    ],
)
def test_settings_that_name_weights_of_another_family_are_refused_in_one_line(setting: str, name: str, wanted: str):
    stage, part, field = setting.split(".")
    with pytest.raises(SettingsError) as error:
        load_settings("open", overrides={stage: {"backend": part, part: {field: name}}})
    said = str(error.value)
    assert f"{name} is the name of a" in said
    assert f"and a {wanted} is wanted" in said
    assert "\n" not in said
    assert "http" not in said
    for path in (f"{name}/model.safetensors", f"{name}.pth"):
        load_settings("open", overrides={stage: {"backend": part, part: {field: path}}})  # whatever it is called
