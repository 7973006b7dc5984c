"""Fingerprints: the same for what is the same, in every process and release, and another for anything else."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.contract.records import LeftOut
from pipeline.store.provenance import Cost, Provenance, fingerprint, joined

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
FIELDS: dict[str, Any] = {
    "stage": "scene",
    "backend": "wall_height",
    "code_version": "2",
    "settings": {"wall_height_m": 2.8},
    "weights": {"san.pth": "0" * 64},
    "fingerprint": "0123456789abcdef",
    "seconds": 1.5,
    "counts": {"clips": 2},
}


def test_a_fingerprint_is_the_hash_of_stage_code_settings_and_input():
    # Written out: stored datasets hold these values, and another spelling would build everything again.
    content = '["clips", "1", {"a": [1, 2.5], "b": null}, "tour-5"]'
    expected = hashlib.sha256(content.encode()).hexdigest()[:16]
    assert fingerprint("clips", "1", {"b": None, "a": [1, 2.5]}, "tour-5") == expected


def test_what_a_later_release_notes_beside_is_passed_over():
    cost = {"cpu_seconds": 1.0, "gpu_seconds": 0.0, "peak_bytes": 1, "joules": 5.0}
    made = Provenance.model_validate(FIELDS | {"mood": "good", "cost": cost})
    assert made == Provenance(**FIELDS, cost=Cost(cpu_seconds=1.0, gpu_seconds=0.0, peak_bytes=1), created=made.created)


@pytest.mark.parametrize("change", [("scene", "1", {"a": 1}, "up"), ("clips", "2", {"a": 1}, "up")])
def test_another_stage_or_code_gives_another_fingerprint(change: tuple[str, str, dict[str, int], str]):
    assert fingerprint(*change) != fingerprint("clips", "1", {"a": 1}, "up")


@given(st.dictionaries(st.text(max_size=4), PLAIN, max_size=4))
@settings(max_examples=40)
def test_the_order_in_which_settings_are_named_does_not_matter(values: dict[str, Any]):
    backwards = dict(reversed(values.items()))
    assert fingerprint("clips", "1", values, "up") == fingerprint("clips", "1", backwards, "up")


@given(st.dictionaries(st.text(max_size=4), st.integers(), min_size=1, max_size=4), st.text(max_size=5))
@settings(max_examples=40)
def test_any_changed_setting_or_input_gives_another_fingerprint(values: dict[str, int], upstream: str):
    first = next(iter(values))
    found = fingerprint("clips", "1", values, upstream)
    assert found != fingerprint("clips", "1", {**values, first: values[first] + 1}, upstream)
    assert found != fingerprint("clips", "1", values, f"{upstream}.")
    assert len(found) == 16
    assert int(found, 16) >= 0


def test_settings_that_are_paths_count_by_their_text():
    assert fingerprint("s", "1", {"folder": Path("/a")}, "") == fingerprint("s", "1", {"folder": "/a"}, "")


def test_one_input_stands_for_itself_and_several_for_all_of_them_in_order():
    assert joined(["abc"]) == "abc"
    assert joined(["a", "b"]) == fingerprint("joined", "", {}, "a b")
    assert joined(["a", "b"]) != joined(["b", "a"])
    assert joined(["a", "b"]) != joined(["a", "c"])


def test_provenance_reads_back_with_what_was_left_out():
    made = Provenance(**FIELDS, left_out=(LeftOut("scene", 3, "NoUpDirection", "a lone wall"),), notes=("one", "two"))
    assert Provenance.model_validate(made.model_dump(mode="json")) == made
    assert Provenance.model_validate_json(made.model_dump_json()).left_out[0].clip_id == 3


def test_what_a_result_cost_is_read_back_and_unknown_of_earlier_releases():
    cost = Cost(cpu_seconds=2.5, gpu_seconds=0.5, peak_bytes=1_000_000)
    made = Provenance(**FIELDS, cost=cost)
    assert Provenance.model_validate(made.model_dump(mode="json")).cost == cost
    assert Provenance.model_validate(FIELDS).cost is None


def test_when_it_was_made_is_noted_by_itself_in_whole_seconds_of_utc():
    created = datetime.fromisoformat(Provenance(**FIELDS).created)
    assert created.tzinfo is not None
    assert created.microsecond == 0
    assert timedelta() <= datetime.now(UTC) - created < timedelta(minutes=5)


@pytest.mark.parametrize("change", [{"stage": None}, {"seconds": "long"}, {"left_out": [{"stage": "scene"}]}])
def test_notes_of_another_form_are_refused(change: dict[str, Any]):
    with pytest.raises(ValidationError):
        Provenance.model_validate(FIELDS | change)
