"""All stages: their names, their order, and what follows from what they read."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from pipeline.contract.errors import SettingsError
from pipeline.settings import load_settings
from pipeline.stages.base import StageSettings
from pipeline.stages.registry import BUILT_IN, ENTRY_POINTS, last_stages, latest_inputs, stages
from pipeline.store.outputs import GroupOutput, SourceOutput, TableOutput
from tests.paths import ROOT

CODE = """
from PIL import Image
from pipeline.stages.base import StageResult, StageSettings, stage
from pipeline.store.outputs import GroupOutput

def declared(name, inputs):
    def body(workbench, settings, draft):
        return StageResult("none", {})
    body.__name__ = name
    output = GroupOutput(name)
    return stage(code_version="1", settings=StageSettings, inputs=inputs, output=output, preview=print)(body)

"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Install a package with stages, given by name with what they read."""

    def installed(**inputs: tuple[str, ...]) -> None:
        module = f"stages_of_{'_'.join(inputs)}"
        lines = [f"{name} = declared({name!r}, {read!r})" for name, read in inputs.items()]
        (tmp_path / f"{module}.py").write_text(CODE + "\n".join(lines) + "\n")
        folder = tmp_path / f"{module}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        points = "\n".join(f"{name} = {module}:{name}" for name in inputs)
        (folder / "entry_points.txt").write_text(f"[{ENTRY_POINTS}]\n{points}\n")
        monkeypatch.syspath_prepend(tmp_path)

    return installed


@pytest.mark.parametrize("name", BUILT_IN)
def test_name_folder_settings_key_and_function_of_a_stage_are_one(name: str):
    declared = stages()[name]
    assert declared.name == name
    assert (ROOT / "pipeline" / "stages" / name / "stage.py").exists()
    assert isinstance(load_settings().of(declared), declared.settings)
    assert declared is getattr(import_module(f"pipeline.stages.{name}.stage"), name)


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_stage_says_in_words_what_it_does_and_what_its_checks_want(name: str):
    declared = stages()[name]
    assert declared.description.endswith(".")
    assert all((check.__doc__ or "").strip() for check in declared.checks)
    assert len({check.__name__ for check in declared.checks}) == len(declared.checks)
    assert issubclass(declared.settings, StageSettings)
    assert declared.resources.memory_gb > 0
    assert 0 <= declared.resources.gpu_share <= 1


def test_results_lie_where_they_lay_in_earlier_releases():
    outputs = {name: declared.output for name, declared in stages().items()}
    assert outputs == {
        "video": SourceOutput(),
        "clips": TableOutput("clips.parquet"),
        "indoor_clips": GroupOutput("frames"),
        "reconstruction": GroupOutput("reconstruction"),
        "scene": GroupOutput("scene"),
        "semantics": GroupOutput("semantics"),
        "occupancy": GroupOutput("occupancy"),
    }


def test_code_versions_are_those_that_datasets_were_made_with():
    # Whoever raises one builds every dataset again from that stage on: on purpose, and here too.
    versions = {name: declared.code_version for name, declared in stages().items() if name in BUILT_IN}
    raised = {name: version for name, version in versions.items() if version != "1"}
    assert raised == {"clips": "7", "reconstruction": "11", "scene": "15", "semantics": "3", "occupancy": "4"}


def test_a_stage_comes_after_all_that_it_reads():
    names = list(stages())
    assert tuple(names[: len(BUILT_IN)]) == BUILT_IN
    assert all(names.index(given) < names.index(name) for name in names for given in stages()[name].inputs)


@pytest.mark.parametrize(
    ("name", "latest"),
    [
        ("video", ()),
        ("clips", ("video",)),
        ("indoor_clips", ("clips",)),
        ("reconstruction", ("indoor_clips",)),
        ("scene", ("reconstruction",)),
        ("semantics", ("scene",)),
        ("occupancy", ("semantics",)),
    ],
)
def test_of_its_inputs_those_matter_on_which_no_other_one_builds(name: str, latest: tuple[str, ...]):
    # Fingerprints of stored datasets are made of these.
    assert latest_inputs(name) == latest
    assert set(latest) <= set(stages()[name].inputs)


def test_a_video_is_finished_with_its_grids():
    assert last_stages() == ("occupancy",)


def test_stages_of_other_packages_come_after_what_they_read_in_whatever_order_they_are_found(
    install: Callable[..., None],
):
    install(roughness=("brightness",), brightness=("indoor_clips",))
    found = list(stages.__wrapped__())
    assert found == [*BUILT_IN, "brightness", "roughness"]


def test_a_stage_that_reads_what_nobody_declares_is_refused_by_name(install: Callable[..., None]):
    install(odours=("smells", "clips"))
    with pytest.raises(SettingsError, match="stages read what nobody declares: smells"):
        stages.__wrapped__()


def test_stages_that_wait_for_one_another_are_refused(install: Callable[..., None]):
    install(hen=("egg",), egg=("hen",))
    with pytest.raises(SettingsError, match="nobody declares: egg, hen"):
        stages.__wrapped__()


def test_a_name_that_is_taken_is_refused(install: Callable[..., None]):
    install(scene=("video",))
    with pytest.raises(SettingsError, match="two stages are called 'scene'"):
        stages.__wrapped__()
