"""Videos on a Ray cluster of three machines, some of which go: a real cluster on loopback, a real kill."""

import contextlib
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psutil
import pytest
import yaml

from assets.ray_launcher import STARTED_BY_TAG
from pipeline.sources.video_source import read_sources
from pipeline.stages.registry import stages
from pipeline.stages.run import is_built
from pipeline.store.outputs import provenance
from tests.assets.backfills import PER_VIDEO, backfilled, begun, ended, wait_for_server
from tests.assets.workplace import QUICK, Workplace, finish, free_port
from tests.cluster.ray_nodes import BUSY, kill_all, three_nodes
from tests.pipeline.room_video import write_room_video

EMPTY_BOX = b"\0\0\0\x08free"
"""What an MP4 may have more of, which makes it another file."""
SHORT = {**QUICK, "clips": {"frames_min": 6, "frames_max": 6}, "video": {"duplicates": {"enabled": False}}}
FAILURE, SUCCESS = dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS


def test_videos_of_machines_that_go_are_built_by_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    films = [tmp_path / f"room{number}.mp4" for number in range(3)]
    write_room_video(films[0], 20)
    for number, film in enumerate(films):
        film.write_bytes(films[0].read_bytes() + number * EMPTY_BOX)
    place = Workplace(tmp_path, " ".join(map(str, films)))
    videos = [source.video_id for source in read_sources(place.sources)]
    for name, value in {**place.environment, **BUSY}.items():
        monkeypatch.setenv(name, value)
    with three_nodes(num_cpus=1) as cluster:
        asked = {"engine": "ray", "ray": {"address": cluster.address, "cpus": 1, "memory_gb": 0}}
        place.settings_file.write_text(json.dumps({"dataset": asked, **SHORT}))
        build = place.start("job", "execute", "-j", "build_dataset")
        first, before = kill_node(build, "reconstruction", raylet_alone=True)
        cluster.add_node(node_ip_address="127.0.0.5", object_store_memory=80 * 2**20, num_cpus=1)
        second, between = kill_node(build, "reconstruction", but=first)
        end = finish(build)
    text = before + between + end.text
    assert end.code == 0, text
    assert "Traceback" not in text
    with place.instance as instance:
        for video_id in videos:
            assert is_built(place.store.video(video_id), place.settings), text
            runs = instance.get_runs(dg.RunsFilter(tags={"dagster/partition": video_id}))
            wanted = [SUCCESS, FAILURE] if video_id in (first, second) else [SUCCESS]
            assert [run.status for run in runs] == wanted, text
            made = re.findall(rf"{video_id} +(\w+) +done +[0-9]", text)
            assert made == list(PER_VIDEO), "each once, in order: what is kept says so in place of its seconds"


@pytest.mark.nightly
def test_a_cluster_that_vanishes_ends_the_build_in_a_line_and_the_next_one_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    write_room_video(tmp_path / "room.mp4", 20)
    place = Workplace(tmp_path, str(tmp_path / "room.mp4"))
    (video_id,) = [source.video_id for source in read_sources(place.sources)]
    for name, value in {**place.environment, **BUSY}.items():
        monkeypatch.setenv(name, value)
    with three_nodes(num_cpus=1) as cluster:
        asked = {"engine": "ray", "ray": {"address": cluster.address, "cpus": 1, "memory_gb": 0}}
        place.settings_file.write_text(json.dumps({"dataset": asked}))
        address, build = cluster.address, place.start("job", "execute", "-j", "build_dataset")
        before = seen_at(build, "reconstruction")[1]
        kill_all(cluster)
        end = finish(build)
    text = before + end.text
    assert end.code == 1, text
    assert f"ClusterGone: the Ray cluster at {address} has not answered for 30 s" in text, text
    assert "Traceback" not in text
    with place.instance as instance:
        runs = instance.get_runs()
    assert {run.status for run in runs} == {FAILURE}, text
    place.settings_file.write_text("{}")
    again = place.execute("build_dataset")
    assert again.code == 0, again.text
    assert is_built(place.store.video(video_id), place.settings)
    for name in ("video", "clips", "indoor_clips"):
        assert re.search(rf"{video_id} +{name} +done +kept", again.text), again.text


