"""A short campaign: every kind of fault, on every kind of process, and nothing lost or wrong."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

from tests.paths import ROOT
from tests.torture.faults import drawn

ROUNDS = 10


def run(folder: Path, seed: int, rounds: int, *options: str, **environment: str) -> tuple[int, dict, str]:
    command = [sys.executable, "-m", "tests.torture", "--rounds", str(rounds), "--seed", str(seed)]
    command += ["--out", str(folder / "report.json"), "--keep", str(folder / "work"), *options]
    ended = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    return ended.returncode, json.loads((folder / "report.json").read_text()), ended.stdout + ended.stderr


def test_nothing_is_lost_and_nothing_is_wrong_whatever_happens_to_the_processes(tmp_path: Path):
    code, report, shown = run(tmp_path, 4, ROUNDS)
    assert (code, report["violations"]) == (0, []), shown
    assert report["rounds"] == ROUNDS
    assert report["settled"] == 2
    assert report["compared"] > 100
    assert len(report["faults"]) >= 3, "ten rounds make faults of several kinds; which ones depends on what is quick"


def test_a_program_that_does_not_sync_what_counts_is_found_out(tmp_path: Path):
    site = tmp_path / "careless"
    site.mkdir()
    (site / "sitecustomize.py").write_text("import os\n\nos.fsync = lambda handle: None\n")
    code, report, _ = run(tmp_path, 1, 6, "--only", "power", PYTHONPATH=str(site))
    assert code == 1
    assert any("damaged" in sentence or "does not read" in sentence for sentence in report["violations"])


def test_the_same_seed_draws_the_same_faults_and_another_one_others():
    one, other, third = ([str(drawn(draw, 2.0)) for _ in range(9)] for draw in map(random.Random, (1, 1, 2)))
    assert one == other != third
