"""Preset ``paper`` takes four samples a step, and begins with MaskDINO's weights or not at all; others need none."""

from pathlib import Path

import pytest

from models.errors import WeightsUnavailable
from models.weights.registry import WEIGHTS, CommercialUse
from pipeline.contract.errors import SettingsError
from training.paper_preset import check_encoder, image_file, with_papers_step


def test_the_papers_network_is_not_trained_without_image_weights():
    with pytest.raises(SettingsError, match=r"image_weights=maskdino_r50 .*random for random values") as refused:
        check_encoder("paper", None)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("preset", "image_weights", "start"),
    [
        ("paper", "maskdino_r50", None),
        ("paper", "random", None),
        ("paper", None, Path("pretrained")),
        ("small", None, None),
    ],
)
def test_with_weights_or_a_network_to_start_from_it_is(preset: str, image_weights: str | None, start: Path | None):
    check_encoder(preset, image_weights, start)


def test_the_name_that_it_asks_for_is_known_and_may_be_used_by_anybody():
    assert WEIGHTS["maskdino_r50"].commercial is CommercialUse.ALLOWED


@pytest.mark.parametrize("nothing", [None, "random"])
def test_random_values_are_no_file(nothing: str | None):
    assert image_file(nothing) is None


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(WeightsUnavailable, match=r"no file .*none\.pth"):
        image_file(str(tmp_path / "none.pth"))


@pytest.mark.parametrize(
    ("preset", "loop", "devices", "accumulate"),
    [
        ("paper", {}, None, 4),
        ("paper", {"batch_size": 2}, None, 2),
        ("paper", {"devices": 2, "batch_size": 4}, None, 1),
        ("paper", {}, "4", 1),
        ("paper", {"accumulate": 8}, None, 8),
        ("small", {}, None, None),
    ],
)
def test_the_papers_network_takes_four_samples_a_step_unless_told_otherwise(
    preset: str, loop: dict, devices: str | None, accumulate: int | None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    if devices:
        monkeypatch.setenv("WORLD_SIZE", devices)
    values = with_papers_step(preset, {"loop": loop, "label_share": 0.5})
    assert values["loop"].get("accumulate") == accumulate
    assert values["label_share"] == 0.5
