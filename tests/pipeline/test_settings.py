"""Settings: layers, bounds, and errors that name the value."""

from pathlib import Path

import pytest

from pipeline.contract.errors import SettingsError
from pipeline.settings import PROFILES, load_settings
from pipeline.tours.seeds import seed_list


def test_file_lies_over_profile_and_values_over_the_file(tmp_path: Path):
    file = tmp_path / "mine.yaml"
    file.write_text("clips: {frames_per_second: 4, frames_max: 20}\n")
    settings = load_settings("classic", file, {"clips": {"frames_max": 22}})
    assert (settings.clips.frames_per_second, settings.clips.frames_max) == (4, 22)
    assert settings.clips.clip_min_s == load_settings().clips.clip_min_s


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_is_valid(profile: str):
    assert load_settings(profile).profile == profile


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("clips: {frames_per_second: -1}", "clips.frames_per_second"),
        ("clips: {no_such: 1}", "clips.no_such"),
        ("- a list", "must hold a mapping"),
        ("clips: {", "is no YAML"),
        ("!!python/object/apply:os.system [true]", "is no YAML"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(tmp_path: Path, content: str, named: str):
    file = tmp_path / "mine.yaml"
    file.write_text(content)
    with pytest.raises(SettingsError, match=named):
        load_settings("classic", file)


def test_an_unknown_profile_lists_those_there_are():
    with pytest.raises(SettingsError, match="classic"):
        load_settings("cubist")


def test_seeds_are_ranges_and_lists():
    assert seed_list("3,5,8-10") == [3, 5, 8, 9, 10]
    with pytest.raises(SettingsError, match="one"):
        seed_list("one")
