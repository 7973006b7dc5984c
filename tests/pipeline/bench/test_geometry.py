import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import typer
from typer.testing import CliRunner

from models import name_seeded
from models.da3.name_seeded import TINY
from models.errors import NoSuchDevice
from models.moge.name_seeded import TINY_MOGE
from pipeline.bench.clip_cost import ClipCost, device_table, table
from pipeline.bench.geometry import TimedRoom, da3, dust3r, main, moge
from tests.models.tiny_dust3r import LINEAR


def test_what_a_network_costs_is_counted_over_all_frames():
    one, two = (da3("tiny", frames, TINY, 56) for frames in (3, 6))
    assert two.frames == 6
    assert two.gflop > 1.9 * one.gflop > 0
    assert one.cpu_s > 0
    assert 0.05 < one.peak_gb < 64


def test_pictures_that_each_are_looked_at_by_themselves_cost_alike():
    cost = moge("tiny", 10, TINY_MOGE)
    assert cost.computed
    assert cost.gflop == pytest.approx(5 * moge("tiny", 2, TINY_MOGE).gflop)


def test_seconds_of_pairs_that_are_not_run_are_computed(monkeypatch: pytest.MonkeyPatch):
    for module in ("clip", "geometry", "operations"):
        monkeypatch.setattr(f"pipeline.bench.{module}.SIZE", (96, 128))
    cost = dust3r(8, LINEAR)
    assert cost.note.startswith("2 of 8 pictures and 7 of 40 pairs run; alignment ")
    assert cost.computed
    assert cost.cpu_s > 0


def test_a_room_is_timed_where_its_network_runs(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pipeline.bench.clip.SIZE", (32, 48))
    network = TimedRoom(LINEAR, 5, every=100).eval().requires_grad_(requires_grad=False)
    name_seeded.fill(network)
    image = torch.from_numpy(name_seeded.image("a", 32, 48))[None]
    tokens = network.encode(image)
    views = network.prepare(tokens, 1), network.prepare(tokens, 2)
    network.decode_prepared(*views)
    spent = network.image_s, network.prepared_s, network.pair_s
    assert min(spent) > 0
    network.encode(image)
    network.decode_prepared(*views)
    assert (network.image_s, network.prepared_s, network.pair_s) == spent, "what is not run costs nothing"


def test_the_table_has_ratios_to_dust3r_of_as_many_frames_and_marks_what_is_computed():
    rows = [
        ClipCost("da3_base", 8, 20.0, 900.0, 1.5),
        ClipCost("dust3r", 8, 200.0, 9000.0, 4.0, "36 pairs", computed=True),
        ClipCost("colmap", 16, 30.0, 0.0, 1.0),
    ]
    lines = table(rows).splitlines()
    assert "| 20 | 900 | 1.5 | 10.0x |" in lines[2]
    assert "| 200\\* | 9,000 | 4.0 | 1.0x | 36 pairs |" in lines[3]
    assert lines[4] == "| `colmap` | 16 | 30 |  | 1.0 |  |  |"
    assert lines[-1].startswith("\\* computed")


@pytest.mark.parametrize(
    "measure", [lambda: da3("tiny", 3, TINY, 56, "cpu"), lambda: moge("tiny", 3, TINY_MOGE, "cpu")]
)
def test_a_network_says_what_device_it_ran_on_and_how_many_clips_a_minute_that_gives(measure: Callable[[], ClipCost]):
    cost = measure()
    assert cost.device == "cpu"
    assert cost.seconds > 0
    assert cost.clips_a_minute == pytest.approx(60 / cost.seconds)
    assert cost.share == 0, "of a CPU no rate is measured"


def test_a_device_that_is_not_there_is_refused_by_name():
    with pytest.raises(NoSuchDevice, match="abacus"):
        da3("tiny", 3, TINY, 56, "abacus")


def test_ways_without_a_network_alone_are_refused_on_a_device():
    app = typer.Typer()
    app.command()(main)
    refused = CliRunner().invoke(app, ["--device", "cuda", "--way", "colmap"])
    assert refused.exit_code == 2
    assert "da3_small, da3_base, moge_s, moge_b" in " ".join(refused.output.replace("│", "").split())


def test_a_way_that_ends_without_a_result_is_named_and_the_others_are_measured(tmp_path: Path):
    app = typer.Typer()
    app.command()(main)
    asked = ["--way", "da3_small", "--way", "moge_s", "--frames", "0", "--output", str(tmp_path / "rows.json")]
    said = CliRunner().invoke(app, asked)
    assert said.exit_code == 1
    lines = said.output.splitlines()
    assert lines[-1] == "**Not measured**: da3_small with 0 frames, whose process ended with status 1"
    assert [row["way"] for row in json.loads((tmp_path / "rows.json").read_text())] == ["moge_s"]
    assert any(line.startswith("| `moge_s` | 0 |") for line in lines)


def test_the_table_of_a_device_has_clips_a_minute_and_its_share():
    rows = [
        ClipCost("da3_base", 16, 1.0, 900.0, 3.5, device="cuda", seconds=0.5, share=0.25),
        ClipCost("moge_s", 16, 1.0, 90.0, 1.5, computed=True, device="cuda", seconds=2.0),
    ]
    lines = device_table(rows).splitlines()
    assert lines[2] == "| `da3_base` | cuda | 16 | 0.50 | 120.0 | 25% | 3.5 |"
    assert lines[3] == "| `moge_s` | cuda | 16 | 2.00\\* | 30.0 |  | 1.5 |"
