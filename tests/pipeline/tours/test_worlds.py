from pathlib import Path

import pytest
from pydantic import ValidationError

from pipeline.dataset.split import group_of
from pipeline.sources.video_source import parse_source
from pipeline.stages.video.settings import VideoSettings
from pipeline.store.store import Store
from pipeline.tours.effects.settings import HARD, EffectSettings
from pipeline.tours.frozen import frozen_among
from pipeline.tours.settings import TourSettings
from pipeline.tours.truth import tour_of
from pipeline.tours.worlds import WORLDS, in_world
from tests.frozen import FROZEN
from tests.pipeline.provenances import noted

from .conftest import SMALL


def test_the_easy_world_is_the_settings_as_they_are():
    assert in_world(SMALL, "easy") == SMALL
    assert in_world(SMALL, "hard") == SMALL.model_copy(update=dict(WORLDS["hard"]))


def test_a_tour_without_effects_is_known_by_what_it_was_known_by_before_there_were_any():
    assert "effects" not in VideoSettings().decisive()["tour"]
    shaken = VideoSettings(tour=TourSettings(effects=EffectSettings(iso=(100, 100))))
    assert shaken.decisive()["tour"]["effects"]["iso"] == [100, 100]


def test_a_source_names_the_world_and_the_stored_video_is_built_again_in_it(tmp_path: Path):
    source = parse_source("tour://5?world=hard")
    assert (source.kind, source.video_id) == ("tour", "tour-5-hard")
    video = Store(tmp_path).video(source.video_id)
    made = noted("video", settings={"tour": SMALL.decisive()})
    video.write_json("source.json", {"origin": source.origin, "provenance": made})
    rebuilt = tour_of(video)
    assert rebuilt is not None
    assert rebuilt.seed == 5
    assert rebuilt.settings.effects == HARD


def test_a_frozen_tour_is_frozen_in_every_world(tmp_path: Path):
    source = parse_source(f"tour://{FROZEN}?world=hard")
    Store(tmp_path).video(source.video_id).write_json("source.json", {"origin": source.origin})
    assert frozen_among(Store(tmp_path), [source.video_id]) == [FROZEN]


def test_the_same_house_is_on_one_side_of_the_split_in_every_world():
    origins = ("tour://5", "tour://5?world=hard")
    assert {group_of(parse_source(origin).video_id, origin, "", "") for origin in origins} == {"tour-5"}


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({"iso": (800, 100)}, "effects.iso: 800.0 is larger than 100.0"),
        ({"slide_shows": 0.7, "zooms": 0.7}, "together at most 1"),
        ({"distortion": (-0.4, 0)}, "greater than or equal to -0.3"),
        ({"formats": ()}, "at least 1 item"),
    ],
)
def test_ranges_that_cannot_be_drawn_from_are_refused(values: dict[str, object], what: str):
    with pytest.raises(ValidationError, match=what):
        EffectSettings.model_validate(values)
