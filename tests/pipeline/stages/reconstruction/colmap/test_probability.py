"""The table of signs: what it says of good and of bad ones, and that a clip is refused by name."""

import numpy as np
import pytest

from pipeline.contract.errors import ClipError, UnlikelyReconstruction
from pipeline.stages.reconstruction.colmap.probability import (
    MEANING,
    SignWeight,
    TrustTable,
    check_probability,
    judged,
    settings_note,
    trust_table,
)
from pipeline.stages.reconstruction.colmap.settings import ColmapSettings, SweepSettings, TrustSettings

JUMP = SignWeight(name="jump", scale="log", best=1, worst=100, unknown=0.5, weight=4)
HOLLOW = SignWeight(name="hollow", scale="plain", best=0.2, worst=0.8, unknown=0.25, weight=2)
TABLE = TrustTable(learned="by hand", settings={}, log_odds=2, signs=(JUMP, HOLLOW))


def test_badness_rises_from_best_to_worst_and_no_further():
    assert [JUMP.badness(value) for value in (0.5, 1, 10, 100, 1e6)] == pytest.approx([0, 0, 0.5, 1, 1])
    assert [HOLLOW.badness(value) for value in (0, 0.5, 0.8)] == pytest.approx([0, 0.5, 1])
    assert (JUMP.badness(np.nan), JUMP.badness(np.inf)) == (0.5, 1)


def test_log_odds_fall_by_what_each_sign_weighs():
    assert TABLE.probability({"jump": 1, "hollow": 0}) == pytest.approx(1 / (1 + np.exp(-2)))
    assert TABLE.probability({"jump": 10, "hollow": 0.8}) == pytest.approx(1 / (1 + np.exp(2)))
    assert TABLE.probability({}) == pytest.approx(1 / (1 + np.exp(0.5))), "what is not known counts as usual"


def test_a_clip_that_is_probably_wrong_is_refused_with_the_figure_and_the_worst_sign():
    verdict = judged({"jump": 40, "hollow": 0.3}, TABLE)
    check_probability(verdict, 0.1)
    with pytest.raises(
        UnlikelyReconstruction, match=r"probability of 0\.\d\d, 0\.5 needed; .*longest step .* 40"
    ) as said:
        check_probability(verdict, TrustSettings().min_probability)
    assert isinstance(said.value, ClipError)
    assert said.value.code == "UnlikelyReconstruction"
    assert judged({"jump": 1.1, "hollow": 0.79}, TABLE).worst.startswith("share of pixels without depth")


def test_the_table_that_ships_weighs_signs_that_have_a_meaning_and_tells_good_ones_from_bad_ones():
    table = trust_table()
    assert {sign.name for sign in table.signs} <= set(MEANING)
    good = {sign.name: sign.best for sign in table.signs}
    bad = {sign.name: sign.worst for sign in table.signs}
    least = TrustSettings().min_probability
    assert table.probability(bad) < least < 0.8 < table.probability(good)


def test_what_was_stored_before_there_was_a_least_probability_is_not_made_again():
    assert "min_probability" not in TrustSettings().model_dump()
    assert TrustSettings(min_probability=0.6).model_dump()["min_probability"] == 0.6


def test_other_settings_than_those_learned_with_are_named_but_the_width_does_not_matter():
    same = settings_note(ColmapSettings(sweep=SweepSettings(width=192), trust=TrustSettings(min_frames=4)))
    assert same == settings_note(ColmapSettings())
    assert settings_note(ColmapSettings(sweep=SweepSettings(sources=3)))
