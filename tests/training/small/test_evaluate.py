import json

import pytest
from typer.testing import CliRunner

from pipeline.contract.errors import FrozenSeeds
from tests.frozen import FROZEN
from training.small.evaluate import app


def test_the_figures_of_shipped_weights_are_measured_on_named_tours():
    done = CliRunner().invoke(app, ["san", "--seeds", "900018"])
    assert done.exit_code == 0, done.output
    figures = json.loads(done.stdout)["san"]
    assert 0.25 < figures["mIoU"] < figures["pixels right"] < 1


def test_scales_are_measured_by_shots_and_houses():
    done = CliRunner().invoke(app, ["moge", "--seeds", "900018,900019"])
    assert done.exit_code == 0, done.output
    figures = json.loads(done.stdout)["moge"]
    assert figures["AbsRel"] < 0.15
    assert figures["scale, shots"] < 0.2
    assert figures["between houses"] < 0.2


def test_frozen_tours_are_measured_only_with_a_purpose():
    with pytest.raises(FrozenSeeds, match=f"tours {FROZEN} are frozen"):
        CliRunner().invoke(app, ["--seeds", str(FROZEN)], catch_exceptions=False)
