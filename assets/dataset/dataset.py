"""The dataset of all built videos, and how good it is where the truth is known."""

from datetime import timedelta

import dagster as dg
from typer import echo

from assets.metadata import picture, table
from assets.resources import PipelineResource
from pipeline.contract.progress import Lines
from pipeline.dataset.index import build_dataset
from pipeline.sources.catalog.catalog import Catalog
from pipeline.store.index import LEFT_OUT, DatasetSummary
from pipeline.store.store import Store

STALE_AFTER = timedelta(days=1)
"""Age at which the dataset is shown as stale: with sources that are polled, a day without a new video is news."""

whenever_a_video_changed = dg.AutomationCondition.any_deps_updated() & ~dg.AutomationCondition.in_progress()


@dg.asset(
    group_name="dataset",
    deps=["video_builds", dg.AssetDep("occupancy", partition_mapping=dg.AllPartitionMapping())],
    automation_condition=whenever_a_video_changed,
    freshness_policy=dg.FreshnessPolicy.time_window(fail_window=STALE_AFTER),
)
def dataset(pipeline: PipelineResource) -> dg.MaterializeResult:
    """Index the built videos that sources and settings name, and what was left out; fails if there is none at all."""
    store = pipeline.store()
    summary = build_dataset(store, pipeline.settings().dataset, pipeline.asked())
    echo(f"\n{store.path('dataset')}\n{summary.table()}\n")
    if not summary.videos:
        raise dg.Failure("not one video could be built; the table of what was left out says why", allow_retries=False)
    return dg.MaterializeResult(metadata=_metadata(store, summary), data_version=dg.DataVersion(summary.version))


@dg.asset(group_name="dataset", deps=[dataset])
def quality_report(pipeline: PipelineResource) -> dg.MaterializeResult:
    """Score the rendered tours among the videos against their exact truth; fails where one of them is frozen."""
    from pipeline.quality import tour_quality

    store = pipeline.store()
    report = tour_quality(store, Catalog(store).video_ids(), pipeline.settings(), Lines())
    if not report.tours:
        echo("no rendered tours among the videos: their quality is not known")
        return dg.MaterializeResult(metadata={"tours": 0})
    echo(f"\n{report.markdown()}\n")
    return dg.MaterializeResult(
        metadata={
            "tours": len(report.tours),
            "report": dg.MetadataValue.md(report.markdown()),
            "plot": picture(report.plot()),
        }
    )


def _metadata(store: Store, summary: DatasetSummary) -> dict[str, dg.MetadataValue]:
    classes = (
        {"class": name, "voxels": found.voxels, "frames": found.frames} for name, found in summary.classes.items()
    )
    return {
        "path": dg.MetadataValue.path(store.path("dataset")),
        "videos": dg.MetadataValue.int(summary.videos),
        "clips": dg.MetadataValue.int(summary.clips),
        "frames": dg.MetadataValue.int(summary.frames),
        "splits": dg.MetadataValue.json(summary.frames_by_split),
        "classes": table(classes),
        "left_out": table(found.model_dump() for found in summary.counts()),
        "left_out_by_name": dg.MetadataValue.path(store.path(*LEFT_OUT)),
    }
