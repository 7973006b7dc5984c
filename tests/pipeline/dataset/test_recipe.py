import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.contract.errors import BrokenManifest, MixedDataset
from pipeline.contract.values import laid_over
from pipeline.dataset.recipe import DatasetRecipe, StageRecipe, one_recipe, recipe_of
from pipeline.settings import load_settings
from pipeline.stages.registry import stages
from pipeline.store.store import Store
from tests.earlier import VIDEO, unpack_earlier_dataset
from tests.pipeline.renamed import copy_video
from tests.pipeline.stored_room import store_room

VALUES: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 2), max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner | st.integers(0, 2), max_size=3),
    max_leaves=6,
)


def recipe(**stage_settings: dict[str, Any]) -> DatasetRecipe:
    return DatasetRecipe(
        stages={name: StageRecipe(settings=given_, code_version="1") for name, given_ in stage_settings.items()}
    )


def decisive() -> DatasetRecipe:
    chosen = load_settings("small")
    return recipe(**{name: chosen.of(stage).decisive() for name, stage in stages().items()})


def test_recipes_that_are_alike_do_not_differ():
    assert decisive().differences(decisive()) == ""


def test_a_value_that_differs_is_named_with_both():
    here, there = recipe(clips={"a": {"b": 1, "c": [1, 2]}}), recipe(clips={"a": {"b": 2, "c": [1, 2]}})
    assert here.differences(there) == "clips.a.b is 2 instead of 1"
    assert there.differences(here) == "clips.a.b is 1 instead of 2"


def test_values_that_only_one_has_differ_from_none():
    assert recipe(clips={}).differences(recipe(clips={"new": 3})) == "clips.new is 3 instead of None"


def test_weights_code_and_missing_stages_are_told():
    one = DatasetRecipe(
        stages={
            "semantics": StageRecipe(settings={}, weights={"a.pth": "1", "b.pth": "2"}, code_version="1"),
            "scene": StageRecipe(settings={}, code_version="3"),
        }
    )
    other = DatasetRecipe(
        stages={
            "semantics": StageRecipe(settings={}, weights={"a.pth": "1", "b.pth": "9"}, code_version="2"),
            "clips": StageRecipe(settings={}, code_version="1"),
        }
    )
    assert one.differences(other).split("; ") == [
        "semantics has code version 2 instead of 1",
        "semantics used other weights (b.pth)",
        "scene was done in one case only",
        "clips was done in one case only",
    ]


@settings(max_examples=50)
@given(VALUES, VALUES)
def test_recipes_differ_both_ways_or_not_at_all_and_exactly_where_their_values_do(
    one: dict[str, Any], other: dict[str, Any]
):
    here, there = recipe(clips=one), recipe(clips=other)
    assert bool(here.differences(there)) == bool(there.differences(here))
    if one == other:
        assert here.differences(there) == ""
    assert here.differences(recipe(clips=one)) == ""


def test_a_recipe_of_the_settings_that_decide_may_be_followed():
    said = {name: load_settings("small").of(stage).decisive() for name, stage in stages().items()}
    seen = said["reconstruction"]["colmap_moge"]
    assert (seen.pop("device", None), seen["colmap"].pop("threads")) == (None, None), "of one machine alone"
    assert said["indoor_clips"]["imagenet"].pop("device") is None
    assert decisive().values() == said
    decisive().check_decisive(load_settings("small"))


def test_a_recipe_that_leaves_settings_out_or_adds_some_may_not():
    chosen = load_settings("small")
    short = {name: dict(values) for name, values in decisive().values().items()}
    dropped = short["clips"].popitem()[0]
    with pytest.raises(BrokenManifest, match=rf"of 'clips' the manifest does not say: {dropped}"):
        recipe(**short).check_decisive(chosen)
    with pytest.raises(BrokenManifest, match="no stage 'cinema'"):
        recipe(cinema={}).check_names()
    with pytest.raises(BrokenManifest, match=r"clips.*seats \(unknown\)"):
        recipe(clips={**decisive().values()["clips"], "seats": 3}).check_names()


