import pytest
import torch

from models.da3.name_seeded import TINY
from models.moge.name_seeded import TINY_MOGE
from pipeline.bench import geometry as bench
from pipeline.bench.geometry import ClipCost, TimedRoom, counting, da3, dust3r, edges_of, moge, table
from tests.models.tiny_dust3r import LINEAR


def test_what_a_network_costs_is_counted_over_all_frames():
    one, two = (da3("tiny", frames, TINY, 56) for frames in (3, 6))
    assert two.frames == 6
    assert two.gflop > 1.9 * one.gflop > 0
    assert one.cpu_s > 0
    assert 0.05 < one.peak_gb < 64


def test_pictures_that_each_are_looked_at_by_themselves_cost_alike():
    assert moge(10, TINY_MOGE).gflop == pytest.approx(5 * moge(2, TINY_MOGE).gflop)


def test_pairs_that_are_not_run_are_reckoned(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("pipeline.bench.clip.SIZE", (96, 128))
    monkeypatch.setattr(bench, "SIZE", (96, 128))
    cost = dust3r(5, LINEAR)
    assert f"{len(edges_of(5))} pairs" in cost.note
    assert cost.cpu_s > 0
    all_run = TimedRoom(LINEAR, 5, 1)
    assert len(all_run.edges) == 20, "clips of so few frames take all pairs"


def test_the_table_has_ratios_to_dust3r_of_as_many_frames():
    rows = [ClipCost("da3_base", 8, 20.0, 900.0, 1.5), ClipCost("dust3r", 8, 200.0, 9000.0, 4.0, "36 pairs")]
    lines = table([*rows, ClipCost("colmap", 16, 30.0, 0.0, 1.0)]).splitlines()
    assert "| 20 | 900 | 1.5 | 10.0x |" in lines[2]
    assert "| 200 | 9,000 | 4.0 | 1.0x | 36 pairs |" in lines[3]
    assert lines[4] == "| `colmap` | 16 | 30 |  | 1.0 |  |  |"


def test_fused_attention_is_counted():
    query = torch.zeros(1, 2, 64, 16)
    with counting() as counter:
        torch.nn.functional.scaled_dot_product_attention(query, query, query)
    # two products of 64 x 64 x 16 in each of two heads, two operations each
    assert counter.get_total_flops() == 2 * 2 * 2 * 64 * 64 * 16
