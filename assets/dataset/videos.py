"""The seven assets of a video, one a stage of the pipeline; a partition is one video."""

import inspect

import dagster as dg

from assets.dataset.checks import check_results, check_specs
from assets.metadata import PREVIEW_BYTES, stage_metadata
from assets.progress import echo_report
from pipeline.contract.errors import PipelineError
from pipeline.stages.bodies import Workbench
from pipeline.stages.previews import preview
from pipeline.stages.run import STAGES, Stage, run_stage

PARTITIONS = "videos"
VIDEOS = dg.DynamicPartitionsDefinition(name=PARTITIONS)
PER_VIDEO = "per_video"
NETWORK_STAGES = frozenset({"indoor_clips", "reconstruction", "semantics"})
"""Stages that may run a network: they share the pool ``gpu``."""


def video_assets() -> list[dg.AssetsDefinition]:
    """Return one asset a stage, each depending on the stage before it."""
    names = list(STAGES)
    return [_stage_asset(STAGES[name], names[:position][-1:]) for position, name in enumerate(names)]


def _stage_asset(stage: Stage, upstream: list[str]) -> dg.AssetsDefinition:
    @dg.asset(
        name=stage.name,
        deps=upstream,
        partitions_def=VIDEOS,
        group_name=PER_VIDEO,
        description=inspect.getdoc(stage.run),
        code_version=stage.code_version,
        pool="gpu" if stage.name in NETWORK_STAGES else None,
        check_specs=check_specs(stage.name),
    )
    def stage_of_video(bench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult:
        return _materialize(stage.name, bench)

    return stage_of_video


def _materialize(name: str, bench: Workbench) -> dg.MaterializeResult:
    try:
        report = run_stage(name, bench)
    except PipelineError as error:
        raise dg.Failure(f"{error.code}: {error}", metadata={"error": error.code}, allow_retries=False) from error
    echo_report(bench.video.video_id, report)
    return dg.MaterializeResult(
        metadata=stage_metadata(report, preview(bench.video, name, PREVIEW_BYTES)),
        data_version=dg.DataVersion(report.provenance.fingerprint),
        check_results=check_results(name, bench.video),
    )
