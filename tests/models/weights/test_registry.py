import re
from urllib.parse import urlsplit

import pytest

from models.weights.cache import shipped
from models.weights.registry import SHIPPED_SHA256, WEIGHTS, CommercialUse, WeightFile
from tests.models.weights.frozen_names import HOW, REGISTERED, SHIPPED

UNSTATED = {"dust3r_vitl_512_linear", "maskdino_r50", "san_vit_b_16", "san_vit_large_14"}
"""Weights whose checksum neither their authors nor anybody else was found to state."""


@pytest.mark.parametrize("name", WEIGHTS)
def test_an_entry_names_a_plain_file_web_addresses_and_a_licence(name: str):
    entry = WEIGHTS[name]
    assert entry.name == name
    assert "/" not in entry.file_name
    assert entry.urls
    for url in entry.urls:
        assert urlsplit(url).scheme in ("http", "https")
        assert urlsplit(url).hostname
    assert entry.licence
    assert entry.use
    assert entry.size_bytes > 10_000_000
    assert entry.sha256 is None or len(bytes.fromhex(entry.sha256)) == 32


@pytest.mark.parametrize("name", WEIGHTS)
def test_plain_http_is_the_last_resort_and_only_for_a_file_whose_checksum_is_known(name: str):
    schemes = [urlsplit(url).scheme for url in WEIGHTS[name].urls]
    assert schemes[0] == "https"
    assert "http" not in schemes or WEIGHTS[name].checksums


@pytest.mark.parametrize("name", WEIGHTS)
def test_a_hub_is_asked_for_a_revision_unless_nobody_states_one(name: str):
    for url in WEIGHTS[name].urls:
        revision = url.partition("/resolve/")[2].partition("/")[0]
        assert not revision or re.fullmatch(r"[0-9a-f]{40}", revision) or name in UNSTATED


def test_only_files_of_which_nobody_states_a_checksum_are_trusted_on_first_use():
    assert {name for name, entry in WEIGHTS.items() if not entry.checksums} == UNSTATED
    stated = [sha256 for entry in WEIGHTS.values() for sha256 in entry.checksums]
    assert all(re.fullmatch(r"[0-9a-f]{64}", sha256) for sha256 in stated)
    assert len(set(stated)) == len(stated)


def test_a_name_stands_for_what_it_always_stood_for_as_fingerprints_hold_names_alone():
    now = {name: entry.checksums for name, entry in WEIGHTS.items()}
    changed = sorted(name for name in {*now, *REGISTERED} if now.get(name) != REGISTERED.get(name))
    assert changed == [], f"{', '.join(changed)}: {HOW} (of a new name: add it to the table)"


def test_no_two_entries_share_a_file_of_the_cache():
    files = [entry.file_name for entry in WEIGHTS.values()]
    assert len(set(files)) == len(files)


def test_the_checksums_of_what_is_shipped_are_those_that_names_have_always_stood_for():
    assert SHIPPED_SHA256 == SHIPPED


def test_a_name_is_registered_or_shipped_but_not_both():
    assert set(WEIGHTS).isdisjoint(shipped())


def test_whether_commercial_use_is_allowed_was_read_for_every_entry():
    """By hand, from what its authors publish: a new entry is read by somebody who adds it here."""
    of_family = {
        CommercialUse.FORBIDDEN: "dust3r_vitl_224_linear dust3r_vitl_512_dpt "
        "dust3r_vitl_512_dpt_hub dust3r_vitl_512_linear",
        CommercialUse.UNSTATED: "san_vit_b_16 san_vit_large_14",
        CommercialUse.ALLOWED: "da3_base da3_metric_large da3_small dinov2_base dinov2_large dinov2_small maskdino_r50 "
        "moge_2_vitb moge_2_vitl moge_2_vits resnet18_places365 resnet50_places365",
    }
    for use, names in of_family.items():
        assert sorted(name for name, entry in WEIGHTS.items() if entry.commercial is use) == names.split()


def test_what_an_entry_says_of_its_licence_agrees_with_whether_commercial_use_is_allowed():
    for entry in WEIGHTS.values():
        assert ("NC" in entry.licence) == (entry.commercial is CommercialUse.FORBIDDEN), entry.name
        assert ("none stated" in entry.licence) == (entry.commercial is CommercialUse.UNSTATED), entry.name
        assert entry.use.startswith("anything") == (entry.commercial is CommercialUse.ALLOWED), entry.name


def test_weights_of_which_nobody_has_said_it_are_not_taken_for_free():
    said_nothing = WeightFile("toy", "toy.pth", ("https://example.org/toy.pth",), 1, None, "MIT", "anything")
    assert said_nothing.commercial is CommercialUse.UNSTATED


def test_depth_anything_and_moge_are_for_anything_and_say_what_they_were_trained_on():
    entries = [entry for name, entry in WEIGHTS.items() if name.startswith(("da3_", "moge_"))]
    assert len(entries) == 6
    assert {entry.commercial for entry in entries} == {CommercialUse.ALLOWED}
    assert all("training sets" in entry.use for entry in entries)
