"""Two machines go through one list, as processes that hold videos for real."""

import subprocess
import sys
from collections import deque
from pathlib import Path

from assets.dataset.free_first import NEAR, spread, take_free
from pipeline.contract.errors import StorageFailed
from pipeline.store.store import Store
from tests.paths import ROOT


def test_a_machine_passes_over_what_another_one_works_on_and_comes_back_to_it(tmp_path: Path):
    def is_held(video_id: str) -> bool:
        return here.video(video_id).is_held()

    here, waiting = Store(tmp_path / "data"), deque(["tour-1", "tour-2", "tour-3"])
    hold = [sys.executable, "-m", "tests.cluster.hosts", "hold", str(tmp_path / "data"), str(tmp_path / "there"), "60"]
    piped = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([*hold, "tour-1"], cwd=ROOT, text=True, **piped) as there:
        assert there.stdin is not None
        assert there.stdout is not None
        assert there.stdout.readline() == "holds tour-1\n"
        assert take_free(waiting, is_held) == "tour-2"
        assert list(waiting) == ["tour-3", "tour-1"]
        assert take_free(waiting, is_held) == "tour-3"
        assert take_free(deque(["tour-1"]), is_held) == "tour-1", "there is nothing else to do but to wait for it"
        there.stdin.close()
        assert there.stdout.readline() == "left tour-1\n"
    assert take_free(waiting, is_held) == "tour-1"


def test_machines_that_begin_at_once_begin_with_different_videos_near_the_head_of_the_list():
    listed = [f"tour-{number}" for number in range(3 * NEAR + 5)]
    orders = [spread(listed) for _ in range(20)]
    assert len({order[0] for order in orders}) > 5, "so few of 32 come up in 20 draws once in 10^10 times"
    for order in orders:
        assert sorted(order) == sorted(listed)
        assert all(abs(order.index(video_id) - place) < NEAR for place, video_id in enumerate(listed))


def test_a_store_that_does_not_answer_is_left_to_the_build_to_tell():
    def is_held(_: str) -> bool:
        raise StorageFailed("the disk is gone")

    assert take_free(deque(["tour-1"]), is_held) == "tour-1"
