"""Tables and diagram of judged sizes, on errors that were drawn as their deviations say."""

import numpy as np
import pytest
from defusedxml import ElementTree

from pipeline.quality.metres.judge import JudgedSizes
from pipeline.quality.metres.report import deviations_table, factors_line, sizes_diagram, sizes_table
from tests.pipeline.quality.metres.test_judge import sized
from tests.pipeline.stages.scene.test_estimate import room

COUNT = 4000


@pytest.fixture(scope="module")
def honest() -> JudgedSizes:
    """Clips whose errors are normal with the deviations that are said."""
    draw = np.random.default_rng(0)
    sigma = np.exp(draw.uniform(np.log(0.05), np.log(0.4), COUNT))
    clips = (sized(room(), kind="rooms"), sized(room(), kind="halls"))
    return JudgedSizes(clips * (COUNT // 2), sigma * draw.normal(size=COUNT), sigma, sigma > 0.35)


def test_honest_deviations_have_68_and_95_of_100_within(honest: JudgedSizes):
    assert (honest.within(1), honest.within(2)) == (pytest.approx(0.68, abs=0.02), pytest.approx(0.95, abs=0.02))


def test_every_kind_has_a_row_and_all_together(honest: JudgedSizes):
    lines = sizes_table({"paper": honest, "evidence": honest}).splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:]] == ["rooms", "halls", "all"]
    assert {line.count("|") for line in lines} == {9}
    assert f"| all | {COUNT} |" in lines[-1]


def test_deviations_sort_clips_by_how_wrong_they_are(honest: JudgedSizes):
    rows = [line.split("|")[1:-1] for line in deviations_table({"evidence": honest}).splitlines()[2:]]
    wrong = {name.strip(): float(value or "nan") for name, _, value, _ in ([c.strip() for c in row] for row in rows)}
    assert wrong["0 to 0.1"] < wrong["0.1 to 0.2"] < wrong["0.2 to 0.3"] < wrong["0.3 to 0.5"]
    assert np.isnan(wrong["above 0.5"])
    assert wrong["cues disagree"] > wrong["cues agree"]


def test_the_diagram_of_honest_deviations_lies_on_its_diagonal(honest: JudgedSizes):
    picture = ElementTree.fromstring(sizes_diagram({"evidence": honest, "twice as sure": doubled(honest)}))
    lines = picture.findall("{http://www.w3.org/2000/svg}polyline")
    true, sure = ([tuple(map(float, at.split(","))) for at in line.attrib["points"].split()] for line in lines)
    corner = 46 + 300
    assert all(abs((x - 46) - (corner - y)) < 10 for x, y in true)
    assert all(corner - y < x - 46 for x, y in sure), "below it: less often within than it says"


def doubled(judged: JudgedSizes) -> JudgedSizes:
    return JudgedSizes(judged.clips, judged.error, judged.sigma / 2, judged.disagreeing)


def test_factors_are_said_in_a_line():
    assert factors_line("paper", []) == "paper: no world has several clips"
    said = factors_line("paper", [1.01, 1.02, 1.2])
    assert said == "paper: median factor between scales 1.020, largest 1.200, 3 worlds"
