"""The retrieval benchmark: its files, its truth from rendered tours, and its scores."""

import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from typer.testing import CliRunner

from assets import definitions
from assets.dataset.retrieval import retrieval_report
from assets.resources import PipelineResource
from pipeline.cli.app import command_line
from pipeline.contract.classes import SemanticClass
from pipeline.contract.errors import BrokenRetrievalSet, NoEmbeddings, UnusableQuery
from pipeline.geometry.poses import resize_nearest
from pipeline.geometry.voxels import voxelize_frame
from pipeline.language.retrieval import measure, read_benchmark, tour_benchmark, write_benchmark
from pipeline.language.retrieval.benchmark import KINDS, MASKS, QUERIES, Benchmark, RetrievalQuery, chosen, stack
from pipeline.language.retrieval.descriptions import NOUNS, colour_names, describe, gap, has_colour, main_material
from pipeline.language.retrieval.measure import average_precision
from pipeline.language.retrieval.picture import examples
from pipeline.language.retrieval.report import QueryScore, RetrievalReport
from pipeline.language.retrieval.tour_queries import frame_queries, select
from pipeline.language.text import SanText
from pipeline.settings import load_settings
from pipeline.stages.base import Workbench
from pipeline.store.store import Store
from pipeline.tours.tour import Tour
from pipeline.tours.truth import tour_of, true_clip


@pytest.fixture(scope="module")
def tour(spoken_tour: Workbench) -> Tour:
    found = tour_of(spoken_tour.video)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def benchmark(spoken_tour: Workbench, tour: Tour) -> Benchmark:
    """All queries about one frame of the small tour, which is none for evaluation."""
    frames = registered_frames(spoken_tour)
    found = frame_queries(tour, spoken_tour.video.video_id, frames, len(frames) // 2, spoken_tour.settings)
    return stack(list(found))


def registered_frames(workbench: Workbench) -> np.ndarray:
    return workbench.video.read("frames", "frame_index")[workbench.video.read("scene", "registered")]


@settings(max_examples=40, deadline=None)
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


def test_files_come_back_as_written(benchmark: Benchmark, tmp_path: Path):
    quoted = benchmark.queries[0].model_copy(update={"text": 'a "big", old\nsofa'})
    written = replace(benchmark, queries=(quoted, *benchmark.queries[1:]))
    write_benchmark(tmp_path, written)
    read = read_benchmark(tmp_path)
    assert read.queries == written.queries
    for name in ("grid_from_camera", "occupied", "visible", "mask"):
        assert np.array_equal(getattr(read, name), getattr(written, name))


def spoiled_masks(**changes: Callable[[np.ndarray], np.ndarray]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        with np.load(folder / MASKS) as stored:
            arrays = {name: changes.get(name, lambda rows: rows)(stored[name]) for name in stored.files}
        np.savez_compressed(folder / MASKS, **arrays)

    return spoil


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / QUERIES).unlink(), r"cannot read .*queries\.csv"),
        (lambda folder: (folder / MASKS).write_bytes(b"PK"), r"cannot read .*masks\.npz"),
        (lambda folder: (folder / QUERIES).write_text("text,video_id\n"), "0 queries"),
        (
            lambda folder: (folder / QUERIES).write_text("text,video_id,frame_index,split\na,../../etc,1,test\n"),
            "video_id",
        ),
        (spoiled_masks(mask=np.zeros_like), "empty"),
        (spoiled_masks(occupied=np.zeros_like), "leave the occupied"),
        (spoiled_masks(mask=lambda rows: rows[:, :9]), "not .*60, 60, 36"),
        (spoiled_masks(visible=lambda rows: rows.astype(np.uint8)), "bool"),
        (spoiled_masks(grid_from_camera=lambda rows: rows * 2), "rigid"),
        (spoiled_masks(mask=lambda rows: np.concatenate([rows, rows])), "too large"),
        (spoiled_masks(visible=lambda rows: np.array([{"a": 1}] * len(rows), object)), "cannot read|too large"),
    ],
)
def test_broken_files_are_named(benchmark: Benchmark, tmp_path: Path, spoil: Callable[[Path], None], message: str):
    write_benchmark(tmp_path, chosen(benchmark, [0, 1]))
    spoil(tmp_path)
    with pytest.raises(BrokenRetrievalSet, match=message):
        read_benchmark(tmp_path)


