"""Asset checks: what the pipeline measures about a stored result, shown beside it."""

from collections.abc import Sequence

import dagster as dg

from pipeline.stages.soundness import CHECKS, Finding
from pipeline.store.files import VideoStore


def check_specs(stage: str) -> list[dg.AssetCheckSpec]:
    """Return the checks that come with a stage's asset."""
    return [
        dg.AssetCheckSpec(check.__name__, asset=stage, description=check.__doc__) for check in CHECKS.get(stage, ())
    ]


def check_results(stage: str, video: VideoStore) -> Sequence[dg.AssetCheckResult]:
    """Run a stage's checks on a video."""
    return [_result(check.__name__, stage, check(video)) for check in CHECKS.get(stage, ())]


def _result(name: str, stage: str, finding: Finding) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=name,
        asset_key=stage,
        passed=finding.passed,
        severity=dg.AssetCheckSeverity.WARN,
        description=finding.detail,
        metadata=dict(finding.figures),
    )
