"""The jobs, and what starts them without being asked."""

import logging
import re
from itertools import islice

import dagster as dg

from assets.dataset.blocks import BLOCKS, BLOCKS_NAME, blocks_of, blocks_with, video_block
from assets.dataset.catalog import video_catalog
from assets.dataset.dataset import dataset
from assets.dataset.videos import PER_VIDEO, VIDEOS
from assets.resources import PARTITION_TAG, PARTITIONS, PipelineResource
from pipeline.contract.errors import SettingsError
from pipeline.settings import DatasetSettings
from pipeline.stages.needed_weights import missing_weights

SENSOR_TAG = "dagster/sensor_name"
RUN_KEY_TAG = "dagster/run_key"
DEFAULT_CRON: str = DatasetSettings().poll_cron
_log = logging.getLogger(__name__)
RUN_TAGS = {".dagster/repository": "__repository__@assets"}
"""What Dagster tags runs with that its daemon starts; those of ``dagster job execute`` are on the pages of jobs by it.

That is where this code is loaded as the location ``assets``, as 'make ui' and 'dagster dev' do.
"""

NOT_OVER = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]

process_video = dg.define_asset_job(
    "process_video",
    selection=dg.AssetSelection.groups(PER_VIDEO),
    description="All stages of one video, in one process: a network loaded once serves every clip.",
    run_tags=RUN_TAGS,
)

build_block = dg.define_asset_job(
    "build_block",
    selection=[video_block],
    description="The missing videos of one block, in one run: for catalogs of more than dataset.partitions_max videos.",
    run_tags=RUN_TAGS,
)

build_dataset = dg.define_asset_job(
    "build_dataset",
    selection=["video_catalog", "video_builds", "dataset", "quality_report"],
    description="Everything that is missing, from the list of sources to the quality report.",
    run_tags=RUN_TAGS,
)

poll_sources = dg.define_asset_job(
    "poll_sources", selection=[video_catalog], description="Look at the sources again and register what is new."
)


def _poll_cron() -> str:
    """Return when the sources are polled; the default where that cannot be read, which the schedule's ticks say."""
    try:
        return _checked_cron(PipelineResource.from_environment())
    except Exception as error:  # noqa: BLE001 - whatever is wrong with settings or store, everything else is there
        _log.warning("dataset.poll_cron cannot be read, so that sources are polled hourly: %s", error)
        return DEFAULT_CRON


def _checked_cron(pipeline: PipelineResource) -> str:
    cron = pipeline.schedule()
    try:
        dg.ScheduleDefinition(name="checked", job_name="poll_sources", cron_schedule=cron)
    except dg.DagsterInvalidDefinitionError as error:
        message = f"dataset.poll_cron: {cron!r} is no schedule as cron writes it, such as {DEFAULT_CRON!r}"
        raise SettingsError(message) from error
    return cron


@dg.schedule(name="poll_sources", job=poll_sources, cron_schedule=_poll_cron())
def poll_schedule() -> dg.RunRequest | dg.SkipReason:
    """Look at the sources again; says what is wrong with the settings, and whether they give another time by now."""
    cron = _checked_cron(PipelineResource.from_environment())
    if cron != poll_schedule.cron_schedule:
        return dg.SkipReason(f"dataset.poll_cron is {cron!r} now: reload the code location, so that it holds")
    return dg.RunRequest()


@dg.sensor(jobs=[process_video, build_block], minimum_interval_seconds=30)
def new_videos(context: dg.SensorEvaluationContext, pipeline: PipelineResource) -> dg.SensorResult:
    """Make new rows of the catalog partitions, and request runs for some of what is missing, due and not underway."""
    return _blocks(context.instance, pipeline) if pipeline.is_in_blocks() else _videos(context.instance, pipeline)


def _videos(instance: dg.DagsterInstance, pipeline: PipelineResource) -> dg.SensorResult:
    known = set(instance.get_dynamic_partitions(PARTITIONS))
    fresh = [video_id for video_id in pipeline.catalog().video_ids() if video_id not in known]
    underway = _underway(instance)
    # While weights are missing, one run fetches them, or finds that nobody has them.
    most = 1 if missing_weights(pipeline.settings()) else pipeline.settings().dataset.requests_per_tick
    room = max(0, most - len(underway))
    missing = islice((video_id for video_id in pipeline.missing() if video_id not in underway), room)
    return dg.SensorResult(
        run_requests=[_request(instance, process_video.name, video_id) for video_id in missing],
        dynamic_partitions_requests=[VIDEOS.build_add_request(fresh)] if fresh else [],
    )


def _blocks(instance: dg.DagsterInstance, pipeline: PipelineResource) -> dg.SensorResult:
    """Request the run of a block that lacks videos, one at a time: it keeps as many of them at work as there may be."""
    catalog, size = pipeline.catalog(), pipeline.settings().dataset.block
    known = set(instance.get_dynamic_partitions(BLOCKS_NAME))
    fresh = [block for block in blocks_of(len(catalog), size) if block not in known]
    wanted = [] if known & _underway(instance) else blocks_with(islice(pipeline.missing(), size), catalog, size)[:1]
    return dg.SensorResult(
        run_requests=[_request(instance, build_block.name, block) for block in wanted],
        dynamic_partitions_requests=[BLOCKS.build_add_request(fresh)] if fresh else [],
    )


refresh_dataset = dg.AutomationConditionSensorDefinition(
    "refresh_dataset", target=[dataset], default_status=dg.DefaultSensorStatus.RUNNING, minimum_interval_seconds=30
)


def _underway(instance: dg.DagsterInstance) -> set[str]:
    """Return the partitions, videos or blocks, of runs that are not over."""
    runs = instance.get_runs(dg.RunsFilter(statuses=NOT_OVER))
    return {run.tags[PARTITION_TAG] for run in runs if PARTITION_TAG in run.tags}


def _request(instance: dg.DagsterInstance, job: str, partition: str) -> dg.RunRequest:
    """Return a request whose key counts those before: Dagster starts no second run with a key, however one ended."""
    tags = {PARTITION_TAG: partition, SENSOR_TAG: new_videos.name}
    newest = [run.tags.get(RUN_KEY_TAG, "") for run in instance.get_runs(dg.RunsFilter(tags=tags), limit=1)]
    counted = [re.fullmatch(rf"{partition} request ([0-9]+)", key) for key in newest]
    number = 1 + sum(int(found[1]) for found in counted if found)
    return dg.RunRequest(run_key=f"{partition} request {number}", partition_key=partition, job_name=job)
