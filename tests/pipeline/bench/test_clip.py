import json
from pathlib import Path

import numpy as np
import pytest
import torch
import typer
from typer.testing import CliRunner

from models import name_seeded
from pipeline.bench import clip as bench
from pipeline.bench.alignment import room_points
from pipeline.bench.clip import NOISE, RoomNetwork, main
from pipeline.stages.reconstruction.dust3r.alignment.graph import video_pairs
from tests.models.tiny_dust3r import LINEAR

FRAMES = 3
EDGES = video_pairs(FRAMES, 1, strides=(), complete_up_to=2)


def network_of(every: int) -> RoomNetwork:
    network = RoomNetwork(LINEAR, EDGES, FRAMES, every)
    network.eval().requires_grad_(requires_grad=False)
    name_seeded.fill(network)
    return network


def test_images_that_are_not_run_get_the_tokens_of_the_first(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bench, "SIZE", (32, 48))
    network = network_of(every=2)
    images = torch.from_numpy(np.stack([name_seeded.image(name, 32, 48) for name in "abc"]))
    tokens = [network.encode(image[None]).features for image in images]
    assert (network.encoded, network.images_run) == (3, 2)
    assert torch.equal(tokens[1], tokens[0])
    assert not torch.equal(tokens[2], tokens[0])


def test_answers_are_the_room_seen_from_the_first_image_of_a_pair(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bench, "SIZE", (24, 32))
    network = network_of(every=100)
    rows = EDGES[:2]
    for side in (0, 1):
        answer = network._room(rows, side)
        for found, (first, second) in zip(answer.points, rows, strict=True):
            world = room_points(network.cameras[(first, second)[side]], 24, 32)
            to_first = np.linalg.inv(network.cameras[first])
            error = found.numpy() - (world @ to_first[:3, :3].T + to_first[:3, 3])
            assert np.abs(error).mean() == pytest.approx(NOISE * np.sqrt(2 / np.pi), rel=0.1), "noise, and nothing else"
        assert (answer.confidence == 5).all()


def test_noise_differs_between_the_sides_and_pairs_of_an_image(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bench, "SIZE", (24, 32))
    network = network_of(every=100)
    first = network._room(np.array([[0, 1]]), 0).points
    second = network._room(np.array([[0, 2]]), 0).points
    assert first.shape == (1, 24, 32, 3)
    assert not torch.equal(first, second)
    assert torch.equal(first, network._room(np.array([[0, 1]]), 0).points)


def test_the_command_reconstructs_a_clip_and_states_memory_and_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(bench, "SMALL", LINEAR)
    app = typer.Typer()
    app.command()(main)
    threads = torch.get_num_threads()
    given = ["--frames", str(FRAMES), "--window", "1", "--every", "2", "--small", "--device", "cpu"]
    printed = CliRunner().invoke(app, [*given, "--output", str(tmp_path / "new" / "clip.json")], catch_exceptions=False)
    torch.set_num_threads(threads)
    found = json.loads((tmp_path / "new" / "clip.json").read_text())
    assert json.loads(printed.output[printed.output.index("{\n") :]) == found
    assert found["clip"] == {"frames": FRAMES, "size": [512, 384], "directed_pairs": len(EDGES)}
    assert found["aligned"] == FRAMES
    assert found["gpu"] == "no GPU"
    assert 0 < found["run_for_real"]["pairs"] <= len(EDGES)
    # Points of three half floats and a confidence for either side of a pair.
    assert found["pairs_on_disk_gb"] >= len(EDGES) * 2 * 384 * 512 * 4 * 2 / 1e9
    memory = found["peak_memory_gb"]
    assert memory["network_loaded"] <= memory["pairs_predicted"] <= memory["in_all"]
    spent = sum(found["seconds"].values())
    assert found["clips_per_minute"] == pytest.approx(60 / spent, rel=1e-3)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["clip.json"], "scratch is removed"


def test_pairs_that_are_not_run_are_answered_all_the_same(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bench, "SIZE", (32, 48))
    network = network_of(every=3)
    tokens = network.encode(torch.from_numpy(name_seeded.image("a", 32, 48))[None])
    views = network.prepare(tokens, 1), network.prepare(tokens, 2)
    answers = [network.decode_prepared(*views) for _ in EDGES]
    assert (network.decoded, network.pairs_run) == (len(EDGES), 2)
    for row, (first, _) in zip(EDGES, answers, strict=True):
        assert torch.equal(first.points, network._room(row[None], 0).points)


def test_the_size_of_a_network_is_told_in_millions():
    network = network_of(every=1)
    millions = sum(parameter.numel() for parameter in network.parameters()) / 1e6
    assert bench._size(network) == f"{millions:.0f} million parameters, torch.float32"
