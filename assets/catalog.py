"""The list of videos: what the sources name becomes partitions."""

import dagster as dg

from assets.metadata import table
from assets.resources import PipelineResource
from assets.videos import VIDEOS
from pipeline.catalog import register, registered
from pipeline.errors import PipelineError


@dg.asset(group_name="dataset")
def video_catalog(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> dg.MaterializeResult:
    """Register every video that the sources list, as a row of ``catalog.parquet`` and as a partition."""
    try:
        store = pipeline.store()
        listed = register(store, pipeline.listed())
    except PipelineError as error:
        raise dg.Failure(f"{error.code}: {error}", allow_retries=False) from error
    video_ids = registered(store)
    context.instance.add_dynamic_partitions(VIDEOS.name, video_ids)
    return dg.MaterializeResult(
        metadata={"videos": len(video_ids), "listed": table({"video": video_id} for video_id in listed)}
    )
