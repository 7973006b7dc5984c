"""Settings: layers, bounds, and errors that name the value."""

import json
import warnings
from pathlib import Path

import pytest
from pydantic import ValidationError

from pipeline.contract.errors import SettingsError
from pipeline.contract.values import parsed
from pipeline.settings import (
    DEFAULT_PROFILE,
    OWN_PROFILE,
    PROFILES,
    RENAMED,
    Layer,
    Resolved,
    described,
    environment,
    load_settings,
    resolve,
    settings_type,
    with_new_names,
)
from pipeline.stages.made_with import stored_settings
from pipeline.stages.registry import stages
from pipeline.store.store import Store
from tests.earlier import VIDEO, unpack_earlier_dataset


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


def test_single_values_are_read_as_yaml():
    assert parsed(["clips.clip_min_s=2", "clips.frames_max=9", "indoor_clips.backend=sky_rule"]) == {
        "clips": {"clip_min_s": 2, "frames_max": 9},
        "indoor_clips": {"backend": "sky_rule"},
    }
    with pytest.raises(SettingsError, match=r"stage\.name=value"):
        parsed(["clips"])


def test_the_first_layer_that_names_a_profile_or_a_file_is_heard(tmp_path: Path):
    for name, frames in (("first", 21), ("second", 22)):
        (tmp_path / f"{name}.yaml").write_text(f"clips: {{frames_max: {frames}}}")
    layers = (
        Layer("nobody"),
        Layer("the one", "small", tmp_path / "first.yaml", {"clips": {"frames_min": 4}}),
        Layer("the other", "youtube_occ", tmp_path / "second.yaml", {"clips": {"frames_min": 5, "clip_min_s": 3}}),
    )
    found = resolve(*layers)
    assert found.settings.profile == "small"
    assert (found.settings.clips.frames_max, found.settings.clips.frames_min) == (21, 4)
    assert found.settings.clips.clip_min_s == 3, "single values of all layers hold, the first on top"
    assert found.origin("clips.frames_min") == "the one"
    assert found.origin("clips.clip_min_s") == "the other"
    assert found.origin("clips.frames_max") == f"{tmp_path / 'first.yaml'}, named by the one"
    assert found.origin("semantics.san.weights") == "profile small, by the one"
    assert found.origin("dataset.poll_cron") == ""
    assert not found.follows_dataset


def test_a_file_may_name_the_profile_which_whoever_names_the_file_may_overrule(tmp_path: Path):
    file = tmp_path / "mine.yaml"
    file.write_text("profile: small\nclips: {frames_max: 21}\n")
    found = resolve(Layer("nobody"), Layer("the one", None, file), Layer("the other", "youtube_occ"))
    assert (found.settings.profile, found.settings.indoor_clips.backend) == ("small", "imagenet")
    assert found.origin("indoor_clips.backend") == f"profile small, by {file}, named by the one"
    assert found.settings.clips.frames_max == 21
    for over in (resolve(Layer("one", "classic", file)), resolve(Layer("one", "classic"), Layer("other", None, file))):
        assert (over.settings.profile, over.settings.indoor_clips.backend) == ("classic", "imagenet")
        assert over.settings.clips.frames_max == 21
    file.write_text("profile: [small]\n")
    with pytest.raises(SettingsError, match="there is no profile"):
        resolve(Layer("the one", None, file))


def test_a_value_inside_something_that_was_chosen_was_chosen_with_it():
    found = Resolved(load_settings(), {"semantics": "the file", "clips.frames_max": "the flag"})
    assert found.origin("semantics.san.weights") == "the file"
    assert (found.origin("clips.frames_max"), found.origin("clips.frames_min")) == ("the flag", "")


def test_a_dataset_goes_on_as_it_was_begun_until_a_profile_is_named(tmp_path: Path):
    store = Store(unpack_earlier_dataset(tmp_path))
    followed = resolve(Layer("here", values={"dataset": {"give_up_after": 7}}), dataset=store)
    assert followed.follows_dataset
    assert (followed.settings.profile, followed.settings.scene.scale) == ("small", "paper"), "as 'small' was then"
    assert followed.settings.clips.frames_per_second == 3
    assert followed.settings.dataset.give_up_after == 7
    named = resolve(Layer("here", "small"), dataset=store)
    assert not named.follows_dataset
    assert named.settings.clips.frames_per_second == load_settings().clips.frames_per_second
    assert named.settings.scene.scale == "evidence"


