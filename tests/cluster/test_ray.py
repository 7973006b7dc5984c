"""Videos on a Ray cluster of three machines, one of which goes: a real cluster on loopback, a real kill."""

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import dagster as dg
import psutil
import pytest
import yaml

from assets.ray_launcher import STARTED_BY_TAG
from pipeline.sources.video_source import read_sources
from pipeline.stages.run import is_built
from tests.assets.backfills import backfilled, wait_for_server
from tests.assets.workplace import Workplace, finish, free_port
from tests.cluster.ray_nodes import BUSY, kill_all, three_nodes
from tests.pipeline.room_video import write_room_video

pytestmark = pytest.mark.nightly
FAILURE, SUCCESS = dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS


def test_videos_of_a_machine_that_goes_are_built_by_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    films = [tmp_path / f"room{number}.mp4" for number in range(2)]
    for number, film in enumerate(films):
        write_room_video(film, 20 + 4 * number)
    place = Workplace(tmp_path, " ".join(map(str, films)))
    videos = [source.video_id for source in read_sources(place.sources)]
    for name, value in {**place.environment, **BUSY}.items():
        monkeypatch.setenv(name, value)
    with three_nodes(num_cpus=1) as cluster:
        asked = {"engine": "ray", "ray": {"address": cluster.address, "cpus": 1, "memory_gb": 0}}
        place.settings_file.write_text(json.dumps({"dataset": asked, "video": {"duplicates": {"enabled": False}}}))
        build = place.start("job", "execute", "-j", "build_dataset")
        lost, before = kill_raylet(build, "reconstruction")
        ended = finish(build)
    text = before + ended.text
    assert ended.code == 0, text
    assert "Traceback" not in text
    with place.instance as instance:
        for video_id in videos:
            assert is_built(place.store.video(video_id), place.settings), text
            runs = instance.get_runs(dg.RunsFilter(tags={"dagster/partition": video_id}))
            wanted = [SUCCESS, FAILURE] if video_id == lost else [SUCCESS]
            assert [run.status for run in runs] == wanted
    for name in ("video", "clips", "indoor_clips"):
        assert len(re.findall(rf"{lost} +{name} +done +[0-9]", text)) == 1, "made once, and kept by the second run"
    assert len(re.findall(rf"{lost} +occupancy +done +[0-9]", text)) == 1


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
        ended = finish(build)
    text = before + ended.text
    assert ended.code == 1, text
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


def test_a_backfill_from_the_pages_runs_on_the_machines_of_the_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    place = Workplace(tmp_path, "tour://1 tour://2")
    port, jobs = free_port(), free_port()
    home = tmp_path / "home" / "dagster.yaml"
    wanted = {"ray": {"address": f"http://127.0.0.2:{jobs}", "num_cpus": 1, "num_gpus": 0}}
    launcher = {"module": "assets.ray_launcher", "class": "RayLauncher", "config": wanted}
    home.write_text(yaml.safe_dump(yaml.safe_load(home.read_text()) | {"run_launcher": launcher}))
    for name, value in {**place.environment, **BUSY}.items():
        monkeypatch.setenv(name, value)
    with three_nodes(jobs, num_cpus=1):
        assert place.execute("poll_sources").code == 0
        server = place.start("dev", "-h", "127.0.0.1", "-p", str(port))
        try:
            wait_for_server(port)
            assert backfilled(port, ["tour-1", "tour-2"]) == "COMPLETED_SUCCESS"
        finally:
            os.killpg(server.pid, signal.SIGKILL)
            server.communicate()
    for video_id in ("tour-1", "tour-2"):
        assert is_built(place.store.video(video_id), place.settings)
    with place.instance as instance:
        runs = [run for run in instance.get_runs() if "dagster/partition" in run.tags]
    assert [(run.status, run.tags[STARTED_BY_TAG]) for run in runs] == [(SUCCESS, "ray")] * 2


def kill_raylet(build: "subprocess.Popen[str]", stage: str) -> tuple[str, str]:
    """Kill -9 the raylet whose worker is the first to be at a stage; return its video, and what was printed."""
    found, text = seen_at(build, stage)
    raylet = psutil.Process(int(found[1])).parent()
    assert raylet is not None
    assert raylet.name() == "raylet"
    raylet.kill()
    return found[2], text


def seen_at(build: "subprocess.Popen[str]", stage: str) -> tuple["re.Match[str]", str]:
    """Wait until a worker is at a stage; return its process and video, and what was printed."""
    seen = []
    for line in build.stdout or ():
        seen.append(line)
        found = re.search(rf"pid=(\d+).*\)\S* +(\S+) +{stage} +\d+%", line)
        if found:
            return found, "".join(seen)
    raise AssertionError("".join(seen))
