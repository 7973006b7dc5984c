"""Videos of the catalog arrive, are claimed, and what became of them is noted so that nobody asks in vain."""

from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import pytest

from pipeline.contract.arrays import Images
from pipeline.contract.errors import (
    BrokenVideo,
    ChangedMeanwhile,
    CorruptStore,
    DownloadGone,
    DownloadRefused,
    DuplicateVideo,
    HostResting,
    StageMissing,
    UnwantedVideo,
    VideoError,
)
from pipeline.contract.records import Source
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.catalog.rows import CatalogRow, VideoState
from pipeline.sources.duplicates.settings import DuplicateSettings
from pipeline.sources.rules import SourceRules
from pipeline.sources.video_source import VideoSource, parse_source
from pipeline.sources.web.hosts import Hosts
from pipeline.sources.web.settings import WebSettings
from pipeline.stages.base import Workbench
from pipeline.stages.run import run_stage
from pipeline.stages.video.arrive import arrive, mark_fetched, restore
from pipeline.stages.video.settings import VideoSettings
from pipeline.store.store import Store
from tests.pipeline.sources.faulty_web import Web, serving
from tests.pipeline.stages.filling import workbench_of
from tests.pipeline.videos import walk, write_video

QUICK = VideoSettings(retries=0, timeout_s=5, free_bytes_min=0, web=WebSettings(interval_s=0, pause_s=1000))
SAME_MAY_COME = QUICK.model_copy(update={"duplicates": DuplicateSettings(enabled=False)})


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    film = write_video(tmp_path_factory.mktemp("film") / "film.mp4", walk(1, 6, size=(64, 48))).read_bytes()
    with serving(Web(film, count=30, listed=30)) as running:
        yield running


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return Catalog(Store(tmp_path / "data"))


def tour(seed: int) -> list[Images]:
    """Three shots along textured walls."""
    return [frame for part in range(3) for frame in walk(10 * seed + part, 12, step=6.0, size=(160, 120))]


def local(catalog: Catalog, path: Path) -> str:
    """Register a file of this machine."""
    return catalog.add([parse_source(str(path))])[0]


def test_a_file_arrives_and_the_catalog_knows_its_bytes(catalog: Catalog, tmp_path: Path):
    key = local(catalog, write_video(tmp_path / "a.mp4", tour(1)))
    arrived = arrive(catalog, key, tmp_path / "out", QUICK)
    assert (tmp_path / "out" / "source.mp4").read_bytes() == (tmp_path / "a.mp4").read_bytes()
    row = catalog.row(key)
    assert row.sha256 == arrived.sha256
    assert row.state is VideoState.NEW, "it is fetched once it lies in its place"


def test_a_video_that_nobody_listed_does_not_arrive(catalog: Catalog, tmp_path: Path):
    with pytest.raises(StageMissing, match="not in the catalog"):
        arrive(catalog, "nobody", tmp_path / "out", QUICK)


def test_a_video_that_lies_in_the_store_is_marked_once_with_what_is_known_of_it(catalog: Catalog, tmp_path: Path):
    key = local(catalog, write_video(tmp_path / "a.mp4", tour(1)))
    video = catalog.files.video(key)
    arrived = arrive(catalog, key, tmp_path / "out", QUICK)
    video.write_json("source.json", {field.name: getattr(arrived, field.name) for field in fields(Source)})
    mark_fetched(workbench_of(video))
    row = catalog.row(key)
    assert (row.state, row.title, row.duration_s) == (VideoState.FETCHED, "a", pytest.approx(3.6))
    catalog.update([key], lambda known: replace(known, title="its own"))
    mark_fetched(workbench_of(video))
    assert catalog.row(key).title == "its own", "what is known stays"


@pytest.mark.parametrize("held", [3.5, "text", [], None, {}, {"notes": 5}])
def test_a_description_that_is_none_marks_nothing(catalog: Catalog, tmp_path: Path, held: object):
    key = local(catalog, tmp_path / "a.mp4")
    video = catalog.files.video(key)
    video.write_json("source.json", held)
    with pytest.raises(CorruptStore, match=r"source\.json"):
        mark_fetched(workbench_of(video))
    assert catalog.row(key).state is VideoState.NEW


@pytest.mark.parametrize("copy_step", [1, 2])
def test_the_second_upload_is_noted_as_a_duplicate_of_the_first(catalog: Catalog, tmp_path: Path, copy_step: int):
    first = local(catalog, write_video(tmp_path / "a.mp4", tour(1)))
    second = local(catalog, write_video(tmp_path / "b.mp4", tour(1)[::copy_step], fps=12))
    arrive(catalog, first, tmp_path / "one", QUICK)
    with pytest.raises(DuplicateVideo):
        arrive(catalog, second, tmp_path / "two", QUICK)
    row = catalog.row(second)
    assert (row.state, row.duplicate_of) == (VideoState.DUPLICATE, first)
    with pytest.raises(DuplicateVideo, match="is duplicate since"):
        arrive(catalog, second, tmp_path / "three", QUICK)
    assert not (tmp_path / "three").exists(), "it was not even asked for"


