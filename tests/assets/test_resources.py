import json
from pathlib import Path
from threading import Event, Thread

import dagster as dg
import pytest
from filelock import FileLock, Timeout
from pydantic import ValidationError

from assets.resources import PARTITION_TAG, LockedVideo, PipelineResource, is_missing
from models.places import Places
from pipeline.contract.errors import BrokenVideo, SettingsError
from pipeline.sources.catalog.catalog import Catalog
from pipeline.sources.video_source import read_sources
from pipeline.stages.base import Workbench
from pipeline.stages.failures import record_death, record_failure
from pipeline.stages.run import final_fingerprint
from pipeline.store.drafts import this_host
from pipeline.store.store import Store
from tests.earlier import VIDEO, unpack_earlier_dataset


def test_what_the_launchpad_gives_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    file = tmp_path / "mine.yaml"
    file.write_text("{dataset: {parallel_videos: 2, give_up_after: 5}}")
    monkeypatch.setenv("YOUTUBE_OCC_SETTINGS", str(file))
    monkeypatch.setenv("YOUTUBE_OCC_DATA", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("SOURCES", "tour://5")
    given = PipelineResource(sources="tour://6", overrides={"dataset": {"parallel_videos": 3}})
    assert given.settings().dataset.parallel_videos == 3
    assert given.settings().dataset.give_up_after == 5
    assert [entry.source for entry in given.listed().entries] == ["tour://6"]
    assert given.store().root == str(tmp_path / "elsewhere")
    assert PipelineResource().listed().entries[0].source == "tour://5"


def test_a_child_run_is_given_what_the_parent_was_given():
    given = PipelineResource(data="/somewhere", profile="classic", overrides={"dataset": {"parallel_videos": 3}})
    config = given.run_config()["resources"]["pipeline"]["config"]
    assert config == {"data": "/somewhere", "profile": "classic", "overrides": {"dataset": {"parallel_videos": 3}}}
    assert PipelineResource(**json.loads(json.dumps(config))) == given


def test_the_sources_file_names_the_profile_unless_another_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    # A dataset goes on with its own profile: not that of whoever built one in the checkout before.
    monkeypatch.setenv("YOUTUBE_OCC_DATA", str(tmp_path / "data"))
    file = tmp_path / "sources.yaml"
    file.write_text("{profile: small, sources: [tour://1]}")
    assert PipelineResource(sources=str(file)).settings().profile == "small"
    assert PipelineResource(sources="tour://1").settings().profile == "classic"
    assert PipelineResource(sources=str(file), profile="classic").settings().profile == "classic"
    monkeypatch.setenv("YOUTUBE_OCC_PROFILE", "youtube_occ")
    assert PipelineResource(sources=str(file)).settings().profile == "youtube_occ"
    file.write_text("{profile: large, sources: [tour://1]}")
    with pytest.raises(ValidationError, match="'large'"):
        PipelineResource(sources=str(file), profile="large")


def test_a_wrong_setting_is_named():
    with pytest.raises(SettingsError, match=r"dataset\.parallel_videos"):
        PipelineResource(overrides={"dataset": {"parallel_videos": 0}}).settings()


@pytest.fixture
def small(tmp_path: Path) -> PipelineResource:
    """A built dataset of one tour, with a second one that is only listed."""
    data = unpack_earlier_dataset(tmp_path)
    Catalog(Store(data)).add(read_sources("tour://6"))
    return PipelineResource(data=str(data), sources="tour://5 tour://6")


def test_only_what_is_not_built_is_missing(small: PipelineResource):
    assert list(small.missing()) == ["tour-6"]
    other = small.model_copy(update={"overrides": {"clips": {"frames_max": 31}}})
    assert list(other.missing()) == [VIDEO, "tour-6"], "another setting wants other grids"


def test_a_video_that_failed_for_good_is_not_missing_until_something_changes(small: PipelineResource):
    store, settings = small.store(), small.settings()
    broken = store.video("tour-6")
    record_failure(broken, "video", final_fingerprint("tour-6", settings), BrokenVideo("no frame"))
    assert not is_missing(broken, settings)
    changed = small.model_copy(update={"overrides": {"clips": {"frames_max": 31}}}).settings()
    assert is_missing(broken, changed)


def test_a_process_that_died_is_tried_again_a_few_times(small: PipelineResource):
    store, settings = small.store(), small.settings()
    for tries in range(1, settings.dataset.give_up_after + 1):
        record_death(store.video("tour-6"), final_fingerprint("tour-6", settings), "killed")
        assert is_missing(store.video("tour-6"), settings) == (tries < settings.dataset.give_up_after)


def test_a_fingerprint_in_the_catalog_stands_only_for_grids_that_are_there(small: PipelineResource):
    store, settings = small.store(), small.settings()
    assert not is_missing(store.video(VIDEO), settings)
    store.video(VIDEO).set_aside("scene.zarr/occupancy")
    assert is_missing(store.video(VIDEO), settings)


def test_a_dataset_that_goes_on_as_it_was_begun_names_no_profile_to_its_children(small: PipelineResource):
    assert small.resolved().follows_dataset
    assert "profile" not in small.run_config()["resources"]["pipeline"]["config"]
    chosen = small.model_copy(update={"profile": "classic"})
    assert chosen.run_config()["resources"]["pipeline"]["config"]["profile"] == "classic"


def workbench_of(pipeline: PipelineResource, tags: dict[str, str], told: list[Workbench]) -> dg.ExecuteInProcessResult:
    @dg.op
    def look(workbench: dg.ResourceParam[Workbench]) -> None:
        told.append(workbench)

    @dg.job(resource_defs={"workbench": LockedVideo(pipeline=pipeline)})
    def looking() -> None:
        look()

    with dg.DagsterInstance.ephemeral() as instance:
        return looking.execute_in_process(tags=tags, instance=instance, raise_on_error=False)


def test_a_run_holds_the_video_of_its_partition_and_lets_it_go(small: PipelineResource):
    told: list[Workbench] = []
    assert workbench_of(small, {PARTITION_TAG: VIDEO}, told).success
    (workbench,) = told
    assert workbench.video.video_id == VIDEO
    assert workbench.settings == small.settings()
    with workbench.video.locked():
        assert (Path(workbench.video.files.scratch) / f"{VIDEO}.lock").exists()


def test_runs_wait_while_as_many_videos_are_worked_on_as_the_settings_allow(small: PipelineResource):
    """The run is one of a daemon or of a build: both come to their video here."""
    one_by_one = {"dataset": {"parallel_videos": 1}}
    alone = PipelineResource(data=small.data, sources=small.sources, overrides=one_by_one)
    told: list[Workbench] = []
    places = Places(Path(alone.store().scratch) / "places" / this_host(), 1)
    held, over, told_before = Event(), Event(), []

    def work_on_another() -> None:
        with places.hold():
            held.set()
            entrance = FileLock(places.folder / "entrance.lock")
            while not is_held(entrance) and not over.wait(0.01):
                pass
            told_before.extend(told)

    other = Thread(target=work_on_another)
    other.start()
    held.wait()
    result = workbench_of(alone, {PARTITION_TAG: VIDEO}, told)
    over.set()
    other.join()
    assert result.success
    assert (told_before, len(told)) == ([], 1)


def is_held(lock: FileLock) -> bool:
    try:
        with lock.acquire(timeout=0):
            return False
    except Timeout:
        return True


def test_a_run_without_a_partition_is_told_to_choose_one(small: PipelineResource, capfd: pytest.CaptureFixture[str]):
    assert not workbench_of(small, {}, []).success
    assert "choose a video" in capfd.readouterr().err


def test_a_finished_video_loses_its_source_where_videos_are_not_kept(small: PipelineResource):
    lean = PipelineResource(data=small.data, sources=small.sources, overrides={"dataset": {"keep_videos": False}})
    assert workbench_of(lean, {PARTITION_TAG: VIDEO}, []).success
    video = lean.store().video(VIDEO)
    assert not video.exists("source.mp4")
    assert video.has_group("occupancy")
    assert not is_missing(video, lean.settings())
