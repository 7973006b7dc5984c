"""A package that only an extra brings is missing: whoever needs it is told the name of the extra."""

import subprocess
import sys
import tomllib
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
    "query": "import numpy; from pipeline.language.index import nearest_codes; codes = numpy.ones((2, 4), 'i1'); "
    "nearest_codes(codes, codes[0], 1)",
    "xfeat": "from models.xfeat import XFeat; XFeat(100)",
    "s3": "from pipeline import Dataset; Dataset('s3://bucket/data')",
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
