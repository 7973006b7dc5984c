"""The dataset of all built videos, and how good it is where the truth is known."""

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

import dagster as dg
import pyarrow.compute as pc
from typer import echo

from assets.metadata import numbers, picture, table
from assets.resources import PipelineResource
from pipeline.contract.progress import Lines
from pipeline.contract.tour_origin import TOUR_SCHEME
from pipeline.dataset.index import build_dataset, earlier_summary
from pipeline.store.atomic import replacing
from pipeline.store.index import LEFT_OUT, DatasetSummary
from pipeline.store.store import Store

if TYPE_CHECKING:
    from pipeline.quality import QualityReport

STALE_AFTER = timedelta(days=1)
"""Age at which the dataset is shown as stale: with sources that are polled, a day without a new video is news."""

OF_VIDEOS = ("occupancy", "video_block")
"""What a change of tells of changed videos."""

whenever_a_video_changed = dg.AutomationCondition.any_deps_updated() & ~dg.AutomationCondition.in_progress()


@dg.asset(
    group_name="dataset",
    deps=["video_builds", *(dg.AssetDep(name, partition_mapping=dg.AllPartitionMapping()) for name in OF_VIDEOS)],
    automation_condition=whenever_a_video_changed,
    freshness_policy=dg.FreshnessPolicy.time_window(fail_window=STALE_AFTER),
)
def dataset(pipeline: PipelineResource) -> dg.MaterializeResult:
    """Index the built videos that sources and settings name, and what was left out; fails if there is none at all."""
    from pipeline.dataset.page import write_dataset_page

    store, before = pipeline.store(), earlier_summary(pipeline.seen())
    summary = build_dataset(store, pipeline.settings().dataset, pipeline.asked(), pipeline.catalog())
    seen = pipeline.seen(again=True)
    if summary != before:
        echo(f"\n{store.path('dataset')}\n{summary.table()}\n")
    if not summary.videos:
        raise dg.Failure("not one video could be built; the table of what was left out says why", allow_retries=False)
    page = {
        "page": dg.MetadataValue.url("/shown/dataset/index.html"),
        "page_file": dg.MetadataValue.path(write_dataset_page(seen, summary)),
    }
    return dg.MaterializeResult(
        metadata={**page, **_metadata(store, summary)}, data_version=dg.DataVersion(summary.version)
    )


@dg.asset(group_name="dataset", deps=[dataset])
def quality_report(pipeline: PipelineResource) -> dg.MaterializeResult:
    """Score the rendered tours among the videos against their exact truth; fails where one of them is frozen."""
    from pipeline.quality import tour_quality

    store, rows = pipeline.seen(), pipeline.catalog().table(["video_id", "origin"])
    tours = rows.filter(pc.starts_with(rows["origin"], TOUR_SCHEME))["video_id"].to_pylist()
    report = tour_quality(store, tours, pipeline.settings(), Lines())
    if not report.tours:
        return dg.MaterializeResult(metadata={"tours": 0, "note": "no rendered tours: their quality is not known"})
    _show_quality(store, report)
    plot, is_known = _plot(store, report)
    if not is_known:
        echo(f"\n{report.markdown()}\n")
    return dg.MaterializeResult(
        metadata={
            "tours": len(report.tours),
            "report": dg.MetadataValue.md(report.markdown()),
            "plot": picture(plot),
            **numbers({f"{figure.stage}: {figure.name}": figure.value for figure in report.figures()}),
        }
    )


def _show_quality(store: Store, report: "QualityReport") -> None:
    """Put the figures on the dataset's page."""
    from pipeline.dataset.page import keep_quality, write_dataset_page

    summary = earlier_summary(store)
    if summary is None or store.is_read_only():
        return
    rows = [
        {
            "stage": row.stage,
            "name": row.name,
            "value": f"{row.value:.3f}{row.unit}",
            "target": row.target,
            "reached": row.reached,
            "says": row.says,
        }
        for row in report.figures()
    ]
    if keep_quality(store, rows):
        write_dataset_page(store, summary)


def _plot(store: Store, report: "QualityReport") -> tuple[bytes, bool]:
    """Return the plot of a report, drawn once (it takes seconds), and whether the report was as it is before."""
    digest = hashlib.sha256(report.model_dump_json().encode()).hexdigest()[:16]
    path = store.make_scratch() / "quality" / f"{digest}.png"
    if path.exists():
        return path.read_bytes(), True
    path.parent.mkdir(exist_ok=True)
    drawn = report.plot()
    for other in path.parent.glob("*.png"):
        other.unlink(missing_ok=True)
    with replacing(path) as draft:
        draft.write_bytes(drawn)
    return drawn, False


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
