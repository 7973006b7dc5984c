"""Settings of training: their defaults, and what of them names a network that was trained before."""

import hashlib
import json
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from pipeline.contract.values import with_values
from tests.training.tiny_runs import quick
from training.settings import (
    INDECISIVE,
    LATER,
    ChunkSettings,
    DistillSettings,
    FinetuneSettings,
    LanguageSettings,
    LoopSettings,
)
from training.studies.label_efficiency import Study
from training.studies.pillars import PillarStudy

FIRST_RELEASE = {
    "epochs": 30,
    "steps": None,
    "batch_size": 1,
    "accumulate": 1,
    "learning_rate": 2e-4,
    "encoder_rate": 0.1,
    "epsilon": 1e-3,
    "weight_decay": 1e-4,
    "decay_at": 25 / 30,
    "clip_norm": 35.0,
    "seed": 0,
    "precision": "32-true",
    "accelerator": "auto",
    "devices": 1,
    "workers": 2,
    "checkpoint_every": 100,
    "log_every": 10,
}
"""All there was to say of a loop, and its defaults."""


def digest(settings: BaseModel) -> str:
    content = json.dumps([settings.model_dump(mode="json")], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def test_what_was_trained_in_the_first_release_is_written_as_it_was_then():
    assert LoopSettings().model_dump(mode="json") == FIRST_RELEASE
    assert DistillSettings().loop.model_dump() == {**FIRST_RELEASE, "learning_rate": 8e-4}
    assert FinetuneSettings().loop == LanguageSettings().loop == LoopSettings()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (DistillSettings(), "0a1b9b221560"),
        (FinetuneSettings(), "1d5ac8e146f0"),
        (LanguageSettings(), "d0c679a45ab2"),
        (Study(), "185e784aca9d"),
        (PillarStudy(), "a6428efd5178"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_folders_of_networks_made_in_the_first_release_are_found_again(settings: BaseModel, expected: str):
    """The assets name folders by digests of settings; these are those that the first release gave."""
    assert digest(settings) == expected


def test_later_fields_are_new_to_the_first_release_and_do_not_change_what_it_did():
    fields = LoopSettings.model_fields
    assert set(LATER) == fields.keys() - FIRST_RELEASE.keys()
    loop = LoopSettings()
    assert (loop.schedule, loop.warm_up, loop.betas, loop.ema_decay) == ("step", 0, (0.9, 0.999), 0)
    assert (loop.weight_decay_of, loop.threads) == ("all", None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("schedule", "cosine"),
        ("warm_up", 3),
        ("betas", (0.9, 0.98)),
        ("weight_decay_of", "matrices"),
        ("ema_decay", 0.5),
        ("threads", 2),
        ("score_every", 7),
    ],
)
def test_a_later_field_is_written_where_it_says_something(name: str, value: Any):
    loop = LoopSettings.model_validate({name: value})
    written = loop.model_dump()
    assert written.keys() - FIRST_RELEASE.keys() == {name}
    assert written[name] == value
    assert LoopSettings.model_validate(written) == loop
    assert LoopSettings.model_validate_json(loop.model_dump_json()) == loop


def test_what_decides_the_weights_is_all_but_where_and_how_it_runs():
    assert set(INDECISIVE) <= LoopSettings.model_fields.keys()
    elsewhere = quick(accelerator="auto", workers=7, devices=2, checkpoint_every=3, log_every=9, score_every=4)
    assert elsewhere.decisive() == quick().decisive()
    for name, value in {"seed": 4, "precision": "bf16-mixed", "epochs": 9, "betas": (0.5, 0.6)}.items():
        assert quick(**{name: value}).decisive() != quick().decisive()


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"epochs": 0}, "epochs"),
        ({"steps": 0}, "steps"),
        ({"batch_size": 0}, "batch_size"),
        ({"learning_rate": 0}, "learning_rate"),
        ({"learning_rate": -1}, "learning_rate"),
        ({"schedule": "linear"}, "schedule"),
        ({"warm_up": -1}, "warm_up"),
        ({"betas": (0.9, 1.0)}, "betas"),
        ({"betas": (0.9,)}, "betas"),
        ({"ema_decay": 1}, "ema_decay"),
        ({"decay_at": 0}, "decay_at"),
        ({"clip_norm": 0}, "clip_norm"),
        ({"threads": 0}, "threads"),
        ({"precision": "16-mixed"}, "precision"),
        ({"accelerator": "tpu"}, "accelerator"),
        ({"speed": 3}, "speed"),
    ],
)
def test_a_loop_that_cannot_run_is_refused(values: dict[str, Any], named: str):
    with pytest.raises(ValidationError, match=named):
        LoopSettings.model_validate(values)


def test_a_value_on_the_command_line_leaves_the_others_as_they_are():
    changed = with_values(DistillSettings, {"loop": {"ema_decay": 0.9}})
    assert changed.loop == DistillSettings().loop.model_copy(update={"ema_decay": 0.9})
    assert changed.loop.learning_rate == 8e-4


def test_chunks_are_of_whole_steps_and_some_are_kept():
    assert ChunkSettings(steps=1, kept=1).model_dump() == {"steps": 1, "kept": 1}
    for wrong in ({"steps": 0, "kept": 1}, {"steps": 1, "kept": 0}, {"steps": 1}):
        with pytest.raises(ValidationError):
            ChunkSettings.model_validate(wrong)
