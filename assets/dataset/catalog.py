"""The list of videos: what the sources name becomes partitions."""

import dagster as dg

from assets.dataset.blocks import register_partitions
from assets.metadata import table
from assets.resources import PipelineResource
from pipeline.contract.errors import PipelineError
from pipeline.sources.discover import SourceReport, discover
from pipeline.stages.video.stage import video


@dg.asset(group_name="dataset")
def video_catalog(context: dg.AssetExecutionContext, pipeline: PipelineResource) -> dg.MaterializeResult:
    """Register every video that the sources list now, as a row of the catalog and as a partition."""
    try:
        catalog = pipeline.catalog()
        reports = discover(catalog, pipeline.listed(), pipeline.settings().of(video).web)
    except PipelineError as error:
        raise dg.Failure(f"{error.code}: {error}", allow_retries=False) from error
    video_ids = catalog.video_ids()
    for report in reports:
        if report.error:
            context.log.warning("%s: %s", report.name, report.error)
        for line in report.skipped.described():
            context.log.warning("%s: %s", report.name, line)
    register_partitions(context.instance, pipeline)
    skipped = [{"source": report.name, "skipped": line} for report in reports for line in report.skipped.described()]
    return dg.MaterializeResult(
        metadata={
            "videos": len(video_ids),
            "sources": table(_row(report) for report in reports),
            **({"skipped": table(skipped)} if skipped else {}),
        }
    )


def _row(report: SourceReport) -> dict[str, str | int]:
    return {
        "source": report.name,
        "listed": report.listed,
        "new": len(report.fresh),
        "not wanted": sum(report.unwanted.values()),
        "error": report.error,
    }