def test_the_same_file_twice_is_one_video_even_where_nothing_is_compared(catalog: Catalog, tmp_path: Path):
    film = write_video(tmp_path / "a.mp4", tour(1)).read_bytes()
    (tmp_path / "b.mp4").write_bytes(film)
    first, second = (local(catalog, tmp_path / name) for name in ("a.mp4", "b.mp4"))
    arrive(catalog, first, tmp_path / "one", SAME_MAY_COME)
    with pytest.raises(DuplicateVideo, match=f"{second} is the same file as {first}"):
        arrive(catalog, second, tmp_path / "two", SAME_MAY_COME)


def test_a_video_whose_lookalike_is_out_of_the_dataset_goes_on(catalog: Catalog, tmp_path: Path):
    first = local(catalog, write_video(tmp_path / "a.mp4", tour(1)))
    second = local(catalog, write_video(tmp_path / "b.mp4", tour(1), fps=12))
    arrive(catalog, first, tmp_path / "one", QUICK)
    catalog.update([first], lambda row: replace(row, state=VideoState.REJECTED))
    arrive(catalog, second, tmp_path / "two", QUICK)
    assert catalog.row(second).duplicate_of == ""


def test_what_shows_much_of_an_earlier_video_is_noted_with_it_though_copies_may_come(catalog: Catalog, tmp_path: Path):
    seeds = (1, 1, 2)
    films = (write_video(tmp_path / f"{n}.mp4", tour(seed), fps=10 + n) for n, seed in enumerate(seeds))
    first, second, other = (local(catalog, film) for film in films)
    for key in (first, second, other):
        arrive(catalog, key, tmp_path / key, SAME_MAY_COME)
    assert [catalog.row(key).duplicate_of for key in (first, second, other)] == ["", first, ""]
    assert all(catalog.row(key).state is VideoState.NEW for key in (first, second, other))
    arrive(catalog, first, tmp_path / "again", SAME_MAY_COME)
    assert catalog.row(first).duplicate_of == "", "the later one goes with the earlier one, not both with each other"


def test_a_video_of_which_half_was_shown_before_is_no_copy_and_is_noted_with_it(catalog: Catalog, tmp_path: Path):
    half = tour(1)[:18] + tour(3)[18:]
    films = {"a.mp4": tour(1), "b.mp4": half}
    first, second = (local(catalog, write_video(tmp_path / name, frames)) for name, frames in films.items())
    strict = QUICK.model_copy(update={"duplicates": DuplicateSettings(share=0.9)})
    for key in (first, second):
        arrive(catalog, key, tmp_path / key, strict)
    assert (catalog.row(second).state, catalog.row(second).duplicate_of) == (VideoState.NEW, first)


def test_a_file_that_moved_goes_on_as_the_video_that_it_was(catalog: Catalog, tmp_path: Path):
    old, new = tmp_path / "old", tmp_path / "new"
    old.mkdir()
    first = local(catalog, write_video(old / "a.mp4", tour(1)))
    workbench = workbench_of(catalog.files.video(first))
    run_stage("video", workbench)
    old.rename(new)
    second = local(catalog, new / "a.mp4")
    with pytest.raises(DuplicateVideo, match=f"{second} is {first}, whose file moved to"):
        arrive(catalog, second, tmp_path / "two", QUICK)
    row = catalog.row(first)
    assert (row.state, row.source.origin) == (VideoState.FETCHED, str(new / "a.mp4"))
    assert catalog.row(second).state is VideoState.DUPLICATE
    assert run_stage("video", workbench).reused


def test_a_file_that_moved_and_was_then_replaced_is_read_again_under_the_name_it_had(catalog: Catalog, tmp_path: Path):
    first = local(catalog, write_video(tmp_path / "a.mp4", tour(1)))
    arrive(catalog, first, tmp_path / "one", QUICK)
    (tmp_path / "a.mp4").rename(tmp_path / "b.mp4")
    second = local(catalog, tmp_path / "b.mp4")
    with pytest.raises(DuplicateVideo):
        arrive(catalog, second, tmp_path / "two", QUICK)
    write_video(tmp_path / "b.mp4", tour(4))
    again = arrive(catalog, first, tmp_path / "three", QUICK)
    assert (again.video_id, again.origin) == (first, str(tmp_path / "b.mp4"))


def test_a_final_state_is_not_asked_again_and_a_local_file_may_be_mended(catalog: Catalog, tmp_path: Path, web: Web):
    (gone,) = catalog.add([parse_source(web.url(5))])
    broken = local(catalog, tmp_path / "a.mp4")
    (tmp_path / "a.mp4").write_text("no film")
    for key, error in ((gone, DownloadGone), (broken, BrokenVideo)):
        with pytest.raises(error):
            arrive(catalog, key, tmp_path / "out", QUICK)
    before = len(web.asked)
    with pytest.raises(DownloadGone, match="is gone since"):
        arrive(catalog, gone, tmp_path / "out", QUICK)
    assert len(web.asked) == before
    assert (catalog.row(gone).state, catalog.row(broken).tries) == (VideoState.GONE, 1)
    write_video(tmp_path / "a.mp4", tour(2))
    arrive(catalog, broken, tmp_path / "out", QUICK)


