"""Settings: layers, bounds, and errors that name the value."""

from pathlib import Path

import pytest

from pipeline.cli.app import seed_list
from pipeline.contract.errors import SettingsError
from pipeline.contract.values import parsed
from pipeline.settings import PROFILES, load_settings


def test_file_lies_over_profile_and_values_over_the_file(tmp_path: Path):
    file = tmp_path / "mine.yaml"
    file.write_text("scenes: {frames_per_second: 4, frames_max: 20}\n")
    settings = load_settings("classic", file, {"scenes": {"frames_max": 22}})
    assert (settings.scenes.frames_per_second, settings.scenes.frames_max) == (4, 22)
    assert settings.scenes.clip_min_s == load_settings().scenes.clip_min_s


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_is_valid(profile: str):
    assert load_settings(profile).profile == profile


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("scenes: {frames_per_second: -1}", "scenes.frames_per_second"),
        ("scenes: {no_such: 1}", "scenes.no_such"),
        ("- a list", "must hold a mapping"),
        ("scenes: {", "cannot read"),
        ("!!python/object/apply:os.system [true]", "cannot read"),
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


def test_single_values_are_read_as_yaml():
    assert parsed(["scenes.clip_min_s=2", "scenes.frames_max=9", "indoor.backend=sky_rule"]) == {
        "scenes": {"clip_min_s": 2, "frames_max": 9},
        "indoor": {"backend": "sky_rule"},
    }
    with pytest.raises(SettingsError, match=r"stage\.name=value"):
        parsed(["scenes"])


def test_seeds_are_ranges_and_lists():
    assert seed_list("3,5,8-10") == [3, 5, 8, 9, 10]
    with pytest.raises(SettingsError, match="one"):
        seed_list("one")
