"""The jobs, and what starts them without being asked."""

import dagster as dg

from assets.catalog import video_catalog
from assets.dataset import dataset
from assets.resources import PipelineResource
from assets.videos import PER_VIDEO, VIDEOS
from pipeline.catalog import registered
from pipeline.failures import last_failure
from pipeline.process import final_fingerprint
from pipeline.settings import Settings
from pipeline.store import VideoStore

MOST_REQUESTS = 20
"""Runs requested at a time, so that the queue stays short enough to look at."""

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

every_hour = dg.ScheduleDefinition(name="every_hour", job=poll_sources, cron_schedule="0 * * * *")


@dg.sensor(job=process_video, minimum_interval_seconds=30)
def new_videos(pipeline: PipelineResource) -> dg.SensorResult:
    """Make every registered video a partition and request runs for those that are missing."""
    store, settings = pipeline.store(), pipeline.settings()
    missing = pipeline.missing()[:MOST_REQUESTS]
    return dg.SensorResult(
        run_requests=[_request(store.video(video_id), settings) for video_id in missing],
        dynamic_partitions_requests=[VIDEOS.build_add_request(registered(store))],
    )


refresh_dataset = dg.AutomationConditionSensorDefinition(
    "refresh_dataset", target=[dataset], default_status=dg.DefaultSensorStatus.RUNNING, minimum_interval_seconds=30
)


def _request(video: VideoStore, settings: Settings) -> dg.RunRequest:
    failure, wanted = last_failure(video), final_fingerprint(video.video_id, settings)
    tries = failure.tries if failure else 0
    return dg.RunRequest(run_key=f"{video.video_id}:{wanted}:{tries}", partition_key=video.video_id)
