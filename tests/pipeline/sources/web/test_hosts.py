import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.contract.errors import HostResting
from pipeline.sources.web.hosts import Hosts
from pipeline.sources.web.settings import WebSettings


def hosts(folder: Path, **given: float) -> Hosts:
    return Hosts(folder, WebSettings.model_validate({"jitter": 0, "pause_s": 10, "pause_max_s": 1000, **given}))


def test_turns_of_many_threads_and_instances_are_an_interval_apart(tmp_path: Path):
    guests = [hosts(tmp_path, interval_s=0.01) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda i: guests[i % 4].wait_turn("a.org"), range(24)))
    state = guests[0].state("a.org")
    assert state.free_at == pytest.approx(state.turn_at + 0.01)
    assert state.free_at >= time.time() - 60 + 0.01
    first = hosts(tmp_path, interval_s=50)
    first.wait_turn("b.org")
    assert first.state("b.org").free_at - time.time() > 40


def test_a_host_that_refuses_rests_twice_as_long_every_time_and_others_do_not(tmp_path: Path):
    guest = hosts(tmp_path, interval_s=0)
    pauses = []
    for _ in range(3):
        pauses.append(guest.refused("a.org", None) - time.time())
        guest._change("a.org", lambda state: state.model_copy(update={"resting_until": 0.0}))
    assert pauses == pytest.approx([10, 20, 40], abs=2)
    guest.refused("a.org", None)
    with pytest.raises(HostResting) as caught:
        guest.wait_turn("a.org")
    assert caught.value.until > time.time() + 60
    guest.wait_turn("b.org")


def test_retry_after_is_honoured_up_to_a_bound(tmp_path: Path):
    guest = hosts(tmp_path)
    assert guest.refused("a.org", 300) - time.time() == pytest.approx(300, abs=2)
    assert guest.refused("b.org", 1e9) - time.time() == pytest.approx(1000, abs=2)


def test_refusals_at_once_are_one_refusal_and_a_video_ends_the_row(tmp_path: Path):
    guest = hosts(tmp_path)
    for _ in range(5):
        guest.refused("a.org", None)
    assert guest.state("a.org").refusals == 1
    guest.answered("a.org")
    assert guest.state("a.org").refusals == 0


def test_no_more_than_so_many_are_at_a_host_or_at_all_hosts(tmp_path: Path):
    guest, here, most = hosts(tmp_path, per_host=2, parallel=3), {"a.org": 0, "b.org": 0}, []

    def visit(site: str) -> None:
        with guest.slot(site):
            here[site] += 1
            most.append((here["a.org"], here["b.org"], sum(here.values())))
            time.sleep(0.01)
            here[site] -= 1

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(visit, ["a.org", "b.org"] * 10))
    assert max(a for a, _, _ in most) <= 2
    assert max(b for _, b, _ in most) <= 2
    assert max(both for _, _, both in most) <= 3


def test_a_damaged_note_is_a_host_never_asked(tmp_path: Path):
    guest = hosts(tmp_path, interval_s=0)
    guest.refused("a.org", None)
    assert guest.state("a.org").refusals == 1
    next(tmp_path.glob("*.json")).write_text("{")
    guest.wait_turn("a.org")
    assert guest.state("a.org").refusals == 0


def test_what_a_wrong_clock_wrote_is_put_right_once_and_then_passes(tmp_path: Path):
    guest, years = hosts(tmp_path, interval_s=1, pause_max_s=50), time.time() + 1e9
    wrong = {"turn_at": years, "free_at": years, "resting_until": years, "refusals": 1}
    guest.refused("a.org", None)
    path = next(tmp_path.glob("*.json"))
    path.write_text(guest.state("a.org").model_copy(update=wrong).model_dump_json())
    until = guest.states()[0].resting_until
    assert until - time.time() == pytest.approx(50, abs=2)
    assert guest.state("a.org").resting_until == until, "written down: looking again does not make it longer"
    assert guest.state("a.org").free_at - time.time() < 60
    guest._change("a.org", lambda state: state.model_copy(update={"resting_until": 0.0, "free_at": 0.0}))
    guest.wait_turn("a.org")


def test_long_waits_are_said_with_what_and_how_long(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    guest = hosts(tmp_path, pause_s=300)
    guest.refused("a.org", None)
    assert "waiting 5 min for a.org, which refused 1 times in a row" in caplog.text
    with pytest.raises(HostResting, match="left alone for 5 min"):
        guest.wait_turn("a.org")


def test_a_note_of_an_earlier_release_is_read(tmp_path: Path):
    guest = hosts(tmp_path)
    guest.refused("a.org", None, "YouTube gives pictures only")
    path, until = next(tmp_path.glob("*.json")), guest.state("a.org").resting_until
    noted = json.loads(path.read_text())
    assert noted.pop("trouble") == "YouTube gives pictures only"
    path.write_text(json.dumps(noted))
    assert (guest.state("a.org").resting_until, guest.state("a.org").trouble) == (until, "")
