import shutil
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.errors import BrokenRetrievalSet, UnusableQuery
from pipeline.geometry.poses import resize_nearest
from pipeline.language.retrieval import measure
from pipeline.language.retrieval.benchmark import Benchmark, chosen
from pipeline.language.retrieval.descriptions import NOUNS
from pipeline.language.retrieval.measure import average_precision
from pipeline.language.text import SanText
from pipeline.stages.base import Workbench
from pipeline.store.store import Store
from pipeline.tours.tour import Tour
from pipeline.tours.truth import true_clip


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=40), st.randoms())
def test_average_precision_is_the_area_under_steps_and_ties_have_no_order(
    places: list[tuple[int, bool]], random: Random
):
    def of(given_: list[tuple[int, bool]]) -> float:
        scores, mask = zip(*given_, strict=True)
        return average_precision(np.array(scores, np.float32), np.array(mask))

    if not any(mask for _, mask in places):
        assert np.isnan(of(places))
        return
    expected, found, total = 0.0, 0, sum(mask for _, mask in places)
    for level in sorted({score for score, _ in places}, reverse=True):
        above = [mask for score, mask in places if score >= level]
        expected += (sum(above) - found) / total * sum(above) / len(above)
        found = sum(above)
    shuffled = places[:]
    random.shuffle(shuffled)
    assert of(places) == pytest.approx(expected)
    assert of(shuffled) == pytest.approx(expected)


def test_a_blind_ranking_gets_the_share_of_what_is_meant():
    mask = np.arange(100) < 7
    assert average_precision(np.full(100, -np.inf, np.float32), mask) == pytest.approx(0.07)


def test_regions_that_know_the_truth_are_found(
    benchmark: Benchmark, spoken_tour: Workbench, tour: Tour, text: SanText, tmp_path: Path
):
    """Regions are the true things here, and each embedding is that of the thing's name."""
    shutil.copytree(spoken_tour.video.files.root, tmp_path / "data")
    store = Store(tmp_path / "data")
    teach(store, spoken_tour.video.video_id, tour, text)
    plain = [row for row, query in enumerate(benchmark.queries) if query.kind == "class"]
    report = measure(store, text, chosen(benchmark, plain))
    # The estimated scale moves surfaces by a voxel; the picture's own regions miss only borders and what is hidden.
    assert report.mean("voxels_visible") > 2 * report.mean("share_visible")
    assert report.mean("voxels") > 2 * report.mean("share")
    assert report.mean("true_scale_visible") > 0.4
    assert report.mean("true_scale_visible") > report.mean("voxels_visible")
    assert report.mean("projected_visible") > 0.6
    assert report.mean("projected_visible") > report.mean("projected")
    assert report.missing == 0


def teach(store: Store, video_id: str, tour: Tour, text: SanText) -> None:
    video = store.video(video_id)
    arrays = {name: video.read("semantics", name) for name in ("labels", "confidence", "moving")}
    truth = true_clip(tour, video.read("frames", "frame_index")).semantics.regions
    regions = resize_nearest(truth, arrays["labels"].shape[1:])
    arrays["moving"][:] = False
    named = text.embed(names := ["thing", *NOUNS.values()])
    rows = [names.index(NOUNS.get(thing.label, "thing")) for thing in tour.house.things]
    with video.write_group("semantics", video.attributes("semantics")) as group:
        for name, values in arrays.items():
            group.append(name, values)
        group.append("regions", regions.astype(np.uint16))
        group.append("region_offset", np.arange(len(regions)) * len(rows))
        group.append("region_embeddings", np.tile(named[rows], (len(regions), 1)).astype(np.float16), 256)


def test_frames_that_the_dataset_lacks_are_counted(benchmark: Benchmark, spoken_tour: Workbench, text: SanText):
    absent = benchmark.queries[1].model_copy(update={"video_id": "elsewhere"})
    late = benchmark.queries[2].model_copy(update={"frame_index": 10**6})
    some = replace(chosen(benchmark, [0, 1, 2]), queries=(benchmark.queries[0], absent, late))
    report = measure(spoken_tour.video.files, text, some)
    assert (len(report.scores), report.missing) == (1, 2)
    assert "2 queries left out" in report.markdown()
    with pytest.raises(BrokenRetrievalSet, match="none of the benchmark's frames"):
        measure(spoken_tour.video.files, text, replace(chosen(benchmark, [1]), queries=(absent,)))


def test_unknown_texts_are_asked_by_their_class_where_it_is_known_and_counted_where_not(
    benchmark: Benchmark, spoken_tour: Workbench, text: SanText
):
    foreign = benchmark.queries[1].model_copy(update={"text": "пол", "label": ""})
    classed = benchmark.queries[2].model_copy(update={"text": "красный диван", "label": "sofa", "kind": "look"})
    some = replace(chosen(benchmark, [0, 1, 2]), queries=(benchmark.queries[0], foreign, classed))
    report = measure(spoken_tour.video.files, text, some)
    assert (len(report.scores), report.missing, report.refused) == (2, 0, 1)
    assert [score.asked for score in report.scores] == [benchmark.queries[0].text, "sofa"]
    assert "1 queries left out: the text side" in report.markdown()
    assert "1 queries (1 by look) were asked by a word for their class alone, as in 'sofa' for" in report.markdown()
    with pytest.raises(UnusableQuery, match="English"):
        measure(spoken_tour.video.files, text, replace(chosen(benchmark, [1]), queries=(foreign,)))
