"""``build_dataset`` as a user runs it: real processes, real kills, a real ``dagster dev``.

One story in four acts, each a fixture on the one before: a video's process is killed while others are built, two
builds finish the rest at the same time (all of them with the packages of the base install alone), a
further build finds nothing to do, and the UI's GraphQL backfills.
"""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from pipeline.sources.video_source import read_sources
from pipeline.stages.chain import made_by
from pipeline.stages.run import is_built
from pipeline.store.index import read_summary
from tests.assets.backfills import backfilled, wait_for_server
from tests.assets.workplace import Ended, Workplace, finish, free_port, graphql, kill_child
from tests.fresh import EXTRAS
from tests.pipeline.room_video import write_room_video

TOUR = "tour-1"


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    folder = tmp_path_factory.mktemp("workplace")
    (folder / "broken.mp4").write_text("this is no video")
    write_room_video(folder / "room.mp4")
    beyond_base = tuple(package for packages in EXTRAS.values() for package in packages)
    return Workplace(folder, f"tour://1 {folder / 'broken.mp4'} {folder / 'room.mp4'}", beyond_base)


@pytest.fixture(scope="module")
def broken(workplace: Workplace) -> str:
    return read_sources(workplace.sources)[1].video_id


@pytest.fixture(scope="module")
def room(workplace: Workplace) -> str:
    return read_sources(workplace.sources)[2].video_id


@pytest.fixture(scope="module")
def killed(workplace: Workplace, room: str) -> Ended:
    """A build of all three videos, of which the room's process is killed in the middle of its longest stage."""
    build = workplace.start("job", "execute", "-j", "build_dataset")
    before = kill_child(build, room, "reconstruction")
    ended = finish(build)
    return Ended(ended.code, before + ended.text)


@pytest.fixture(scope="module")
def remembered(workplace: Workplace, killed: Ended, room: str) -> dict[str, str]:
    """When the stages were made that the killed process had finished."""
    del killed
    found = {name: made_by(workplace.store.video(room), name) for name in ("video", "clips", "indoor_clips")}
    return {name: made.created for name, made in found.items() if made}


@pytest.fixture(scope="module")
def both(workplace: Workplace, remembered: dict[str, str]) -> list[Ended]:
    del remembered
    builds = [workplace.start("job", "execute", "-j", "build_dataset") for _ in range(2)]
    return [finish(build) for build in builds]


@pytest.fixture(scope="module")
def dev(workplace: Workplace, both: list[Ended]) -> Iterator[int]:
    """Port of a ``dagster dev`` on the same data, with a home that knows no materialization yet."""
    del both
    fresh = Workplace(workplace.folder / "ui", workplace.sources)
    (fresh.folder / "data").symlink_to(workplace.folder / "data")
    assert fresh.execute("poll_sources").code == 0
    port = free_port()
    server = fresh.start("dev", "-h", "127.0.0.1", "-p", str(port))
    try:
        wait_for_server(port)
        yield port
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.communicate()


def test_a_killed_video_does_not_take_the_others_down(workplace: Workplace, killed: Ended, room: str):
    assert killed.code == 0, killed.text
    assert is_built(workplace.store.video(TOUR), workplace.settings)
    assert not is_built(workplace.store.video(room), workplace.settings)


def test_a_killed_process_is_remembered_and_its_run_closed(workplace: Workplace, killed: Ended, room: str):
    assert re.search(rf"{room} +left out: process: ProcessDied", killed.text)
    with workplace.instance as instance:
        runs = instance.get_runs(dg.RunsFilter(tags={"dagster/partition": room}))
        assert dg.DagsterRunStatus.FAILURE in {run.status for run in runs}


def test_what_was_left_out_is_named_with_its_reason(killed: Ended, broken: str, room: str):
    assert re.search(rf"\| {broken} \| video \| BrokenVideo: ", killed.text)
    assert re.search(rf"\| {room} \| process \| ProcessDied: ", killed.text)


