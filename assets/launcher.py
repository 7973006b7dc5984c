"""Starts and terminates runs for Dagster's pages, those too that a command or the build of a dataset has started."""

from typing import Any

from dagster import DagsterInstance
from dagster._core.launcher.default_run_launcher import DefaultRunLauncher
from dagster._core.storage.tags import GRPC_INFO_TAG


class RunLauncher(DefaultRunLauncher):
    """Dagster's own, which cannot tell a run of a command to end; that one looks itself whether it is to."""

    def terminate(self, run_id: str) -> Any:
        """Ask a run to end; return whether it will."""
        instance: DagsterInstance = self._instance
        run = instance.get_run_by_id(run_id)
        if run is None or run.is_finished or GRPC_INFO_TAG in run.tags:
            return super().terminate(run_id)  # type: ignore[no-untyped-call]
        instance.report_run_canceling(run)
        return True
