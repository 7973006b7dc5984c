"""The jobs, and what starts them without being asked."""

from itertools import islice

import dagster as dg

from assets.dataset.catalog import video_catalog
from assets.dataset.dataset import dataset
from assets.dataset.videos import PARTITIONS, PER_VIDEO, VIDEOS
from assets.resources import PipelineResource
from pipeline.settings import Settings
from pipeline.sources.catalog.catalog import Catalog
from pipeline.stages.failures import last_failure
from pipeline.stages.run import final_fingerprint
from pipeline.store.video import VideoStore

process_video = dg.define_asset_job(
    "process_video",
    selection=dg.AssetSelection.groups(PER_VIDEO),
    description="All stages of one video, in one process: a network loaded once serves every clip.",
)

build_dataset = dg.define_asset_job(
    "build_dataset",
    selection=["video_catalog", "video_builds", "dataset", "quality_report"],
    description="Everything that is missing, from the list of sources to the quality report.",
)

poll_sources = dg.define_asset_job(
    "poll_sources", selection=[video_catalog], description="Look at the sources again and register what is new."
)

poll_schedule = dg.ScheduleDefinition(
    name="poll_sources",
    job=poll_sources,
    cron_schedule=PipelineResource.from_environment().settings().dataset.poll_cron,
)


@dg.sensor(job=process_video, minimum_interval_seconds=30)
def new_videos(context: dg.SensorEvaluationContext, pipeline: PipelineResource) -> dg.SensorResult:
    """Make new rows of the catalog partitions, and request runs for some of what is missing and due."""
    store, settings = pipeline.store(), pipeline.settings()
    known = set(context.instance.get_dynamic_partitions(PARTITIONS))
    fresh = [video_id for video_id in Catalog(store).video_ids() if video_id not in known]
    missing = islice(pipeline.missing(), settings.dataset.requests_per_tick)
    return dg.SensorResult(
        run_requests=[_request(store.video(video_id), settings) for video_id in missing],
        dynamic_partitions_requests=[VIDEOS.build_add_request(fresh)] if fresh else [],
    )


refresh_dataset = dg.AutomationConditionSensorDefinition(
    "refresh_dataset", target=[dataset], default_status=dg.DefaultSensorStatus.RUNNING, minimum_interval_seconds=30
)


def _request(video: VideoStore, settings: Settings) -> dg.RunRequest:
    failure, wanted = last_failure(video), final_fingerprint(video.video_id, settings)
    tries = failure.tries if failure else 0
    return dg.RunRequest(run_key=f"{video.video_id}:{wanted}:{tries}", partition_key=video.video_id)