@pytest.mark.nightly
def test_a_backfill_from_the_pages_runs_on_the_machines_of_the_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    place = Workplace(tmp_path, "tour://1 tour://2")
    with pages_of_a_cluster(place, monkeypatch) as port:
        assert backfilled(port, ["tour-1", "tour-2"]) == "COMPLETED_SUCCESS"
    for video_id in ("tour-1", "tour-2"):
        assert is_built(place.store.video(video_id), place.settings)
    assert runs_of_videos(place) == [(SUCCESS, "ray")] * 2


@pytest.mark.nightly
def test_a_run_whose_node_goes_is_closed_by_run_monitoring_and_the_next_keeps_its_stages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    place = Workplace(tmp_path, "tour://1")
    video, kept = place.store.video("tour-1"), stages()["indoor_clips"].output
    with pages_of_a_cluster(place, monkeypatch) as port:
        backfill = begun(port, ["tour-1"])
        while (made := provenance(video.as_it_is(), kept)) is None:
            time.sleep(0.1)
        raylet = next(parent for parent in worker_of_a_run().parents() if parent.name() == "raylet")
        for process in [raylet, *raylet.children(recursive=True)]:
            process.kill()
        assert ended(port, backfill) == "COMPLETED_FAILED"
        assert runs_of_videos(place) == [(FAILURE, "ray")]
        assert backfilled(port, ["tour-1"]) == "COMPLETED_SUCCESS"
    assert runs_of_videos(place) == [(SUCCESS, "ray"), (FAILURE, "ray")]
    assert is_built(video.as_it_is(), place.settings)
    assert provenance(video.as_it_is(), kept) == made


@contextlib.contextmanager
def pages_of_a_cluster(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Serve Dagster's pages, whose runs go to a cluster of three nodes and are watched; yields their port."""
    port, jobs = free_port(), free_port()
    home = place.folder / "home" / "dagster.yaml"
    wanted = {"ray": {"address": f"http://127.0.0.2:{jobs}", "num_cpus": 1, "num_gpus": 0}}
    launcher = {"module": "assets.ray_launcher", "class": "RayLauncher", "config": wanted}
    watched = {"enabled": True, "start_timeout_seconds": 300, "max_resume_run_attempts": 0, "poll_interval_seconds": 5}
    told = {"run_launcher": launcher, "run_monitoring": watched}
    home.write_text(yaml.safe_dump(yaml.safe_load(home.read_text()) | told))
    for name, value in {**place.environment, **BUSY}.items():
        monkeypatch.setenv(name, value)
    with three_nodes(jobs, num_cpus=1):
        assert place.execute("poll_sources").code == 0
        server = place.start("dev", "-h", "127.0.0.1", "-p", str(port))
        try:
            wait_for_server(port)
            yield port
        finally:
            os.killpg(server.pid, signal.SIGKILL)
            server.communicate()


def runs_of_videos(place: Workplace) -> list[tuple[dg.DagsterRunStatus, str]]:
    """Return how runs of videos ended, the last one first, and who started them."""
    with place.instance as instance:
        runs = [run for run in instance.get_runs() if "dagster/partition" in run.tags]
    return [(run.status, run.tags[STARTED_BY_TAG]) for run in runs]


def worker_of_a_run() -> psutil.Process:
    """Return the process of a run that Ray has started."""
    (found,) = [
        process
        for process in psutil.process_iter(["cmdline"])
        if "execute_run" in (process.info["cmdline"] or ()) and "python" in process.info["cmdline"][0]
    ]
    return found


def kill_node(
    build: "subprocess.Popen[str]", stage: str, *, but: str = "", raylet_alone: bool = False
) -> tuple[str, str]:
    """Kill -9 a node of which a worker is at a stage, of another video than ``but``; return its video, and what was
    printed.

    raylet_alone: its workers live on and have to see for themselves.
    """
    found, text = seen_at(build, stage, but)
    raylet = psutil.Process(int(found[1])).parent()
    assert raylet is not None
    assert raylet.name() == "raylet"
    for process in [raylet, *([] if raylet_alone else raylet.children(recursive=True))]:
        process.kill()
    return found[2], text


def seen_at(build: "subprocess.Popen[str]", stage: str, but: str = "") -> tuple["re.Match[str]", str]:
    """Wait until a worker is at a stage of a video; return its process and the video, and what was printed."""
    seen = []
    for line in build.stdout or ():
        seen.append(line)
        found = re.search(rf"pid=(\d+).*\)\S* +(\S+) +{stage} +\d+%", line)
        if found and found[2] != but:
            return found, "".join(seen)
    raise AssertionError("".join(seen))