def test_masks_are_those_of_the_true_grid(benchmark: Benchmark, spoken_tour: Workbench, tour: Tour):
    frames = registered_frames(spoken_tour)
    truth = true_clip(tour, frames)
    grid = voxelize_frame(truth.scene, truth.semantics, len(frames) // 2, spoken_tour.settings.occupancy)
    by_text = dict(zip((query.text for query in benchmark.queries), benchmark.mask, strict=True))
    assert set(benchmark.mask.any(axis=(1, 2, 3))) == {True}
    assert (benchmark.mask < benchmark.occupied).any(axis=(1, 2, 3)).all(), "something else is there to tell it from"
    for text, label in (("a floor", SemanticClass.FLOOR), ("a wall", SemanticClass.WALL)):
        true = grid.labels == label
        # A voxel of two classes and several things may go to either: the class with most points, or the thing.
        assert (by_text[text] & true).sum() > 0.97 * (by_text[text] | true).sum()
    assert (benchmark.mask <= benchmark.occupied).all()
    assert (benchmark.visible <= benchmark.occupied).all()
    assert (benchmark.visible < benchmark.occupied).any()
    corner = np.linalg.inv(benchmark.grid_from_camera[0])
    assert corner[:3, :3] @ corner[:3, :3].T == pytest.approx(np.eye(3), abs=1e-6)


def test_what_is_said_of_things_is_true_of_those_and_of_no_others(tour: Tour):
    house = tour.house
    present = [i for i, thing in enumerate(house.things, start=1) if thing.label != SemanticClass.UNKNOWN]
    said = list(describe(house, present))
    assert {item.kind for item in said} == {"class", "look", "place"}
    assert len({item.text for item in said}) == len(said) > 10
    for item in said:
        kin = {i for i in present if house.things[i - 1].label == item.label}
        meant = [house.things[i - 1] for i in item.instances]
        assert set(item.instances) <= kin
        if item.kind == "class":
            assert set(item.instances) == kin
        elif item.kind == "place":
            noun = item.text.rpartition(" next to a ")[2]
            others = [thing for thing in house.things if NOUNS.get(thing.label) == noun]
            assert all(min(gap(thing, other) for other in others) <= 0.5 for thing in meant)
        elif " wooden " in item.text:
            assert {main_material(thing).pattern for thing in meant} == {"wood"}


def test_a_thing_near_what_the_grid_does_not_hold_is_not_spoken_of_as_near_it(tour: Tour):
    house = tour.house
    present = [i for i, thing in enumerate(house.things, start=1) if thing.label != SemanticClass.UNKNOWN]
    place = next(item for item in describe(house, present) if item.kind == "place")
    noun = place.text.rpartition(" next to a ")[2]
    without = [i for i in present if NOUNS.get(house.things[i - 1].label) != noun]
    assert place.text not in {item.text for item in describe(house, without)}


@pytest.mark.parametrize(
    ("albedo", "names"),
    [
        ((0.01, 0.01, 0.01), {"black"}),
        ((0.85, 0.83, 0.8), {"white"}),
        ((0.2, 0.2, 0.2), {"grey"}),
        ((0.4, 0.05, 0.04), {"red"}),
        ((0.05, 0.1, 0.4), {"blue"}),
        ((0.05, 0.3, 0.08), {"green"}),
        ((0.2, 0.1, 0.05), {"brown"}),
        ((0.6, 0.58, 0.55), {"white", "grey"}),
        ((0.5, 0.38, 0.2), {"orange", "yellow", "brown"}),
    ],
)
def test_colours_have_the_names_that_people_might_give_them(albedo: tuple[float, float, float], names: set[str]):
    assert colour_names(albedo) == names


def test_small_cloth_of_a_colour_makes_it_doubtful(tour: Tour):
    beds = [thing for thing in tour.house.things if thing.label == SemanticClass.BED]
    for bed in beds:
        cloths = {
            name for _, material in bed.parts if material.pattern == "fabric" for name in colour_names(material.colour)
        }
        assert all(has_colour(bed, name) is not False for name in cloths)
    assert beds
    assert has_colour(beds[0], "a colour that nothing has") is False


def test_different_texts_come_before_the_same_again_and_all_kinds_alike():
    def asked(text: str, kind: str) -> RetrievalQuery:
        return RetrievalQuery.model_validate(
            {"text": text, "video_id": "v", "frame_index": 0, "split": "test", "kind": kind}
        )

    queries = [asked("a chair", "class")] * 8 + [asked("a bed", "class"), asked("a sofa", "class")]
    queries += [asked("a red sofa", "look")] * 3 + [
        asked("a blue sofa", "look"),
        asked("a bed next to a sofa", "place"),
    ]
    rows = select(queries, 6, seed=1)
    texts = [queries[row].text for row in rows]
    assert Counter(queries[row].kind for row in rows) == {"class": 3, "look": 2, "place": 1}
    assert len(set(texts)) == 6
    assert rows == select(queries, 6, seed=1) == sorted(rows)
    assert select(queries, 100, seed=1) == list(range(15))


def test_tours_for_tuning_make_no_benchmark(spoken_tour: Workbench):
    with pytest.raises(BrokenRetrievalSet, match="seeds from 1000000 on"):
        tour_benchmark(spoken_tour.video.files, spoken_tour.settings)


@pytest.fixture(scope="module")
def evaluation_store(spoken_tour: Workbench, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The tour passes for one for evaluation whose room is filmed at the same time."""
    folder = tmp_path_factory.mktemp("evaluation") / "data"
    shutil.copytree(spoken_tour.video.files.root, folder)
    video = Store(folder).video(spoken_tour.video.video_id)
    video.write_json("source.json", {**video.read_json("source.json"), "origin": "tour://1000006"})
    return Store(folder)


def test_tours_for_evaluation_are_asked_about_with_the_settings_they_were_rendered_with(
    spoken_tour: Workbench, evaluation_store: Store
):
    made = tour_benchmark(evaluation_store, spoken_tour.settings, count=5)
    assert len({query.text for query in made.queries}) == 5
    assert {query.split for query in made.queries} == {"test"}
    again = tour_benchmark(evaluation_store, load_settings("youtube_occ"), count=5)
    assert again.queries == made.queries, "the truth is that of the video, whatever tours are asked for today"


def test_the_asset_shows_the_table_and_a_heat_map_of_every_kind(spoken_tour: Workbench, evaluation_store: Store):
    made = retrieval_report(pipeline=resource(evaluation_store, spoken_tour))
    assert made.metadata["queries"] > 5
    assert made.metadata["means_nothing"] is True
    assert "| by class |" in made.metadata["report"].value
    assert "data:image/jpeg" in made.metadata["heat_maps"].value


def test_the_asset_says_what_is_missing(spoken_tour: Workbench, tmp_path: Path):
    with pytest.raises(NoEmbeddings, match="run the stage 'semantics' again"):
        retrieval_report(pipeline=PipelineResource(data=str(tmp_path), profile="classic"))
    with pytest.raises(BrokenRetrievalSet, match="seeds from 1000000 on"):
        retrieval_report(pipeline=resource(spoken_tour.video.files, spoken_tour))
    assert [node.name for node in definitions.resolve_job_def("retrieval").nodes_in_topological_order] == [
        "retrieval_report"
    ]


def resource(store: Store, workbench: Workbench) -> PipelineResource:
    overrides = workbench.settings.model_dump(mode="json", exclude={"profile"}, exclude_defaults=True)
    return PipelineResource(data=str(store.root), profile="classic", overrides=overrides)


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


def test_means_are_those_of_the_group(benchmark: Benchmark):
    def score(kind: str, split: str, precision: float) -> QueryScore:
        query = benchmark.queries[0].model_copy(update={"kind": kind, "split": split})
        return QueryScore(query, query.text, *(precision, float("nan")) * 4)

    scores = (score("class", "test", 0.2), score("class", "validation", 0.4), score("look", "test", 0.9))
    report = RetrievalReport(scores, 0, 0)
    assert [*report.groups()] == ["all", "by class", "by look", "test", "validation"]
    assert report.mean("voxels", "by class") == pytest.approx(0.3)
    assert report.mean("share") == pytest.approx(0.5)
    assert np.isnan(report.mean("voxels_visible"))
    assert "| by look | 1 | 0.900 / nan | 0.900 / nan | 0.900 / nan | 0.900 / nan |" in report.markdown()


def test_examples_are_the_median_of_their_kind(benchmark: Benchmark):
    def score(kind: str, precision: float) -> QueryScore:
        query = benchmark.queries[0].model_copy(update={"kind": kind})
        return QueryScore(query, query.text, *(precision,) * 8)

    scores = [score("look", 0.3), *(score("class", precision) for precision in (0.9, 0.1, 0.5, 0.2))]
    found = examples(RetrievalReport(tuple(scores), 0, 0))
    assert [(example.query.kind, example.true_scale) for example in found] == [("class", 0.2), ("look", 0.3)]


def test_the_command_prints_a_row_for_every_kind_and_split(
    benchmark: Benchmark, spoken_tour: Workbench, checkpoint: Path, tmp_path: Path
):
    rows = [next(i for i, query in enumerate(benchmark.queries) if query.kind == kind) for kind in KINDS[:3]]
    write_benchmark(tmp_path, chosen(benchmark, rows))
    given_ = ["--data", spoken_tour.video.files.root, "--set", f"semantics.san.weights={checkpoint}"]
    given_ += ["--picture", tmp_path / "heat.jpg"]
    found = CliRunner().invoke(command_line(), ["retrieval", str(tmp_path), *map(str, given_)], catch_exceptions=False)
    with Image.open(tmp_path / "heat.jpg") as picture:
        assert picture.height > 3 * 180
    for name in ("by class", "by look", "by place", "validation"):
        assert name in found.output
    assert "the answers mean nothing" in found.output
