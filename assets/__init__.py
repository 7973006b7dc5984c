"""The Dagster layer: which assets, jobs, schedules and sensors there are. All work is done by ``pipeline``."""

import dagster as dg

from assets.dataset.alerts import refusing_hosts
from assets.dataset.blocks import video_block
from assets.dataset.builds import video_builds
from assets.dataset.catalog import video_catalog
from assets.dataset.dataset import dataset, quality_report
from assets.dataset.deaths import dead_runs, deaths
from assets.dataset.jobs import (
    build_block,
    build_dataset,
    new_videos,
    poll_schedule,
    poll_sources,
    process_video,
    refresh_dataset,
)
from assets.dataset.retrieval import retrieval, retrieval_report
from assets.dataset.video_builder import VideoBuilderResource
from assets.dataset.videos import video_assets
from assets.resources import LockedVideo, PipelineResource
from assets.training.jobs import evaluate, finetune, language, pretrain, study
from assets.training.language import language_network
from assets.training.networks import (
    distillation_study,
    finetuned_network,
    label_efficiency_report,
    pretrained_network,
    teacher_features,
    zero_shot_report,
)
from assets.training.resource import TrainingResource

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
    assets=[
        *video_assets(),
        video_catalog,
        video_builds,
        video_block,
        dataset,
        quality_report,
        retrieval_report,
        *_training,
    ],
    jobs=[
        process_video,
        build_dataset,
        build_block,
        poll_sources,
        pretrain,
        finetune,
        language,
        evaluate,
        study,
        retrieval,
    ],
    schedules=[poll_schedule],
    sensors=[new_videos, refresh_dataset, refusing_hosts, deaths, dead_runs],
    executor=dg.in_process_executor,
    resources={
        "pipeline": _pipeline,
        "workbench": LockedVideo(pipeline=_pipeline),
        "training": TrainingResource(pipeline=_pipeline),
        "builder": VideoBuilderResource(pipeline=_pipeline),
        "io_manager": dg.mem_io_manager,
    },
)