def test_the_screen_shows_progress_and_where_the_dataset_is(workplace: Workplace, killed: Ended):
    assert re.search(rf"{TOUR} +reconstruction +\d+%", killed.text)
    assert str(workplace.folder / "data" / "dataset") in killed.text
    assert re.search(r"1 videos, \d+ clips, \d+ frames", killed.text)
    assert "| occupancy | IoU, true scale |" in killed.text, "the quality table comes last"


def test_two_builds_at_once_both_succeed_and_share_the_work(workplace: Workplace, both: list[Ended], room: str):
    assert [ended.code for ended in both] == [0, 0], both
    assert is_built(workplace.store.video(room), workplace.settings)
    made = re.findall(rf"{room} +occupancy +done +\d", "".join(ended.text for ended in both))
    assert len(made) == 1, "one process made the grids, the other kept or never asked for them"
    assert workplace.failure(room) is None


def test_finished_stages_of_a_killed_video_are_not_done_again(
    workplace: Workplace, remembered: dict[str, str], both: list[Ended], room: str
):
    del both
    assert set(remembered) == {"video", "clips", "indoor_clips"}
    for name, created in remembered.items():
        made = made_by(workplace.store.video(room), name)
        assert made is not None
        assert made.created == created


def test_a_broken_video_is_not_tried_again(workplace: Workplace, both: list[Ended], broken: str):
    del both
    failure = workplace.failure(broken)
    assert failure is not None
    assert (failure["code"], failure["tries"]) == ("BrokenVideo", 1)


def test_a_further_build_does_nothing(workplace: Workplace, both: list[Ended]):
    del both
    before = _files(workplace.folder / "data")
    ended = workplace.execute("build_dataset")
    assert ended.code == 0, ended.text
    assert "no video to build" in ended.text
    assert _files(workplace.folder / "data") == before
    summary = read_summary(workplace.store)
    assert summary is not None
    assert summary.videos == 2


def test_partitions_show_what_is_built_and_what_failed(workplace: Workplace, both: list[Ended], broken: str, room: str):
    del both
    with workplace.instance as instance:
        assert instance.get_materialized_partitions(dg.AssetKey("occupancy")) == {room, TOUR}
        assert broken in instance.get_dynamic_partitions("videos")
        assert broken not in instance.get_materialized_partitions(dg.AssetKey("video"))


def test_a_backfill_of_two_partitions_from_the_ui(dev: int, broken: str):
    status = backfilled(dev, [TOUR, broken])
    assert status == "COMPLETED_FAILED", "one of the two partitions cannot succeed"
    found = graphql(dev, PARTITIONS)["assetNodeOrError"]["assetPartitionStatuses"]
    assert (found["materializedPartitions"], found["failedPartitions"]) == ([TOUR], [broken])
    events = graphql(dev, METADATA)["assetNodeOrError"]["assetMaterializations"]
    entries = {entry["label"]: entry for entry in events[0]["metadataEntries"]}
    assert {"preview", "seconds", "frames", "left_out"} <= set(entries)
    assert len(entries["preview"]["mdStr"]) < 20_000


def test_a_build_of_which_nothing_comes_fails(tmp_path: Path):
    (tmp_path / "broken.mp4").write_text("this is no video")
    ended = Workplace(tmp_path, f"{tmp_path / 'broken.mp4'} {tmp_path / 'missing.mp4'}").execute("build_dataset")
    assert ended.code != 0
    assert "not one video could be built" in ended.text
    assert "BrokenVideo" in ended.text


def _files(folder: Path) -> dict[str, tuple[int, int]]:
    kept = (path for path in folder.rglob("*") if path.is_file() and "scratch" not in path.parts)
    return {str(path): (path.stat().st_mtime_ns, path.stat().st_size) for path in kept}


PARTITIONS = """{ assetNodeOrError(assetKey: {path: ["video"]}) { ... on AssetNode { assetPartitionStatuses {
  ... on DefaultPartitionStatuses { materializedPartitions failedPartitions } } } } }"""

METADATA = """{ assetNodeOrError(assetKey: {path: ["occupancy"]}) { ... on AssetNode { assetMaterializations(limit: 1) {
  metadataEntries { label ... on MarkdownMetadataEntry { mdStr } } } } } }"""
