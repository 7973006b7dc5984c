"""Settings of recipes: the loop as recipes have it, and the keys of the first release."""

import warnings
from typing import Any

import pytest
from pydantic import ValidationError

from pipeline.tours.variety import SCORED_HOUSES
from training.small.__main__ import RECIPES, recipe_of
from training.small.settings import LOOP, RENAMED, RecipeSettings, VarietySettings, renamed

FIRST_RELEASE = {
    "loop": {
        "steps": 600,
        "batch": 32,
        "learning_rate": 0.003,
        "warm_up": 50,
        "steps_a_chunk": 100,
        "chunks_kept": 6,
        "score_every": 100,
        "average": 0.99,
        "gradient_norm": 2.0,
        "save_every": 7,
        "device": "cuda",
    },
    "texel": 0.1,
}


def least(**loop: Any) -> dict[str, Any]:
    return {"loop": {"steps": 5, "batch_size": 2, "learning_rate": 0.01, **loop}, "chunks": {"steps": 1, "kept": 1}}


def test_every_key_of_the_first_release_is_read_with_a_warning_that_names_the_new_one():
    with pytest.warns(FutureWarning) as warned:
        now = renamed(FIRST_RELEASE)
    assert sorted(str(warning.message) for warning in warned) == sorted(
        f"loop.{key} is now called {name}" for key, name in RENAMED.items()
    )
    settings = RecipeSettings.model_validate({key: now[key] for key in ("loop", "chunks")})
    loop, chunks = settings.loop, settings.chunks
    assert (loop.batch_size, loop.ema_decay, loop.clip_norm, loop.checkpoint_every) == (32, 0.99, 2.0, 7)
    assert (loop.accelerator, chunks.steps, chunks.kept) == ("cuda", 100, 6)
    assert now["texel"] == 0.1


def test_settings_of_today_give_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert renamed(least()) == least()
        assert renamed({}) == {}
        assert renamed({"loop": None}) == {"loop": None}


def test_one_setting_under_two_names_is_refused():
    with pytest.raises(ValueError, match=r"loop\.batch and loop\.batch_size are one setting"):
        renamed(least(batch=3))


def test_one_of_several_gpus_is_not_chosen_by_a_setting():
    with pytest.warns(FutureWarning):
        assert renamed(least(device="cuda:0"))["loop"]["accelerator"] == "cuda"
    with pytest.raises(ValueError, match="CUDA_VISIBLE_DEVICES"):
        renamed(least(device="cuda:1"))


def test_what_a_user_sets_under_an_old_name_wins_over_the_file():
    with pytest.warns(FutureWarning, match=r"is now called") as warned:
        recipe = recipe_of("indoor", values=["loop.batch=5", "loop.steps_a_chunk=3"])
    assert len(warned) == 2
    assert recipe.settings.loop.batch_size == 5
    assert (recipe.settings.chunks.steps, recipe.settings.chunks.kept) == (3, 6)


@pytest.mark.parametrize("name", RECIPES)
def test_recipes_are_optimised_as_they_were(name: str):
    loop = recipe_of(name).settings.loop
    from_files = {"warm_up", "ema_decay"}
    assert {key: getattr(loop, key) for key in LOOP if key not in from_files} == {
        "schedule": "cosine",
        "betas": (0.9, 0.98),
        "epsilon": 1e-8,
        "weight_decay": 0.05,
        "weight_decay_of": "matrices",
        "clip_norm": 1.0,
        "accelerator": "cpu",
        "workers": 1,
        "threads": 1,
        "checkpoint_every": 50,
    }
    seeds = {"moge": 9}  # it goes on from weights that have seen the houses of others
    assert (loop.seed, loop.accumulate, loop.precision) == (seeds.get(name, 0), 1, "32-true")


def test_what_a_recipe_does_not_say_is_as_recipes_have_it():
    loop = RecipeSettings.model_validate(least()).loop
    assert (loop.warm_up, loop.ema_decay, loop.score_every) == (100, 0.998, 250)


@pytest.mark.parametrize("name", ["steps", "batch_size", "learning_rate"])
def test_a_recipe_must_say_how_long_and_how_fast(name: str):
    incomplete = least()
    del incomplete["loop"][name]
    with pytest.raises(ValidationError, match=f"a recipe must say its {name}"):
        RecipeSettings.model_validate(incomplete)


def test_a_recipe_must_say_how_its_stream_runs():
    with pytest.raises(ValidationError, match="chunks"):
        RecipeSettings.model_validate({"loop": least()["loop"]})
    with pytest.raises(ValidationError, match="kept"):
        RecipeSettings.model_validate({**least(), "chunks": {"steps": 1, "kept": 0}})


def test_settings_survive_being_written_and_read():
    settings = RecipeSettings.model_validate(least(seed=3))
    again = RecipeSettings.model_validate(settings.model_dump(mode="json"))
    assert again == settings


def test_nothing_is_trained_on_houses_that_are_only_scored():
    with pytest.raises(ValidationError, match="nothing is trained on them"):
        VarietySettings(houses=SCORED_HOUSES)
