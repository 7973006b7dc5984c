"""Builds every missing video by workers that stay, so that no crash of one video reaches the others."""

from collections.abc import Iterable, Sequence

import dagster as dg
from typer import echo

from assets.dataset.free_first import spread
from assets.dataset.video_builder import VideoBuilder
from assets.metadata import table
from assets.pools.base import VideoBuild
from assets.progress import events_of
from assets.resources import PipelineResource
from assets.stopped import terminated_in_one_line
from models.errors import MissingExtra
from pipeline.contract.errors import PipelineError
from pipeline.contract.progress import Lines, Progress
from pipeline.doctor.examine import check_ready
from pipeline.settings import Settings
from pipeline.stages.needed_weights import fetch_weights

NOTHING = "no video to build; 'youtube-occ status' shows what is there, 'youtube-occ score' how good it is"
MOST_SHOWN = 200
"""Videos that the table of a run names, those first that were left out."""


@dg.asset(deps=["video_catalog"], group_name="dataset")
def video_builds(context: dg.AssetExecutionContext, builder: dg.ResourceParam[VideoBuilder]) -> dg.MaterializeResult:
    """One run of ``process_video`` for every missing video that is worth trying, and how each ended."""
    return built(context, builder, prepared(builder, builder.pipeline.missing()))


def prepared(builder: VideoBuilder, video_ids: Iterable[str]) -> list[str]:
    """Return the videos that are to be built, once nothing stands in the way of all of them; say how many they are.

    Raises:
        Failure: something does.
    """
    missing = list(video_ids)
    if not builder.pipeline.store().is_local():
        missing = spread(missing)
    echo(f"{len(missing)} videos to build, profile {builder.settings.profile}" if missing else NOTHING)
    if missing:
        _prepare(builder.pipeline, builder.settings, missing)
    return missing


def built(context: dg.AssetExecutionContext, builder: VideoBuilder, missing: Sequence[str]) -> dg.MaterializeResult:
    """Build videos; return how many were built, and how each ended, as far as a table of a run holds them."""
    builds = _built(builder, missing, events_of(context.instance, context.run))
    builds.sort(key=lambda build: build.built)
    return dg.MaterializeResult(
        metadata={
            "built": sum(build.built for build in builds),
            "left_out": sum(not build.built for build in builds),
            "builds": table({"video": b.video_id, "built": b.built, "detail": b.detail} for b in builds[:MOST_SHOWN]),
        }
    )


def _built(builder: VideoBuilder, video_ids: Sequence[str], progress: Progress) -> list[VideoBuild]:
    """Build videos; return how each ended, in their order."""
    with terminated_in_one_line():
        try:
            ended = {build.video_id: build for build in builder.build(video_ids, progress)}
        except (PipelineError, MissingExtra) as error:
            raise dg.Failure(f"{type(error).__name__}: {error}", allow_retries=False) from error
    return [ended[video_id] for video_id in video_ids]


def _prepare(pipeline: PipelineResource, settings: Settings, video_ids: list[str]) -> None:
    """Refuse what would fail every video; fetch the weights that all need, in this process, before another asks."""
    origins = [row.source.origin for row in pipeline.catalog().rows(video_ids).values()]
    try:
        check_ready(pipeline.store(), settings, origins, with_dagster=True)
        fetch_weights(settings, settings.dataset.weight_mirrors, Lines("weights"))
    except PipelineError as error:
        raise dg.Failure(f"{error.code}: {error}", allow_retries=False) from error
