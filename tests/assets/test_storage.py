"""Processes that open Dagster's home at the same moment, which is empty until then."""

import json
import subprocess
import sys
from pathlib import Path

from tests.assets.workplace import Workplace
from tests.paths import ROOT

PROCESSES = 4
WRITES = """
import sys, dagster as dg
sys.stdin.readline()
with dg.DagsterInstance.get() as instance:
    instance.add_dynamic_partitions("videos", [sys.argv[1]])
    run = instance.create_run_for_job(dg.job(name="nothing")(lambda: None), tags={"by": sys.argv[1]})
    instance.report_engine_event("here", run)
"""


def _at_once(place: Workplace, videos: list[str]) -> list[str]:
    """Have one process a video write of it; once all are up, let them go; return the errors of those that failed."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", WRITES, video],
            cwd=ROOT,
            env=place.environment,
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for video in videos
    ]
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    errors = [process.communicate()[1] for process in started]
    return [error for error, process in zip(errors, started, strict=True) if process.returncode]


def test_processes_that_find_no_database_make_one(tmp_path: Path):
    for attempt in range(2):
        place = Workplace(tmp_path / str(attempt), "tour://3")
        assert _at_once(place, [f"video-{number}" for number in range(PROCESSES)]) == []
        with place.instance as instance:
            assert len(instance.get_dynamic_partitions("videos")) == PROCESSES
            runs = instance.get_runs()
            assert len(runs) == PROCESSES
            assert all(instance.all_logs(run.run_id) for run in runs)


def test_the_databases_lie_where_the_configuration_says(tmp_path: Path):
    place = Workplace(tmp_path / "place", "tour://3")
    storage = {
        "custom": {"module": "assets.storage", "class": "Storage", "config": {"base_dir": str(tmp_path / "else")}}
    }
    (place.folder / "home" / "dagster.yaml").write_text(json.dumps({"storage": storage}))
    with place.instance as instance:
        assert instance.get_runs() == []
    assert (tmp_path / "else" / "history" / "runs.db").exists()
    assert not (place.folder / "home" / "history").exists()
