import shutil
import tomllib
from pathlib import Path

import pytest

from tests.earlier import VIDEO, unpack_earlier_dataset
from tests.examples.scripts import EXAMPLES, run_python

RUN = f"""
from pathlib import Path
from pipeline.settings import load_settings
from pipeline.sources.catalog.catalog import Catalog
from pipeline.stages.base import Workbench
from pipeline.stages.run import run_stage
from pipeline.store.store import Store

store = Store("data")
settings = load_settings("small", Path("settings.yaml"), {{"indoor_clips": {{"backend": "no_sky"}}}})
made = run_stage("indoor_clips", Workbench(store.video("{VIDEO}"), Catalog(store), settings)).provenance
print(made.backend, made.counts["clips"], *(f"{{item.clip_id}} {{item.code}}" for item in made.left_out))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package as an installer leaves it: module, and entry points as ``pyproject.toml`` says."""
    folder, source = tmp_path_factory.mktemp("site"), EXAMPLES / "own_backend"
    project = tomllib.loads((source / "pyproject.toml").read_text())
    for module in project["tool"]["setuptools"]["py-modules"]:
        shutil.copy(source / f"{module}.py", folder)
    about = folder / "no_sky-1.0.dist-info"
    about.mkdir()
    named = project["project"]
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {named['name']}\nVersion: {named['version']}\n")
    points = named["entry-points"]
    text = "".join(f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in points[group].items()) for group in points)
    (about / "entry_points.txt").write_text(text)
    return folder


def test_its_settings_are_among_all_others(installed: Path, tmp_path: Path):
    shown = run_python(tmp_path, "-m", "pipeline", "settings", "--data", str(tmp_path), packages=installed)
    assert "indoor_clips.no_sky.sky_max" in shown
    assert "indoor_clips.no_sky.sky_max" not in run_python(tmp_path, "-m", "pipeline", "settings", "--data", "data")


def test_it_keeps_the_room_and_leaves_out_the_garden(installed: Path, tmp_path: Path):
    unpack_earlier_dataset(tmp_path)
    printed = run_python(tmp_path, "-c", RUN, packages=installed)
    assert printed.split() == ["no_sky", "1.0", "0", "NotIndoor"], "clip 0 of this tour was filmed outside"
