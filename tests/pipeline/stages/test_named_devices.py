"""A device that this machine does not have is named with its setting, and is no fault of a video."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.contract.errors import DeviceMissing, SettingsError
from pipeline.settings import Settings, load_settings
from pipeline.stages.failures import record_failure, worth_trying
from pipeline.stages.indoor_clips.backends import indoor_filter
from pipeline.stages.named_devices import named_devices
from pipeline.stages.reconstruction.backends import reconstructor
from pipeline.stages.semantics.backends import segmenter
from pipeline.stages.semantics.san import SanSegmenter
from pipeline.store.store import Store

AWAY = "cuda:63"
"""Which no machine has; one with cards is asked for too many, one without for any."""

NOISE = np.random.default_rng(0).integers(0, 256, (3, 480, 640, 3), np.uint8)


def told(stage: str, backend: str, **own: Any) -> Settings:
    return load_settings("small", None, {stage: {"backend": backend, backend: {"device": AWAY, **own}}})


def filtered(_: Path) -> None:
    indoor_filter(told("indoor_clips", "imagenet").indoor_clips).score(NOISE)


def reconstructed(tmp_path: Path) -> None:
    settings = told("reconstruction", "dust3r", weights="dust3r_small")
    reconstructor(settings.reconstruction).reconstruct(NOISE, tmp_path)


def labelled(_: Path) -> None:
    chosen = segmenter(told("semantics", "san").semantics)
    assert isinstance(chosen, SanSegmenter)
    chosen.label(NOISE, (48, 64))


@pytest.mark.parametrize("use", [filtered, reconstructed, labelled])
def test_a_stage_names_it_and_the_video_is_tried_again_without_counting(use: Any, tmp_path: Path):
    with pytest.raises(DeviceMissing, match=f"device '{AWAY}' cannot be used here") as missing:
        use(tmp_path)
    assert isinstance(missing.value, SettingsError)
    assert "\n" not in str(missing.value)
    video = Store(tmp_path / "data").video("a")
    for _ in range(4):
        failure = record_failure(video, "semantics", "0123", missing.value)
        assert worth_trying(failure, "0123", give_up_after=2)


def test_devices_of_chosen_backends_count_and_no_others():
    assert dict(named_devices(load_settings("small"))) == {}
    named = told("semantics", "san")
    assert dict(named_devices(named)) == {"semantics.san.device": AWAY}
    assert dict(named_devices(named, "scene")) == {}
    paper = load_settings("youtube_occ", None, {"semantics": {"closed_set": {"folder": "x", "device": AWAY}}})
    assert dict(named_devices(paper)) == {"reconstruction.dust3r.alignment.device": "cpu"}
