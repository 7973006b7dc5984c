"""Several hosts want the same videos: one has each, whoever is killed or stands still, in a bucket and in a folder."""

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

import pipeline.store.lease
from pipeline.contract.errors import VideoLocked
from pipeline.store.hold import lease
from pipeline.store.lease import SHEETS, place_of
from pipeline.store.store import Store
from tests.cluster.conftest import Bucket
from tests.paths import ROOT

Host = subprocess.Popen[str]
Start = Callable[..., Host]


@pytest.fixture(params=["bucket", "folder"])
def url(request: pytest.FixtureRequest, bucket: Bucket, tmp_path: Path) -> str:
    """Where the data lie: in a bucket, or in a folder that machines share."""
    return bucket.url if request.param == "bucket" else str(tmp_path / "data")


@pytest.fixture
def start(url: str, bucket: Bucket, tmp_path: Path) -> Iterator[Start]:
    """Start a host that holds videos one after the other; hosts of different names see no file locks of each other."""
    with ExitStack() as running:

        def started(name: str, *video_ids: str, lease_s: float = 4) -> Host:
            what = ["hold", url, str(tmp_path / name), str(lease_s), *video_ids]
            host = subprocess.Popen(
                [sys.executable, "-m", "tests.cluster.hosts", *what],
                cwd=ROOT,
                env=bucket.environment(tmp_path / f"{name}-home"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            running.enter_context(host)
            running.callback(host.kill)
            return host

        yield started


def said(host: Host) -> str:
    """Return the next line of a host."""
    assert host.stdout is not None
    return host.stdout.readline().strip()


def told(host: Host, word: str) -> str:
    """Tell a host what to do; return its answer."""
    assert host.stdin is not None
    host.stdin.write(f"{word}\n")
    host.stdin.flush()
    return said(host)


def test_one_of_three_hosts_has_a_video_the_others_are_told_which_and_the_next_finds_it_free(start: Start):
    hosts = [start(name, "tour-1", "tour-2") for name in "abc"]
    lines = {host.pid: said(host) for host in hosts}
    holders = [host for host in hosts if lines[host.pid] == "holds tour-1"]
    assert len(holders) == 1
    who = f"VideoLocked tour-1 is being worked on by {socket.gethostname()}, process {holders[0].pid}; wait for it"
    assert sum(line.startswith(who) for line in lines.values()) == 2
    assert told(holders[0], "leave") == "left tour-1"
    assert said(start("d", "tour-1")) == "holds tour-1"


def test_a_killed_holder_is_followed_by_one_host_and_its_own_machine_need_not_wait(start: Start):
    holder = start("a", "tour-1")
    assert said(holder) == "holds tour-1"
    holder.kill()
    holder.wait()
    heirs = [start(name, "tour-1") for name in "bc"]
    lines = sorted(said(heir).partition(" ")[0] for heir in heirs)
    assert lines == ["VideoLocked", "holds"]
    patient = start("d", "tour-3", lease_s=3600)
    assert said(patient) == "holds tour-3"
    patient.kill()
    patient.wait()
    assert said(start("d", "tour-3")) == "holds tour-3", "the file lock shows that nobody of this machine has it"


def test_a_holder_that_stood_still_writes_nothing_more(start: Start, url: str, tmp_path: Path):
    sleeper = start("a", "tour-1")
    assert said(sleeper) == "holds tour-1"
    assert told(sleeper, "write") == "wrote 1"
    sleeper.send_signal(signal.SIGSTOP)
    heir = start("b", "tour-1")
    assert said(heir) == "holds tour-1"
    assert told(heir, "write") == "wrote 1"
    sleeper.send_signal(signal.SIGCONT)
    assert told(sleeper, "write").startswith("LeaseLost tour-1: this machine stood still")
    assert told(heir, "write") == "wrote 2"
    video = Store(url, tmp_path / "reader").video("tour-1")
    assert video.read_json("a.json") == {"written": 1}
    assert video.read_json("b.json") == {"written": 2}
    assert told(heir, "leave") == "left tour-1"
    assert said(start("c", "tour-1")) == "holds tour-1", "the sleeper's end has not disturbed the lease of the heir"


def test_a_holder_that_stood_still_unnoticed_goes_on(start: Start):
    sleeper = start("a", "tour-1", lease_s=0.2)
    assert said(sleeper) == "holds tour-1"
    sleeper.send_signal(signal.SIGSTOP)
    with pytest.raises(subprocess.TimeoutExpired):
        sleeper.wait(0.5)
    sleeper.send_signal(signal.SIGCONT)
    assert told(sleeper, "write") == "wrote 1"


def test_nothing_is_left_of_leases_that_ended_and_many_share_an_object(bucket: Bucket, tmp_path: Path):
    here, elsewhere = (Store(bucket.url, tmp_path / name) for name in "ab")
    here.lease_s = elsewhere.lease_s = 1.0
    ids = [f"tour-{number}" for number in range(3 * SHEETS)]
    together = next([one, other] for one in ids for other in ids if one < other and place_of(one) == place_of(other))
    with here.video(together[0]).locked():
        with elsewhere.video(together[1]).locked():
            assert here.video(together[1]).is_held()
            assert elsewhere.video(together[0]).is_held()
        assert not here.video(together[1]).is_held()
        with pytest.raises(VideoLocked), lease(elsewhere, together[0], "it").held():
            pass
    assert len({place_of(video_id) for video_id in ids}) <= SHEETS
    assert [here.shared.get(f"leases/{name}")[0] for name in here.names("leases")] == [b"{}"]


def test_holders_of_one_object_renew_and_let_go_at_once(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(pipeline.store.lease, "SHEETS", 1)
    together, names = threading.Barrier(6), [f"tour-{number}" for number in range(6)]

    def hold(name: str) -> None:
        store = Store(bucket.url, tmp_path / name)
        store.lease_s = 1.0
        video = store.video(name)
        with video.locked():
            together.wait(60)
            for number in range(6):  # longer than leases hold
                time.sleep(0.3)
                video.write_json(f"{number}.json", {"by": name})

    with ThreadPoolExecutor(6) as hosts:
        list(hosts.map(hold, names))
    store = Store(bucket.url)
    assert [store.video(name).read_json("5.json") for name in names] == [{"by": name} for name in names]
    assert store.shared.get(place_of(names[0]))[0] == b"{}"
