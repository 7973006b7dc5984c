"""How well words find voxels."""

import dagster as dg
from typer import echo

from assets.dataset.dataset import dataset
from assets.metadata import PREVIEW_BYTES, picture
from assets.resources import PipelineResource


@dg.asset(group_name="dataset", deps=[dataset])
def retrieval_report(pipeline: PipelineResource) -> dg.MaterializeResult:
    """Ask the rendered tours for scores among the videos in words whose voxels are known (POP-3D's task).

    Fails where no region has an embedding, no tour is for scores, or one is frozen; the error says what to do.
    """
    from pipeline.language.index import open_index
    from pipeline.language.retrieval import heat_maps, measure, tour_benchmark
    from pipeline.language.text import SanText
    from pipeline.pictures.encode import jpeg
    from pipeline.stages.semantics.backends import SAN
    from pipeline.stages.semantics.stage import semantics

    store, settings = pipeline.store(), pipeline.settings()
    text = SanText(settings.of(semantics).of(SAN))
    open_index(store, text)  # refuses before any truth is rendered
    benchmark = tour_benchmark(store, settings)
    report = measure(store, text, benchmark)
    echo(f"\n{report.markdown()}\n")
    return dg.MaterializeResult(
        metadata={
            "queries": len(report.scores),
            "weights": dg.MetadataValue.json(dict(text.weights)),
            "means_nothing": text.means_nothing,
            "report": dg.MetadataValue.md(report.markdown()),
            "heat_maps": picture(jpeg(heat_maps(store, text, benchmark, report), PREVIEW_BYTES)),
        }
    )


retrieval = dg.define_asset_job(
    "retrieval",
    selection=[retrieval_report],
    description="Queries in words on the rendered tours for scores, with exact masks.",
)
