import json
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.examples.conftest import Built
from tests.examples.scripts import run_script

TRIAL = (
    *("--tours", "1", "--short", "--profile", "small"),
    *("--teacher", "san", "--weights", "san_small", "--preset", "tiny", "--steps", "4"),
)


class Trial(NamedTuple):
    """Where the script worked, what it printed, and the summary of the dataset that was there before."""

    folder: Path
    printed: str
    summary_before: bytes


@pytest.fixture(scope="module")
def trial(one_video: Built) -> Trial:
    folder, before = one_video.data.parent, (one_video.data / "dataset" / "summary.json").read_bytes()
    return Trial(folder, run_script(folder, "youtube_occ.py", *TRIAL, "--folder", str(folder)), before)


def test_a_video_that_is_built_is_not_built_again(trial: Trial):
    assert re.search(r"^tour-1: \d+ frames$", trial.printed, re.MULTILINE)
    assert (trial.folder / "data" / "dataset" / "summary.json").read_bytes() == trial.summary_before


def test_a_network_is_distilled_and_fine_tuned_from_there(trial: Trial):
    made = {name: described(trial.folder / name) for name in ("pretrained", "finetuned")}
    assert {name: found["task"] for name, found in made.items()} == {
        "pretrained": "distilled",
        "finetuned": "supervised",
    }
    assert all(found["steps"] == 4 for found in made.values())
    assert made["finetuned"]["settings"]["start"]["settings"] == made["pretrained"]["settings"]


def test_it_is_scored_on_a_tour_that_it_has_not_seen(trial: Trial):
    assert (trial.folder / "evaluation" / "videos" / "tour-1000001").is_dir()
    rows = dict(re.findall(r"^\| ([a-z -]+) \| all \| ([\d.]+) ", trial.printed, re.MULTILINE))
    assert set(rows) == {"fine-tuned", "all in view occupied", "surface from depth"}
    assert 0 < float(rows["fine-tuned"]) < float(rows["surface from depth"]), "four steps teach nothing"


def described(folder: Path) -> dict:
    return json.loads((folder / "network.json").read_text())
