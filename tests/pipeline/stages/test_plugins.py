"""A package from elsewhere adds a stage and a backend by its entry points alone, and they are everywhere."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.earlier import unpack_earlier_dataset
from tests.paths import ROOT

CODE = '''
"""A stage that measures how bright frames are, and an indoor filter that keeps everything."""

import numpy as np
from PIL import Image
from pydantic import BaseModel, Field

from pipeline.contract.records import IndoorScore
from pipeline.stages.backends import Backend
from pipeline.stages.base import Finding, Resources, StageResult, StageSettings, stage
from pipeline.store.outputs import GroupOutput


class BrightnessSettings(StageSettings):
    """How brightness is measured."""

    gain: float = Field(1.0, gt=0, description="what the mean of a frame is multiplied with")


def preview(video):
    level = int(video.read("brightness", "mean").mean())
    return Image.new("RGB", (64, 48), (level, level, level))


def not_black(video):
    """No frame is black."""
    least = float(video.read("brightness", "mean").min())
    return Finding(least > 1, f"the darkest frame has {least:.0f}", {"least": least})


@stage(
    code_version="3",
    settings=BrightnessSettings,
    inputs=("indoor_clips",),
    output=GroupOutput("brightness"),
    preview=preview,
    checks=(not_black,),
    resources=Resources(gpu_share=0.1),
)
def brightness(workbench, settings, group):
    """Measure how bright every frame is."""
    means = workbench.video.read("frames", "rgb").mean(axis=(1, 2, 3)) * settings.gain
    group.append("mean", means.astype(np.float32))
    return StageResult("mean", {"frames": len(means)})


class EverythingSettings(BaseModel):
    """How an indoor filter without doubts is set up."""

    certainty: float = Field(1.0, description="P(indoor) of every clip")


class Everything:
    name = "everything"
    weights = {}

    def __init__(self, certainty):
        self.certainty = certainty

    def score(self, rgb):
        return IndoorScore(self.certainty)


EVERYTHING = Backend("everything", EverythingSettings, lambda stage, own, scratch: Everything(own.certainty))
'''

POINTS = """[youtube_occ.stages]
brightness = own_package:brightness

[youtube_occ.backends]
indoor_clips.everything = own_package:EVERYTHING
"""

RUN = """
import sys
from pathlib import Path
from pipeline.settings import load_settings
from pipeline.sources.catalog.catalog import Catalog
from pipeline.stages.base import Workbench
from pipeline.stages.page import page_of
from pipeline.stages.registry import stages
from pipeline.stages.run import is_built, run_stage
from pipeline.store.store import Store

store = Store(Path(sys.argv[1]) / "data")
for overrides in ({}, {"brightness": {"gain": 2.0}}, {"indoor_clips": {"backend": "everything"}}):
    settings = load_settings("small", Path(sys.argv[1]) / "settings.yaml", overrides)
    workbench = Workbench(store.video("tour-5"), Catalog(store), settings)
    print("built before:", is_built(workbench.video, settings))
    wanted = ("indoor_clips", "brightness") if "indoor_clips" in overrides else stages()
    reports = [run_stage(name, workbench) for name in wanted]
    print("made:", *(report.provenance.stage for report in reports if not report.reused))
print("page:", "brightness</h2>" in page_of(workbench.video, 20_000))
print("mean:", workbench.video.read("brightness", "mean").shape)
"""

DEFINITIONS = """
import json, assets, dagster as dg
from pipeline.stages.registry import stages
graph = assets.definitions.resolve_asset_graph()
node = graph.get(dg.AssetKey("brightness"))
print(json.dumps({
    "parents": sorted(key.to_user_string() for key in node.parent_keys),
    "version": node.code_version,
    "description": node.description,
    "pools": sorted(node.pools or []),
    "gpu_share": stages()["brightness"].resources_under(stages()["brightness"].settings()).gpu_share,
    "checks": sorted(key.name for key in graph.asset_check_keys),
    "job": sorted(n.name for n in assets.definitions.resolve_job_def("process_video").nodes_in_topological_order),
}))
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an installed package: its code, and the entry points that an installer would write."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "own_package.py").write_text(CODE)
    installed = folder / "own_package-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: own-package\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text(POINTS)
    return folder


def python(package: Path | None, *arguments: str) -> str:
    paths = [str(ROOT), *([str(package)] if package else [])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "COLUMNS": "200"}
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_both_are_among_the_settings(package: Path, tmp_path: Path):
    shown = python(package, "-m", "pipeline", "settings", "--data", str(tmp_path), "--set", "brightness.gain=2")
    assert "brightness.gain" in shown
    assert "what the mean of a frame is multiplied with" in shown
    assert "indoor_clips.everything.certainty" in shown
    assert "brightness.gain" not in python(None, "-m", "pipeline", "settings", "--data", str(tmp_path))


def test_the_runner_runs_the_stage_and_the_backend(package: Path, tmp_path: Path):
    unpack_earlier_dataset(tmp_path)
    lines = python(package, "-c", RUN, str(tmp_path)).splitlines()
    assert lines[:4] == ["built before: False", "made: brightness", "built before: False", "made: brightness"]
    assert lines[4] == "built before: False"
    assert lines[5] == "made: indoor_clips brightness"
    assert lines[-2:] == ["page: True", "mean: (12,)"], "two clips of six frames, the garden among them"


def test_dagster_shows_the_stage_with_its_check_and_what_it_asks_of_the_machine(package: Path):
    shown = json.loads(python(package, "-c", DEFINITIONS))
    assert shown["parents"] == ["indoor_clips"]
    assert (shown["version"], shown["pools"], shown["gpu_share"]) == ("3", [], 0.1)
    assert shown["description"] == "Measure how bright every frame is."
    assert "not_black" in shown["checks"]
    assert "brightness" in shown["job"]


def test_a_stage_that_reads_what_nobody_declares_is_refused(package: Path, tmp_path: Path):
    code = (package / "own_package.py").read_text().replace('inputs=("indoor_clips",)', 'inputs=("smells",)')
    broken = tmp_path / "site"
    broken.mkdir()
    (broken / "own_package.py").write_text(code)
    installed = broken / "own_package-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: own-package\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text(POINTS)
    asked = "from pipeline.stages.registry import stages\ntry: stages()\nexcept Exception as error: print(error)"
    shown = python(broken, "-c", asked)
    assert shown.strip() == "stages read what nobody declares: smells"