def test_an_empty_dataset_says_nothing(tmp_path: Path):
    found = resolve(dataset=Store(tmp_path))
    assert (found.settings.profile, found.follows_dataset) == (DEFAULT_PROFILE, False)


def test_settings_of_no_profile_have_a_name_of_their_own(tmp_path: Path):
    store = Store(unpack_earlier_dataset(tmp_path))
    group = Path(store.root) / "videos" / VIDEO / "scene.zarr" / "semantics" / "zarr.json"
    content = json.loads(group.read_text())
    content["attributes"]["settings"]["san"]["short_side"] = 128
    group.write_text(json.dumps(content))
    assert resolve(dataset=store).settings.profile == OWN_PROFILE


def test_stored_settings_are_those_of_the_stages_that_are_done(tmp_path: Path):
    video = Store(unpack_earlier_dataset(tmp_path)).video(VIDEO)
    assert list(stored_settings(video)) == list(stages())
    video.set_aside("scene.zarr/occupancy")
    assert "occupancy" not in stored_settings(video)
    assert stored_settings(Store(tmp_path).video("nothing")) == {}


def test_the_environment_names_a_profile_and_a_file(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("YOUTUBE_OCC_PROFILE", raising=False)
    monkeypatch.delenv("YOUTUBE_OCC_SETTINGS", raising=False)
    assert environment() == Layer("the environment")
    monkeypatch.setenv("YOUTUBE_OCC_PROFILE", "small")
    monkeypatch.setenv("YOUTUBE_OCC_SETTINGS", "/etc/mine.yaml")
    assert environment() == Layer("the environment", "small", Path("/etc/mine.yaml"))
    monkeypatch.setenv("YOUTUBE_OCC_PROFILE", "")
    assert environment().profile is None, "a variable that is set to nothing names nothing"


@pytest.mark.parametrize("old", RENAMED)
def test_old_names_are_read_with_a_warning_that_names_the_new_one(old: str):
    with pytest.warns(FutureWarning, match=f"mine: the settings '{old}' are now called '{RENAMED[old]}'"):
        assert with_new_names({old: {"a": 1}, "dataset": {}}, "mine") == {RENAMED[old]: {"a": 1}, "dataset": {}}


def test_a_value_under_the_new_name_wins_over_the_old_one():
    with pytest.warns(FutureWarning, match="'scenes'"):
        found = with_new_names({"scenes": {"a": 1, "b": 1}, "clips": {"b": 2}}, "mine")
    assert found == {"clips": {"a": 1, "b": 2}}


def test_new_names_warn_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert with_new_names({"clips": {"a": 1}}, "mine") == {"clips": {"a": 1}}


def test_a_settings_file_that_cannot_be_read_is_named(tmp_path: Path):
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe\x00")
    for name in ("bytes.yaml", "missing.yaml", ""):
        with pytest.raises(SettingsError, match=f"cannot read the settings file {tmp_path / name}"):
            load_settings("classic", tmp_path / name)


def test_every_setting_is_described_once_with_its_value():
    found = list(described(load_settings("small")))
    names = [name for name, _, _ in found]
    assert len(set(names)) == len(names) > 100
    values = {name: value for name, value, _ in found}
    assert (values["profile"], values["semantics.san.weights"]) == ("small", "san_small")
    without = [name for name, _, description in found if not description]
    assert not [name for name in without if name.count(".") >= 2 and name.startswith(("clips.", "dataset."))]


def test_settings_are_frozen_and_know_every_stage():
    chosen = load_settings()
    with pytest.raises(ValidationError, match="frozen"):
        chosen.profile = "small"  # type: ignore[misc]
    for stage in stages().values():
        assert isinstance(chosen.of(stage), stage.settings)
    assert settings_type() is settings_type()
