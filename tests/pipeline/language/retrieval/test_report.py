import numpy as np
import pytest

from pipeline.language.retrieval.benchmark import RetrievalQuery
from pipeline.language.retrieval.report import QueryScore, RetrievalReport


def query_of(**given: object) -> RetrievalQuery:
    usual = {"text": "a chair", "video_id": "v", "frame_index": 0, "split": "test", "kind": "class", "label": "chair"}
    return RetrievalQuery.model_validate({**usual, **given})


def test_means_are_those_of_the_group():
    def score(kind: str, split: str, precision: float) -> QueryScore:
        query = query_of(kind=kind, split=split)
        return QueryScore(query, query.text, *(precision, float("nan")) * 4)

    scores = (score("class", "test", 0.2), score("class", "validation", 0.4), score("look", "test", 0.9))
    report = RetrievalReport(scores, 0, 0)
    assert [*report.groups()] == ["all", "by class", "by look", "test", "validation"]
    assert report.mean("voxels", "by class") == pytest.approx(0.3)
    assert report.mean("share") == pytest.approx(0.5)
    assert np.isnan(report.mean("voxels_visible"))
    assert "| by look | 1 | 0.900 / nan | 0.900 / nan | 0.900 / nan | 0.900 / nan |" in report.markdown()


def scored(precision: float, asked: str = "", **given: object) -> QueryScore:
    query = query_of(**given)
    return QueryScore(query, asked or query.text, *(precision,) * 8)


def test_a_group_that_does_not_occur_has_no_row():
    report = RetrievalReport((scored(0.5, kind="place"),), 0, 0)
    assert [*report.groups()] == ["all", "by place", "test"]
    assert "by class" not in report.markdown()


def test_what_was_replaced_missing_and_refused_is_said_below_the_table():
    scores = (
        scored(0.5, text="a red sofa", asked="sofa", kind="look"),
        scored(0.5, text="a blue sofa", asked="sofa", kind="look"),
        scored(0.5, text="a bed next to a window", asked="bed", kind="place"),
        scored(0.5),
    )
    table = RetrievalReport(scores, missing=4, refused=2).markdown()
    assert "3 queries (2 by look, 1 by place) were asked by a word for their class alone" in table
    assert "'bed' for 'a bed next to a window'" in table
    assert "4 queries left out: the dataset does not have their frames." in table
    assert "2 queries left out: the text side does not know their words." in table
    assert "left out" not in RetrievalReport(scores[3:], 0, 0).markdown()


def test_every_method_has_a_column_over_all_and_over_visible_voxels():
    query = query_of()
    score = QueryScore(query, query.text, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.07, 0.08)
    assert (
        "| all | 1 | 0.100 / 0.200 | 0.300 / 0.400 | 0.500 / 0.600 | 0.070 / 0.080 |"
        in RetrievalReport((score,), 0, 0).markdown()
    )
