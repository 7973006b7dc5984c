"""Arms of the study: each changes one thing."""

import pytest

from models.weights.cache import shipped
from pipeline.contract.values import with_values
from training.studies.arms import ARMS, Arm, TeacherChoice
from training.studies.pillars import PillarStudy


def test_every_arm_of_the_default_study_changes_one_thing():
    assert [arm.changes(ARMS[0]) for arm in ARMS] == [
        "reference",
        "loss",
        "teacher",
        "student",
        "student",
        "mix",
        "mix",
    ]
    larger = with_values(
        PillarStudy, {"arms": [{"name": "large", "teacher": {"kind": "dinov2", "weights": "dinov2_base"}}]}
    )
    assert larger.arms[0].teacher == TeacherChoice(kind="dinov2", weights="dinov2_base")
    with pytest.raises(ValueError, match="one name"):
        PillarStudy(arms=(ARMS[0], ARMS[0]))


@pytest.mark.parametrize("name", ["", "Large", "two words", "../up", "9lives", "x" * 33])
def test_a_name_that_is_no_folder_is_refused(name: str):
    with pytest.raises(ValueError, match="name"):
        Arm(name=name)


def test_an_arm_that_changes_two_things_says_both():
    arm = Arm(name="both", loss="pixel_cosine", mix="tours")
    assert arm.changes(ARMS[0]) == "loss, mix"
    assert ARMS[0].changes(arm) == "loss, mix"
    assert Arm(name="same_but_for_its_name").changes(ARMS[0]) == "reference"


def test_no_arm_of_the_default_study_needs_a_download():
    assert {arm.teacher.weights for arm in ARMS} <= set(shipped())
