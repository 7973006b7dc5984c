"""POP-3D's retrieval task indoors: which voxels of a frame does a text mean? Queries, masks, mean average precision."""

from pipeline.language.retrieval.benchmark import Benchmark, RetrievalQuery, read_benchmark, write_benchmark
from pipeline.language.retrieval.measure import measure
from pipeline.language.retrieval.picture import heat_maps
from pipeline.language.retrieval.report import RetrievalReport
from pipeline.language.retrieval.tour_queries import tour_benchmark

__all__ = [
    "Benchmark",
    "RetrievalQuery",
    "RetrievalReport",
    "heat_maps",
    "measure",
    "read_benchmark",
    "tour_benchmark",
    "write_benchmark",
]
