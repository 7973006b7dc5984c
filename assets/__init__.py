"""The Dagster layer: which assets, jobs, schedules and sensors there are. All work is done by ``pipeline``."""

import dagster as dg

from assets.alerts import refusing_hosts
from assets.builds import video_builds
from assets.catalog import video_catalog
from assets.dataset import dataset, quality_report
from assets.jobs import build_dataset, new_videos, poll_schedule, poll_sources, process_video, refresh_dataset
from assets.language import language_network
from assets.resources import LockedVideo, PipelineResource
from assets.retrieval import retrieval, retrieval_report
from assets.training import (
    distillation_study,
    finetuned_network,
    label_efficiency_report,
    pretrained_network,
    teacher_features,
    zero_shot_report,
)
from assets.training_jobs import evaluate, finetune, language, pretrain, study
from assets.training_resource import TrainingResource
from assets.video_builder import VideoBuilderResource
from assets.videos import video_assets

_pipeline = PipelineResource.configure_at_launch()
_training = (
    teacher_features,
    pretrained_network,
    finetuned_network,
    zero_shot_report,
    label_efficiency_report,
    distillation_study,
    language_network,
)

definitions = dg.Definitions(
    assets=[*video_assets(), video_catalog, video_builds, dataset, quality_report, retrieval_report, *_training],
    jobs=[process_video, build_dataset, poll_sources, pretrain, finetune, language, evaluate, study, retrieval],
    schedules=[poll_schedule],
    sensors=[new_videos, refresh_dataset, refusing_hosts],
    executor=dg.in_process_executor,
    resources={
        "pipeline": _pipeline,
        "bench": LockedVideo(pipeline=_pipeline),
        "training": TrainingResource(pipeline=_pipeline),
        "builder": VideoBuilderResource(pipeline=_pipeline),
        "io_manager": dg.mem_io_manager,
    },
)
