"""What the launcher for Ray clusters does of itself, where no cluster listens; ``deploy/dagster.yaml`` names it."""

import json
import re
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import dagster as dg
import pytest
import yaml
from dagster import reconstructable
from dagster._core.launcher import LaunchRunContext
from dagster._core.launcher.base import WorkerStatus
from dagster._grpc.types import ExecuteRunArgs

from assets.ray_launcher import STARTED_BY_RAY, RayLauncher
from tests.paths import ROOT

NOBODY = "http://127.0.0.1:1"


@dg.job
def nothing() -> None:
    """Do nothing."""


def home_with(folder: Path, address: str) -> str:
    """Write a home with the launcher of ``deploy/dagster.yaml`` and the storage of ``dagster_home``; return it."""
    deployed = (ROOT / "deploy" / "dagster.yaml").read_text(encoding="utf-8")
    lines = re.search(r"^# run_launcher:\n(#   .*\n)+", deployed, re.MULTILINE)
    assert lines is not None
    home = yaml.safe_load((ROOT / "dagster_home" / "dagster.yaml").read_text(encoding="utf-8"))
    home |= yaml.safe_load(re.sub("^# ", "", lines[0], flags=re.MULTILINE))
    home["run_launcher"]["config"]["ray"]["address"] = address
    (folder / "dagster.yaml").write_text(yaml.safe_dump(home), encoding="utf-8")
    return str(folder)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.from_config(home_with(tmp_path, NOBODY)) as instance:
        yield instance


class JobsOfACluster(BaseHTTPRequestHandler):
    """The part of a Ray head that takes jobs, noting what it is to have a shell run."""

    lines: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self._say({"version": "4", "ray_version": "2.60.0", "ray_commit": "", "session_name": ""})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.lines.append(asked["entrypoint"])
        self._say({"job_id": asked["submission_id"], "submission_id": asked["submission_id"]})

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _say(self, content: dict[str, str]) -> None:
        answer = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


def test_what_a_run_is_given_passes_the_shell_that_ray_has_read_it(tmp_path: Path):
    (tmp_path / "a 'folder' of $HOME").mkdir()
    with HTTPServer(("127.0.0.1", 0), JobsOfACluster) as head:
        Thread(target=head.serve_forever, daemon=True).start()
        home = home_with(tmp_path / "a 'folder' of $HOME", f"http://127.0.0.1:{head.server_port}")
        with dg.DagsterInstance.from_config(home) as instance:
            run = instance.create_run_for_job(nothing, job_code_origin=reconstructable(nothing).get_python_origin())
            instance.run_launcher.launch_run(LaunchRunContext(run, workspace=None))
            asked = instance.get_ref()
        head.shutdown()
    (line,) = JobsOfACluster.lines
    words = subprocess.check_output(["bash", "-c", f"printf '%s\\0' {line}"], text=True).split("\0")
    assert words[:3] == ["dagster", "api", "execute_run"]
    given = dg.deserialize_value(words[3], ExecuteRunArgs)
    assert (given.run_id, given.instance_ref) == (run.run_id, asked)


def test_a_run_that_a_command_has_started_is_not_asked_of_ray_and_ends_when_told(instance: dg.DagsterInstance):
    launcher = instance.run_launcher
    assert isinstance(launcher, RayLauncher)
    run = instance.create_run_for_job(nothing, status=dg.DagsterRunStatus.STARTED)
    assert launcher.check_run_worker_health(run).status is WorkerStatus.RUNNING
    assert launcher.terminate(run.run_id)
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    assert found.status is dg.DagsterRunStatus.CANCELING


def test_a_run_that_ray_was_given_is_asked_of_ray(instance: dg.DagsterInstance):
    run = instance.create_run_for_job(nothing, status=dg.DagsterRunStatus.STARTED, tags=STARTED_BY_RAY)
    with pytest.raises(ConnectionError):
        instance.run_launcher.check_run_worker_health(run)
