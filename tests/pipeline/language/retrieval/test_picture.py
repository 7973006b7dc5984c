import numpy as np

from pipeline.language.retrieval import heat_maps, measure
from pipeline.language.retrieval.benchmark import Benchmark, RetrievalQuery, chosen
from pipeline.language.retrieval.picture import examples
from pipeline.language.retrieval.report import QueryScore, RetrievalReport
from pipeline.language.text import SanText
from pipeline.pictures.heat import HEIGHT, heat_colours
from pipeline.stages.base import Workbench


def query_of(**given: object) -> RetrievalQuery:
    usual = {"text": "a chair", "video_id": "v", "frame_index": 0, "split": "test", "kind": "class", "label": "chair"}
    return RetrievalQuery.model_validate({**usual, **given})


def test_examples_are_the_median_of_their_kind():
    def score(kind: str, precision: float) -> QueryScore:
        query = query_of(kind=kind)
        return QueryScore(query, query.text, *(precision,) * 8)

    scores = [score("look", 0.3), *(score("class", precision) for precision in (0.9, 0.1, 0.5, 0.2))]
    found = examples(RetrievalReport(tuple(scores), 0, 0))
    assert [(example.query.kind, example.true_scale) for example in found] == [("class", 0.2), ("look", 0.3)]


def test_kinds_without_a_query_have_no_example():
    query = query_of(kind="other")
    assert examples(RetrievalReport((), 0, 0)) == []
    (only,) = examples(RetrievalReport((QueryScore(query, "x", *(0.5,) * 8),), 0, 0))
    assert only.query == query


def test_a_row_shows_the_picture_the_datasets_grid_and_what_is_meant(
    benchmark: Benchmark, spoken_tour: Workbench, text: SanText
):
    first = next(i for i, query in enumerate(benchmark.queries) if query.kind == "class")
    one = chosen(benchmark, [first])
    report = measure(spoken_tour.video.files, text, one)
    drawn = np.asarray(heat_maps(spoken_tour.video.files, text, one, report)).astype(int)
    # Picture 240 x 180 and two grids of 180 x 180, eight pixels apart, between two captions.
    assert drawn.shape[1] == 240 + 8 + HEIGHT + 8 + HEIGHT
    top = 14 + 6 + 8
    meant = drawn[top : top + HEIGHT, -HEIGHT:]
    hot = heat_colours(np.array([1.0], np.float32), (0.0, 1.0))[0]
    columns = (np.abs(meant - hot).max(axis=-1) < 3).sum() / 9
    assert columns == one.mask[0].any(axis=2).sum(), "every column of the mask, at three pixels a voxel"
