"""A package that only an extra brings is missing: whoever needs it is told the name of the extra."""

import subprocess
import sys
import tomllib
from importlib.metadata import distributions
from pathlib import Path

import pytest

from models.errors import MissingExtra
from models.extras import extra
from tests.fresh import EXTRAS, without_packages

PROJECT = Path(__file__).parents[1]
NEEDS = {
    "web": "from pipeline.cli.app import main; main()",
    "train": "from pipeline.cli.app import main; main()",
    "segmenters": "from pathlib import Path; from models.closed_set import ClosedSetSegmenter as S; S.load(Path('.'))",
    "query": "import numpy; from pipeline.language.nearest import nearest_codes; codes = numpy.ones((2, 4), 'i1'); "
    "nearest_codes([codes], codes[0], 1)",
    "rerun": "from pathlib import Path; from pipeline.pictures.viewer.recording import write_recording as write; "
    "write(None, Path('a.rrd'))",
    "xfeat": "from models.xfeat import XFeat; XFeat(100)",
    "s3": "from pipeline import Dataset; Dataset('s3://bucket/data')",
    "cluster": "import assets.postgres",
}
"""What needs an extra, as code."""

ARGUMENTS = {
    "web": ["process", "https://example.com/tour.mp4", "--data", "data"],
    "train": ["train", "finetune", "--path", "data", "--out", "network"],
}


@pytest.mark.parametrize("name", NEEDS)
def test_a_missing_extra_says_its_own_name(name: str, tmp_path: Path) -> None:
    environment = without_packages(EXTRAS[name], tmp_path / "site")
    command = [sys.executable, "-c", NEEDS[name], *ARGUMENTS.get(name, [])]
    ended = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    told = " ".join((ended.stdout + ended.stderr).split())
    assert ended.returncode != 0
    assert f"youtube-occ[{name}]" in told.replace("' ", "'"), told
    assert "MissingExtra" in told


def test_every_extra_but_those_of_developers_is_tried() -> None:
    declared = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(declared) - {"all", "docs", "dev"} == set(EXTRAS)


def test_other_errors_pass_unchanged() -> None:
    with pytest.raises(ZeroDivisionError), extra("web", "dividing"):
        raise ZeroDivisionError
    with (
        pytest.raises(MissingExtra, match=r"listing needs the extra 'web' .*pip install 'youtube-occ\[web\]'"),
        extra("web", "listing"),
    ):
        raise ModuleNotFoundError("No module named 'yt_dlp'")


def test_every_pinned_version_runs_on_the_oldest_python_that_is_promised():
    """Otherwise the installer of such a Python looks for another set of versions, for hours and in vain."""
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet

    promised = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
    oldest = f"{next(iter(SpecifierSet(promised))).version}.0"
    pinned = {Requirement(line).name.lower() for line in (PROJECT / "constraints.txt").read_text("utf-8").splitlines()}
    found = {each.name.lower(): each.metadata.get("Requires-Python") or "" for each in distributions()}
    assert len(pinned & found.keys()) > 100
    assert [name for name in sorted(pinned & found.keys()) if not SpecifierSet(found[name]).contains(oldest)] == []
