import json
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from models.bench import dust3r
from models.bench.dust3r import ClipSeconds, compare_clip, cyclic_window, difference, measure_parts, name_seeded_images
from models.dust3r import Dust3r, PointMap
from tests.models.tiny_dust3r import LINEAR, build


@pytest.fixture(scope="module")
def network() -> Dust3r:
    return build(LINEAR)


def test_a_cyclic_window_pairs_each_frame_with_the_next_ones_both_ways():
    edges = cyclic_window(5, 2)
    assert len(edges) == 2 * 5 * 2
    assert edges[:4].tolist() == [[0, 1], [1, 0], [0, 2], [2, 0]]
    assert {tuple(edge) for edge in edges.tolist()} == {(a, b) for a in range(5) for b in range(5) if a != b}
    assert [4, 1] in edges.tolist(), "the window goes round the end"


def test_the_report_scales_the_baselines_to_all_pairs():
    seconds = ClipSeconds(directed_pairs=10, encode=2.0, decode=3.0, every_time=[1.0, 2.0], every_time_plain=[4.0])
    report = seconds.report()
    assert report["encode_once_s"] == 5
    assert report["every_time_s"] == 15
    assert report["faster_than_every_time"] == 3
    assert report["faster_than_upstreams_way"] == 8


def test_a_difference_is_relative_and_the_largest_of_points_and_confidences():
    one = PointMap(torch.tensor([3.0, 0, 4]).expand(1, 2, 2, 3), torch.full((1, 2, 2), 2.0))
    nearer = PointMap(one.points * 0.75, one.confidence)
    surer = PointMap(one.points, one.confidence * 2)
    assert difference(one, one) == 0
    assert difference(nearer, one) == pytest.approx(0.25)
    assert difference(surer, one) == pytest.approx(1)


def test_encoding_once_gives_what_encoding_for_every_pair_gives(network: Dust3r):
    with torch.inference_mode():
        clip = compare_clip(network, name_seeded_images(3, 32, 48), cyclic_window(3, 1), baseline_pairs=3)
    assert clip.directed_pairs == 6
    assert len(clip.every_time) == len(clip.every_time_plain) == 3, "every second pair of six"
    assert min(clip.encode, clip.decode, *clip.every_time) > 0
    # float32 noise of the worst pixel; see the tests of the network
    assert clip.difference < 1e-3


def test_parts_are_measured_and_preparing_views_never_makes_decoding_slower(network: Dust3r):
    with torch.inference_mode():
        parts = measure_parts(network, name_seeded_images(2, 32, 48))
    assert all(value > 0 for value in parts.values())
    assert parts["all_cached_makes_decoding_faster"] >= 1
    assert parts["cached_decoder_embed_makes_decoding_faster"] >= 1


def test_the_command_writes_what_it_prints(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    import typer

    monkeypatch.setattr(dust3r, "SMALL", LINEAR)
    app = typer.Typer()
    app.command()(dust3r.main)
    sizes = ["--frames", "3", "--width", "48", "--height", "32", "--window", "1", "--baseline-pairs", "1", "--small"]
    threads = torch.get_num_threads()
    run = CliRunner().invoke(app, [*sizes, "--output", str(tmp_path / "new" / "clip.json")])
    torch.set_num_threads(threads)
    assert run.exit_code == 0, run.output
    measured = json.loads((tmp_path / "new" / "clip.json").read_text())
    assert measured["clip"] == {"frames": 3, "size": [48, 32], "window": 1, "threads": 1, "device": "cpu"}
    assert measured["gpu"] == "no GPU"
    assert json.loads(run.output[run.output.index("{") :]) == measured
