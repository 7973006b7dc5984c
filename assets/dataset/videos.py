"""The assets of a video, one a stage of the pipeline; a partition is one video."""

from collections.abc import Mapping
from typing import Any
from warnings import catch_warnings

import dagster as dg

from assets.metadata import picture_at, stage_metadata
from assets.progress import echo_report
from assets.resources import PARTITIONS
from assets.stopped import terminated_in_one_line
from models.errors import MissingExtra
from pipeline.contract.errors import PipelineError
from pipeline.stages.base import Check, Finding, Workbench
from pipeline.stages.registry import AnyStage, last_stages, latest_inputs, stages
from pipeline.stages.run import run_stage
from pipeline.store.outputs import GroupOutput, SourceOutput, TableOutput
from pipeline.store.video import VideoStore

VIDEOS = dg.DynamicPartitionsDefinition(name=PARTITIONS)
PER_VIDEO = "per_video"
OWNER = "team:youtube-occ"
_KINDS: Mapping[type[Any], str] = {GroupOutput: "zarr", TableOutput: "parquet", SourceOutput: "mp4"}


def video_assets() -> list[dg.AssetsDefinition]:
    """Return one asset a stage, each depending on the stages that it builds on."""
    return [_stage_asset(stage) for stage in stages().values()]


def _stage_asset(stage: AnyStage) -> dg.AssetsDefinition:
    @dg.asset(
        name=stage.name,
        deps=latest_inputs(stage.name),
        partitions_def=VIDEOS,
        group_name=PER_VIDEO,
        description=stage.description,
        code_version=stage.code_version,
        check_specs=[_spec(check, stage) for check in stage.checks],
        kinds={"python", _KINDS.get(type(stage.output), "file")},
        owners=[OWNER],
        tags={"youtube_occ/per": "video"},
    )
    def stage_of_video(workbench: dg.ResourceParam[Workbench]) -> dg.MaterializeResult:
        return _materialize(stage, workbench)

    return stage_of_video


def _materialize(stage: AnyStage, workbench: Workbench) -> dg.MaterializeResult:
    try:
        with terminated_in_one_line():
            report = run_stage(stage.name, workbench)
    except (PipelineError, MissingExtra) as error:
        code = type(error).__name__
        raise dg.Failure(f"{code}: {error}", metadata={"error": code}, allow_retries=False) from error
    video = workbench.video
    echo_report(video.video_id, report)
    return dg.MaterializeResult(
        metadata={**_view(stage, video), "preview": _preview(stage, video), **stage_metadata(report)},
        data_version=dg.DataVersion(report.provenance.fingerprint),
        check_results=[_result(check, stage, check(video)) for check in stage.checks],
    )


def _preview(stage: AnyStage, video: VideoStore) -> dg.MetadataValue:
    """Return the picture of a stage, which lies with the video: in the event log a million would be half a terabyte."""
    from pipeline.stages.page import keep_picture

    try:
        return picture_at(_address(video, keep_picture(video, stage.name, stage.preview(video))))
    except PipelineError as error:  # the results are there; only the look at them is not
        return dg.MetadataValue.text(f"{error.code}: {error}")


def _view(stage: AnyStage, video: VideoStore) -> Mapping[str, dg.MetadataValue]:
    """Return where the page lies that shows the fullest clip in 3D, once all that it shows is made.

    The link is for 'make ui', which hands out such pages; the path is for everybody.
    """
    if stage.name not in last_stages():
        return {}
    from pipeline.pictures.viewer.kept import VIEW, keep_view

    try:
        path = keep_view(video)
    except PipelineError as error:  # the results are there; only the look at them is not
        return {"view": dg.MetadataValue.text(f"{error.code}: {error}")}
    return {"view": dg.MetadataValue.url(_address(video, VIEW)), "view_file": dg.MetadataValue.path(path)}


def _address(video: VideoStore, name: str) -> str:
    """Return where 'make ui' hands out a page or picture of a video."""
    return "/".join(("/shown", *video.folder, name))


def _spec(check: Check, stage: AnyStage) -> dg.AssetCheckSpec:
    with catch_warnings(category=dg.PreviewWarning, action="ignore"):
        return dg.AssetCheckSpec(_name(check), asset=stage.name, description=check.__doc__, partitions_def=VIDEOS)


def _result(check: Check, stage: AnyStage, finding: Finding) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=_name(check),
        asset_key=stage.name,
        passed=finding.passed,
        severity=dg.AssetCheckSeverity.WARN,
        description=finding.detail,
        metadata=dict(finding.figures),
    )


def _name(check: Check) -> str:
    return str(getattr(check, "__name__", check))
