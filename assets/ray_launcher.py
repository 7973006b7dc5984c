"""Starts runs of Dagster's pages and daemon on the machines of a Ray cluster, a Ray job each."""

import shlex
from typing import Any

from dagster import DagsterRun
from dagster._check import not_none
from dagster._core.launcher import LaunchRunContext
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster._grpc.types import ExecuteRunArgs

from models.extras import extra

with extra("cluster", "starting runs on a Ray cluster"):
    from dagster_ray import RayRunLauncher
    from dagster_ray.core.run_launcher import get_job_submission_id_from_run_id

STARTED_BY_TAG = "youtube_occ/started_by"
STARTED_BY_RAY = {STARTED_BY_TAG: "ray"}


class RayLauncher(RayRunLauncher):
    """Dagster-ray's, which takes runs that commands have started for dead, as Ray knows nothing of them.

    It also puts what a run is given between apostrophes, of which the description of our storage has some itself.
    """

    def launch_run(self, context: LaunchRunContext) -> None:
        """Start a run as a Ray job, which is a line that a shell reads."""
        run = context.dagster_run
        self._instance.add_run_tags(run.run_id, STARTED_BY_RAY)
        given = ExecuteRunArgs(
            job_origin=not_none(run.job_code_origin),
            run_id=run.run_id,
            instance_ref=self._instance.get_ref(),
            set_exit_code_on_failure=True,
        )
        line = shlex.join(given.get_command_args())
        self._launch_ray_job(get_job_submission_id_from_run_id(run.run_id), line, run)

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Ask Ray whether a run is worked on; of others the sensor ``dead_runs`` of their machine knows."""
        if STARTED_BY_TAG not in run.tags:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return super().check_run_worker_health(run)

    def terminate(self, run_id: str) -> Any:
        """Ask a run to end; return whether it will."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished or STARTED_BY_TAG in run.tags:
            return super().terminate(run_id)
        self._instance.report_run_canceling(run)
        return True
