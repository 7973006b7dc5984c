from pydantic import BaseModel

from docs.pages_from_code.settings import TRAINING, groups_of, groups_of_training, pages
from pipeline.settings import described, load_settings, settings_type
from pipeline.stages.profiles import PROFILES
from training.settings import FinetuneSettings

TEXT = "\n".join(pages().values())


def entry(name: str) -> str:
    """Return what the pages say of a setting."""
    return TEXT.partition(f":::{{setting}} {name}\n")[2].partition(":::")[0]


def test_every_setting_of_the_pipeline_has_an_entry():
    named = [name for profile in PROFILES for name, _, _ in described(load_settings(profile)) if name != "profile"]
    assert [
        name for name in named if TEXT.count(f":::{{setting}} {name}\n") != 1 and name != "semantics.closed_set"
    ] == []
    assert len(set(named)) > 150


def test_settings_of_a_backend_that_has_no_default_have_an_entry_too():
    assert "has to be given" in entry("semantics.closed_set.folder")
    assert "default `512`" in entry("semantics.closed_set.short_side")


def test_every_setting_of_training_has_an_entry():
    for command in TRAINING:
        names = [setting.name for group in groups_of_training(command) for setting in group.settings]
        assert [name for name in names if TEXT.count(f":::{{setting}} {name}\n") != 1] == []
    for name, _, _ in described(FinetuneSettings()):
        assert entry(f"finetune.{name}"), name


def test_kind_bounds_default_and_description_are_told():
    told = entry("clips.clip_min_s")
    assert "Shortest clip, seconds." in told
    assert "Number above `0` and at most `30`; default `1.5`." in told
    assert "Whole number at least `1024` or none; default none." in entry("video.web.bytes_per_second")
    assert "List of 2, each number; default `[0.35, 0.8]`." in entry("scene.camera_height_share")
    assert "One of `majority`, `confidence`; default `majority`." in entry("occupancy.vote")
    assert "`true` or `false`; default `true`." in entry("dataset.keep_videos")


def test_defaults_that_profiles_change_are_told_for_each():
    told = entry("semantics.backend")
    for profile in PROFILES:
        assert f"`{load_settings(profile).semantics.backend}` in profile `{profile}`" in told


def test_a_group_is_introduced_by_its_own_words():
    for name in settings_type().model_fields:
        if name == "profile":
            continue
        first = groups_of(name)[0]
        model: BaseModel = getattr(load_settings(), name)
        assert first.about.splitlines()[0] == (model.__doc__ or "").strip().splitlines()[0]
