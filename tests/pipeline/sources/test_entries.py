"""Entries of a sources file: strings and mappings, their rules, and what cannot be understood."""

import json
from pathlib import Path

import pytest

from pipeline.contract.errors import SettingsError
from pipeline.sources.entries import (
    DEFAULT_SOURCES,
    SOURCES_VARIABLE,
    SourceEntry,
    SourceKind,
    listed_sources,
    read_entries,
    sources_text,
)
from pipeline.sources.rules import SourceRules


def listing(folder: Path, *entries: object, **more: object) -> Path:
    path = folder / "sources.yaml"
    path.write_text(json.dumps({"sources": entries, **more}))
    return path


def test_the_first_key_of_a_mapping_says_what_is_listed(tmp_path: Path):
    entries = [{kind: f"https://example.org/{kind}"} for kind in SourceKind]
    found = read_entries(str(listing(tmp_path, *entries))).entries
    assert [entry.kind for entry in found] == list(SourceKind)
    assert [entry.source for entry in found] == [f"https://example.org/{kind}" for kind in SourceKind]


def test_a_string_is_whatever_its_form_says(tmp_path: Path):
    (entry,) = read_entries(str(listing(tmp_path, " tour://5 "))).entries
    assert (entry.kind, entry.source) == (SourceKind.SOURCE, "tour://5")


def test_an_entry_is_named_in_one_line():
    assert SourceEntry(source="tour://5").name == "tour://5"
    assert SourceEntry(kind=SourceKind.SEARCH, source="house tour").name == "search house tour"


def test_the_rules_that_matter_when_a_video_is_fetched_are_kept_and_no_others():
    entry = SourceEntry(kind=SourceKind.FEED, source="https://a.org", limit=9, duration_max_s=60, creative_commons=True)
    assert SourceRules.model_validate_json(entry.rules_json()) == SourceRules(duration_max_s=60, creative_commons=True)
    assert SourceEntry(kind=SourceKind.FEED, source="https://a.org", limit=9).rules_json() == ""


def test_a_file_gives_its_folder_and_the_profile_that_suits_it(tmp_path: Path):
    found = read_entries(str(listing(tmp_path, "tour://1", profile="small")))
    assert (found.folder, found.file, found.profile) == (tmp_path, tmp_path / "sources.yaml", "small")


def test_a_text_lists_sources_between_blanks_and_quotes_hold_blanks_together():
    found = read_entries("tour://1 'my house.mp4'  https://example.org/a.mp4")
    assert [entry.source for entry in found.entries] == ["tour://1", "my house.mp4", "https://example.org/a.mp4"]
    assert (found.folder, found.file) == (Path(), None)


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ({"channel": "a", "feed": "b"}, "this one names channel, feed"),
        ({"limit": 3}, "this one names none of them"),
        ({"feed": "http://a.org/", "limit": 0}, "limit"),
        ({"feed": "http://a.org/", "title_include": ["("]}, "no regular expression"),
        ({"feed": "http://a.org/", "since": "2024-01-01", "until": "2023-01-01"}, "since lies after until"),
        ({"feed": "http://a.org/\u202e"}, "printable"),
        ({"feed": "   "}, "printable"),
        ({"feed": "http://a.org/", "shell": "rm"}, "shell"),
        ({"feed": ["http://a.org/"]}, "source"),
        (3, "sources"),
        (None, "sources"),
    ],
)
def test_an_entry_that_makes_no_sense_is_named(tmp_path: Path, entry: object, complaint: str):
    with pytest.raises(SettingsError, match=complaint) as refused:
        read_entries(str(listing(tmp_path, entry)))
    assert str(tmp_path / "sources.yaml") in str(refused.value)


@pytest.mark.parametrize(
    "content",
    ["", "sources: 3", "sources: []", "sources: [{path: a}]", "sources: [", "sources: ['']", "a: !!python/object:b {}"],
)
def test_a_file_that_makes_no_sense_is_refused(tmp_path: Path, content: str):
    path = tmp_path / "sources.yml"
    path.write_text(content)
    with pytest.raises(SettingsError, match=r"sources\.yml"):
        read_entries(str(path))


def test_bytes_that_are_no_text_are_refused(tmp_path: Path):
    (tmp_path / "sources.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="is no list of sources"):
        read_entries(str(tmp_path / "sources.yaml"))


@pytest.mark.parametrize("text", ["", "   ", "'unclosed", "missing.yaml"])
def test_a_text_without_sources_is_refused(text: str):
    with pytest.raises(SettingsError):
        read_entries(text)


def test_sources_are_those_given_then_those_of_the_environment_then_the_file_at_hand(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(SOURCES_VARIABLE, raising=False)
    assert sources_text(None) == DEFAULT_SOURCES
    monkeypatch.setenv(SOURCES_VARIABLE, "tour://2")
    assert sources_text(None) == "tour://2"
    assert sources_text("tour://3") == "tour://3"


def test_nobody_need_have_named_sources_but_what_was_named_must_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(SOURCES_VARIABLE, raising=False)
    assert listed_sources(None, required=False) is None
    with pytest.raises(SettingsError, match=r"sources\.yaml"):
        listed_sources(None)
    with pytest.raises(SettingsError, match=r"mine\.yaml"):
        listed_sources("mine.yaml", required=False)
    listing(tmp_path, "tour://4")
    found = listed_sources(None, required=False)
    assert found is not None
    assert [entry.source for entry in found.entries] == ["tour://4"]
