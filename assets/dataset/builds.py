"""Builds every missing video, each in a process of its own, so that no crash of one video reaches the others."""

from collections.abc import Iterator

import dagster as dg
from typer import echo

from assets.dataset.free_first import spread
from assets.dataset.video_builder import VideoBuild, VideoBuilder
from assets.metadata import table
from assets.progress import events_of
from assets.resources import PipelineResource
from assets.stopped import terminated_in_one_line
from pipeline.contract.errors import PipelineError
from pipeline.contract.progress import Lines
from pipeline.doctor.examine import check_ready
from pipeline.settings import Settings
from pipeline.stages.needed_weights import fetch_weights

NOTHING = "no video to build; 'youtube-occ status' shows what is there, 'youtube-occ score' how good it is"


@dg.op(out=dg.DynamicOut(str), ins={"catalog": dg.In(dg.Nothing)})
def missing_videos(builder: dg.ResourceParam[VideoBuilder]) -> Iterator[dg.DynamicOutput[str]]:
    """Start the build of every video that is missing and worth trying; emit their ids."""
    missing = list(builder.pipeline.missing())
    if not builder.pipeline.store().is_local():
        missing = spread(missing)
    echo(f"{len(missing)} videos to build, profile {builder.settings.profile}" if missing else NOTHING)
    if missing:
        _prepare(builder.pipeline, builder.settings, missing)
    for position, video_id in enumerate(missing):
        builder.start(video_id)
        yield dg.DynamicOutput(video_id, mapping_key=f"{position}_{video_id.replace('-', '_')}")


def _prepare(pipeline: PipelineResource, settings: Settings, video_ids: list[str]) -> None:
    """Refuse what would fail every video; fetch the weights that all need, in this process, before another asks."""
    origins = [row.source.origin for row in pipeline.catalog().rows(video_ids).values()]
    try:
        check_ready(pipeline.store(), settings, origins, with_dagster=True)
        fetch_weights(settings, settings.dataset.weight_mirrors, Lines("weights"))
    except PipelineError as error:
        raise dg.Failure(f"{error.code}: {error}", allow_retries=False) from error


@dg.op
def build_video(context: dg.OpExecutionContext, builder: dg.ResourceParam[VideoBuilder], video_id: str) -> VideoBuild:
    """Wait until one video is built or has failed; say meanwhile how many are."""
    with terminated_in_one_line():
        return builder.wait(video_id, events_of(context.instance, context.run))


@dg.op
def list_builds(context: dg.OpExecutionContext, builds: list[VideoBuild]) -> None:
    """Say how every build ended."""
    context.add_output_metadata(
        {
            "built": sum(build.built for build in builds),
            "builds": table({"video": b.video_id, "built": b.built, "detail": b.detail} for b in builds),
        }
    )


@dg.graph_asset(ins={"catalog": dg.AssetIn("video_catalog", dagster_type=dg.Nothing)}, group_name="dataset")
def video_builds(catalog: None) -> None:
    """One run of ``process_video`` for every missing video."""
    return list_builds(missing_videos(catalog).map(build_video).collect())
