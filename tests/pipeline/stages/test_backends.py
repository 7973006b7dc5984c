"""Exchangeable backends: each with its settings, the chosen one makes, and the others do not matter."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.contract.errors import SettingsError
from pipeline.contract.values import HERE_ALONE
from pipeline.stages.backends import ENTRY_POINTS, Backend, BackendSettings, with_backends
from pipeline.stages.base import Resources, StageSettings


class Quick(BaseModel):
    """How it is done quickly."""

    model_config = ConfigDict(extra="forbid")

    step: int = Field(4, ge=1)


class WithThreads(Quick):
    """How it is done quickly on this machine."""

    threads: int | None = Field(None, json_schema_extra=HERE_ALONE)


class Thorough(StageSettings):
    """How it is done thoroughly."""

    folder: str
    device: str = "cpu"

    def decisive(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude={"device"})


class CutSettings(BackendSettings):
    """How something is cut."""

    threshold: float = 0.5
    margin: int = 2


def made(stage: CutSettings, own: BaseModel, scratch: Path | None) -> tuple[float, BaseModel, Path | None]:
    return stage.threshold, own, scratch


QUICK = Backend("quick", Quick, made)
THOROUGH = Backend("thorough", Thorough, made, ignores=("margin",), resources=Resources(gpu_share=1))
SETTINGS = with_backends("cutting", CutSettings, (QUICK, THOROUGH))
HERE = with_backends("cutting", CutSettings, (Backend("quick", WithThreads, made),))


def test_the_first_backend_is_the_default_and_every_one_has_its_settings():
    settings = SETTINGS()
    assert settings.backend == "quick"
    assert settings.of(QUICK) == Quick(step=4)
    assert set(SETTINGS.backends) == {"quick", "thorough"}
    assert isinstance(settings, CutSettings)


def test_the_settings_keep_the_name_the_words_and_the_place_of_those_of_the_stage():
    assert (SETTINGS.__name__, SETTINGS.__doc__, SETTINGS.__module__) == (
        "CutSettings",
        "How something is cut.",
        __name__,
    )
    assert "quick, thorough" in str(SETTINGS.model_fields["backend"].description)
    assert SETTINGS.model_fields["quick"].description == "How it is done quickly."


@pytest.mark.parametrize(
    "values",
    [{"backend": "magic"}, {"quick": {"step": 0}}, {"quick": {"speed": 1}}, {"magic": {}}, {"thorough": {}}],
)
def test_unknown_backends_and_values_out_of_bounds_are_refused(values: dict[str, Any]):
    with pytest.raises(ValidationError):
        SETTINGS.model_validate(values)


def test_the_chosen_backend_is_made_with_its_settings_and_a_folder(tmp_path: Path):
    settings = SETTINGS.model_validate({"threshold": 0.7, "backend": "thorough", "thorough": {"folder": "f"}})
    assert settings.make(tmp_path) == (0.7, Thorough(folder="f"), tmp_path)
    assert SETTINGS(threshold=0.1).make() == (0.1, Quick(), None)


def test_a_backend_that_cannot_do_without_settings_asks_for_them_when_it_is_chosen():
    settings = SETTINGS.model_validate({"backend": "thorough"})
    with pytest.raises(SettingsError, match="backend 'thorough' needs its settings: folder"):
        settings.make()
    assert settings.decisive()["thorough"] is None


def test_settings_of_backends_that_were_not_chosen_decide_nothing():
    one = SETTINGS.model_validate({"thorough": {"folder": "a"}})
    other = SETTINGS.model_validate({"thorough": {"folder": "b"}})
    assert (
        one.decisive() == other.decisive() == {"backend": "quick", "threshold": 0.5, "margin": 2, "quick": {"step": 4}}
    )


def test_what_a_backend_ignores_and_where_it_runs_decides_nothing():
    chosen = {"backend": "thorough", "margin": 9, "thorough": {"folder": "a", "device": "cuda"}}
    decisive = SETTINGS.model_validate(chosen).decisive()
    assert decisive == {"backend": "thorough", "threshold": 0.5, "thorough": {"folder": "a"}}


def test_what_a_backend_asks_of_a_machine_stands_beside_it():
    assert QUICK.resources == Resources()
    assert THOROUGH.resources.gpu_share == 1


def test_an_installed_package_adds_a_backend_to_its_stage_and_to_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    code = "from pydantic import BaseModel\nfrom pipeline.stages.backends import Backend\n"
    code += "class Own(BaseModel):\n    size: int = 3\n"
    (tmp_path / "added_backend.py").write_text(
        code + "ADDED = Backend('added', Own, lambda stage, own, scratch: own)\n"
    )
    installed = tmp_path / "added_backend-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: added-backend\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text(f"[{ENTRY_POINTS}]\ncutting.added = added_backend:ADDED\n")
    monkeypatch.syspath_prepend(tmp_path)
    wider = with_backends("cutting", CutSettings, (QUICK,))
    assert set(wider.backends) == {"quick", "added"}
    assert wider(backend="quick").backend == "quick"
    assert wider.model_validate({"backend": "added", "added": {"size": 5}}).make().size == 5
    assert set(with_backends("gluing", CutSettings, (QUICK,)).backends) == {"quick"}


def test_what_holds_on_this_machine_alone_decides_no_result():
    given = [{}, {"threads": 3}, {"step": 5}]
    first, threads, other = (HERE(quick=quick).decisive() for quick in given)
    assert (
        first == threads == {"threshold": 0.5, "margin": 2, "backend": "quick", "quick": {"step": 4, "threads": None}}
    )
    assert other != first
