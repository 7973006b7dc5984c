import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from models.weights.registry import WEIGHTS
from pipeline.bench import card_hours as bench
from pipeline.bench.card_hours import CARDS, CLIPS, card_hours, gflop_of, main
from pipeline.settings import load_settings
from pipeline.stages.needed_weights import needed_weights


def cheap(weights: str, frames: int) -> float:
    assert weights in WEIGHTS
    return 1.0 * frames


def test_clips_and_frames_are_those_of_the_data_set():
    assert sum(CLIPS.values()) == 651
    assert sum(frames * clips for frames, clips in CLIPS.items()) == 14_592


def test_hours_are_operations_over_the_rate(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bench, "gflop_of", cheap)
    (paper,) = card_hours("youtube_occ", share=0.5)
    assert set(paper.pflop) == {weights.name for weights in needed_weights(load_settings("youtube_occ"))}
    assert sum(paper.pflop.values()) == pytest.approx(3 * 14_592 / 1e6)
    for card, rate in CARDS.items():
        assert paper.hours[card] * 3600 * rate * 0.5 == pytest.approx(3 * 14.592)


def test_clips_without_cameras_cost_another_network(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bench, "gflop_of", cheap)
    usual, fallen = card_hours("open", share=0.3)
    assert usual.profile == "open"
    assert set(fallen.pflop) - set(usual.pflop) == {"da3_base"}
    assert fallen.hours["A100"] > usual.hours["A100"]


def test_the_networks_of_a_clip_are_counted():
    # He et al., 2016: 4.1 x 10^9 multiplications and additions a picture for ResNet-50, five pictures a clip
    assert gflop_of("resnet50_places365", 22) == pytest.approx(5 * 2 * 4.1, rel=0.03)
    assert gflop_of("san_vit_b_16", 22) == pytest.approx(22 * 180, rel=0.01)


def test_the_table_says_that_it_is_computed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(bench, "gflop_of", cheap)
    app = typer.Typer()
    app.command()(main)
    run = CliRunner().invoke(app, ["--share", "0.5", "--output", str(tmp_path / "new" / "hours.json")])
    assert run.exit_code == 0, run.output
    assert "Computed, not measured, for 651 clips with 14,592 frames: operations over 50%" in run.output
    kept = json.loads((tmp_path / "new" / "hours.json").read_text(encoding="utf-8"))
    assert kept["share"] == 0.5
    assert [row["profile"] for row in kept["rows"]][:2] == ["youtube_occ", "open"]