def test_a_host_that_refuses_rests_and_the_next_video_does_not_ask_it(catalog: Catalog, tmp_path: Path, web: Web):
    refused, other = catalog.add([parse_source(web.url(2)), parse_source(web.url(2).replace("2.mp4", "26.mp4"))])
    with pytest.raises(DownloadRefused):
        arrive(catalog, refused, tmp_path / "out", QUICK)
    host = f"127.0.0.3:{web.port}"
    assert Hosts.of(catalog.files, QUICK.web).state(host).refusals == 1
    row = catalog.row(refused)
    assert (row.state, row.tries, row.next_try) == (VideoState.RETRY, 1, None)
    before = len(web.asked)
    with pytest.raises(HostResting):
        arrive(catalog, other, tmp_path / "other", QUICK)
    assert len(web.asked) == before
    assert catalog.row(other).next_try is not None


def test_the_rules_of_the_source_that_listed_a_video_hold_when_it_is_fetched(
    catalog: Catalog, tmp_path: Path, web: Web
):
    source = VideoSource.of_origin(web.url(0), f"feed {web.url(0)}")
    rules = SourceRules(creative_commons=True).model_dump_json(exclude_defaults=True)
    catalog.register([CatalogRow(source.video_id, source, rules)])
    with pytest.raises(UnwantedVideo, match="Creative Commons"):
        arrive(catalog, source.video_id, tmp_path / "out", QUICK)
    assert catalog.row(source.video_id).state is VideoState.UNWANTED


def test_a_host_is_not_asked_for_what_a_rule_speaks_against_already(catalog: Catalog, tmp_path: Path, web: Web):
    source = VideoSource.of_origin(web.url(0), f"feed {web.url(0)}")
    rules = SourceRules(duration_max_s=60).model_dump_json(exclude_defaults=True)
    catalog.register([CatalogRow(source.video_id, source, rules, duration_s=3000.0)])
    before = len(web.asked)
    with pytest.raises(UnwantedVideo, match="longer than 60 s"):
        arrive(catalog, source.video_id, tmp_path / "out", QUICK)
    assert (len(web.asked), catalog.row(source.video_id).state) == (before, VideoState.UNWANTED)


def test_a_video_that_arrives_ends_the_row_of_refusals_of_its_host(catalog: Catalog, tmp_path: Path, web: Web):
    hosts = Hosts.of(catalog.files, QUICK.web.model_copy(update={"pause_s": 0.0}))
    host = f"127.0.0.1:{web.port}"
    hosts.refused(host, None)
    (key,) = catalog.add([parse_source(web.url(0))])
    arrive(catalog, key, tmp_path / "out", SAME_MAY_COME)
    assert hosts.state(host).refusals == 0


@pytest.fixture
def fetched(catalog: Catalog, tmp_path: Path) -> Workbench:
    """A video of this machine that lies in the store."""
    key = local(catalog, write_video(tmp_path / "a.mp4", tour(1)))
    workbench = replace(workbench_of(catalog.files.video(key)), catalog=catalog)
    run_stage("video", workbench)
    return workbench


def test_a_deleted_source_is_fetched_again(fetched: Workbench, tmp_path: Path):
    assert fetched.catalog.row(fetched.video.video_id).state is VideoState.FETCHED
    fetched.video.remove("source.mp4")
    restore(fetched, QUICK)
    with fetched.video.local_file("source.mp4") as path:
        assert path.read_bytes() == (tmp_path / "a.mp4").read_bytes()
    assert not (fetched.video.scratch / "download").exists()


def test_a_source_that_is_there_or_never_was_is_left_alone(fetched: Workbench, tmp_path: Path):
    (tmp_path / "a.mp4").unlink()
    restore(fetched, QUICK)
    assert fetched.video.exists("source.mp4")
    fetched.video.remove("source.json")
    fetched.video.remove("source.mp4")
    restore(fetched, QUICK)
    assert not fetched.video.exists("source.mp4")


def test_another_file_under_the_same_name_is_not_taken_for_the_deleted_one(fetched: Workbench, tmp_path: Path):
    fetched.video.remove("source.mp4")
    write_video(tmp_path / "a.mp4", tour(9))
    with pytest.raises(ChangedMeanwhile, match="gives another file now"):
        restore(fetched, QUICK)
    assert not fetched.video.exists("source.mp4")


def test_a_later_stage_has_the_source_back_before_it_begins(fetched: Workbench):
    fetched.video.remove("source.mp4")
    quick = workbench_of(fetched.video, clips={"clip_min_s": 0.5}).settings
    assert run_stage("clips", replace(fetched, settings=quick)).provenance.counts["clips"] >= 1
    assert fetched.video.exists("source.mp4")


def test_errors_of_arrival_are_errors_of_the_video():
    assert all(issubclass(kind, VideoError) for kind in (ChangedMeanwhile, DuplicateVideo, HostResting))
