"""What the launcher for Ray clusters does of itself, where no cluster listens; ``deploy/dagster.yaml`` names it."""

import re
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.launcher.base import WorkerStatus

from assets.ray_launcher import STARTED_BY_RAY, RayLauncher
from tests.paths import ROOT

NOBODY = "http://127.0.0.1:1"


@dg.job
def nothing() -> None:
    """Do nothing."""


@pytest.fixture
def instance(tmp_path: Path):
    deployed = (ROOT / "deploy" / "dagster.yaml").read_text(encoding="utf-8")
    lines = re.search(r"^# run_launcher:\n(#   .*\n)+", deployed, re.MULTILINE)
    assert lines is not None
    home = yaml.safe_load(re.sub("^# ", "", lines[0], flags=re.MULTILINE))
    home["run_launcher"]["config"]["ray"]["address"] = NOBODY
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(home | {"telemetry": {"enabled": False}}), encoding="utf-8")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        yield instance


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