UNWANTED: list[tuple[str, dict[str, Any], str]] = [
    ("semantics", {"san": {"features": "/home/me"}}, "san.features (here alone)"),
    ("semantics", {"san": {"features": "features"}}, "san.features (here alone)"),
    ("semantics", {"san": {"weights": "/home/me/net.pth"}}, "san.weights (here alone)"),
    ("semantics", {"san": {"weights": "net.pth"}}, "san.weights (here alone)"),
    ("semantics", {"san": {"vocabulary": "/etc/passwd"}}, "san.vocabulary (here alone)"),
    ("semantics", {"san": {"device": "cuda:1"}}, "san.device (decides no result)"),
    ("semantics", {"san": {"features_gb": 0}}, "san.features_gb (decides no result)"),
    ("semantics", {"closed_set": {"folder": "/home/me/net"}}, "closed_set.folder (here alone)"),
    ("indoor_clips", {"places365": {"device": "cuda:1"}}, "places365.device (here alone)"),
    ("indoor_clips", {"small": {"weights": "../net.safetensors"}}, "small.weights (here alone)"),
    ("reconstruction", {"colmap": {"threads": 64}}, "colmap.threads (here alone)"),
    ("reconstruction", {"dust3r": {"weights": "~/net.pth"}}, "dust3r.weights (here alone)"),
    ("reconstruction", {"backend": "//host/share"}, "backend (here alone)"),
    ("video", {"web": {"cookies_file": "/home/me/cookies"}}, "web.cookies_file (here alone)"),
    ("video", {"web": {"proxy": "http://evil.example"}}, "web.proxy (here alone)"),
    ("video", {"bytes_max": 2048}, "bytes_max (decides no result)"),
    ("video", {"cache": "x"}, "cache (unknown)"),
    ("dataset", {"keep_videos": False}, "there is no stage 'dataset' here"),
    ("profile", {}, "there is no stage 'profile' here"),
]


@pytest.mark.parametrize(("stage", "values", "named"), UNWANTED, ids=[named for _, _, named in UNWANTED])
def test_what_says_where_how_fast_or_how_long_is_refused_by_name(stage: str, values: dict[str, Any], named: str):
    said = {name: dict(given) for name, given in decisive().values().items()}
    said[stage] = laid_over(said.get(stage, {}), values)
    with pytest.raises(BrokenManifest, match=re.escape(named)):
        recipe(**said).check_decisive(load_settings("small"))


def test_what_says_nothing_about_one_machine_is_left_out():
    said = {name: dict(given) for name, given in decisive().values().items()}
    said["reconstruction"] = laid_over(said["reconstruction"], {"colmap_moge": {"colmap": {"threads": None}}})
    assert recipe(**said).values() == decisive().values()
    recipe(**said).check_decisive(load_settings("small"))


def test_a_recipe_tells_where_it_is_not_what_holds_here():
    assert decisive().against(load_settings("small")) == []
    here = load_settings(
        "small", overrides={"clips": {"frames_per_second": 5}, "reconstruction": {"colmap_moge": {"device": "cpu"}}}
    )
    assert decisive().against(here) == ["clips.frames_per_second: 3.0 in the manifest, 5.0 here"]
    other = decisive().against(load_settings("classic"))
    assert "semantics.backend: 'san' in the manifest, 'structure' here" in other
    assert "semantics.san.short_side: 96 in the manifest, nothing here" in other
    assert all(len(line) < 250 for line in other)


def test_the_recipe_of_a_video_is_what_its_results_note(tmp_path: Path):
    video = Store(unpack_earlier_dataset(tmp_path)).video(VIDEO)
    made = recipe_of(video)
    assert list(made.stages) == list(stages())
    assert made.stages["clips"].settings["frames_per_second"] == 3
    assert list(made.stages["semantics"].weights) == ["san_small.safetensors"]
    assert DatasetRecipe.model_validate_json(made.model_dump_json()) == made


def test_videos_made_alike_have_one_recipe_and_others_are_refused_by_name(tmp_path: Path):
    data = unpack_earlier_dataset(tmp_path)
    store = Store(data)
    copy_video(store, VIDEO, "tour-6")
    assert one_recipe(store, [VIDEO, "tour-6"]) == recipe_of(store.video(VIDEO))
    store_room(data)
    with pytest.raises(MixedDataset, match=rf"room was not made as {VIDEO} was: .*youtube-occ settings --why"):
        one_recipe(store, [VIDEO, "room"])


def test_recipes_of_other_versions_or_with_more_in_them_are_refused():
    for content in ({"version": 1, "stages": {}}, {"stages": {}, "extra": 1}, {"stages": {"clips": {}}}):
        with pytest.raises(ValidationError):
            DatasetRecipe.model_validate(content)
