"""What README and documents say can be done can be done: code runs, commands, options, settings and links exist."""

import re
import subprocess
import sys
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from dagster._cli.dev import dev_command
from typer.main import get_command

from docs.pages_from_code import pages as generated_pages
from docs.pages_from_code import settings as setting_pages
from docs.pages_from_code.commands import programs
from pipeline.bench.__main__ import BENCHMARKS
from pipeline.settings import load_settings, settings_type
from pipeline.sources.entries import read_entries
from tests.docs.markdown import GENERATED, blocks, commands, links, pages, settings_named
from tests.earlier import FRAMES, VIDEO, unpack_earlier_dataset
from tests.paths import ROOT

README = ROOT / "README.md"
HANDED_ON = {"python -m assets.ui": dev_command}
"""Programs that hand their words on to the command of another one."""

MODULES_OF = {"pipeline": "youtube-occ", "training": "youtube-occ train", "models": "youtube-occ"}
"""Which of the commands of ``youtube-occ`` a package runs."""


@cache
def command(program: str) -> Any:
    """Return a program as a Click command: one of the project's, or a module that hands a function to Typer."""
    if program in HANDED_ON:
        return HANDED_ON[program]
    if program in programs():
        return programs()[program]
    app = typer.Typer(add_completion=False)
    module = import_module(program.removeprefix("python -m "))
    app.command()((module if hasattr(module, "main") else import_module(f"{module.__name__}.__main__")).main)
    return get_command(app)


def called(words: list[str]) -> tuple[str, list[str]] | None:
    """Return which program of the project a line calls, and with what; None where it calls something else."""
    if words[0] == "youtube-occ":
        return "youtube-occ", words[1:]
    if words[0] not in ("python", "torchrun") or "-m" not in words:
        return None
    at = words.index("-m")
    if words[at + 1] in MODULES_OF:
        program, *first = MODULES_OF[words[at + 1]].split()
        return program, [*first, *words[at + 2 :]]
    return f"python -m {words[at + 1]}", words[at + 2 :]


def invocations() -> list[Any]:
    found = [(page, words, called(words)) for page, words in commands()]
    return [
        pytest.param(*call, id=f"{page.relative_to(ROOT)}: {' '.join(words)}")
        for page, words, call in found
        if call is not None and call[1] and "COMMAND" not in words and call[0].partition(" -m ")[2] != "http.server"
    ]


def complaint(program: str, words: list[str]) -> str:
    """Return what is wrong with a call; empty where every command and option in it exists."""
    if program == "python -m pipeline.bench":
        return ", ".join(word for word in words if word not in BENCHMARKS)
    now, rest, named = command(program), list(words), []
    while rest and hasattr(now, "commands"):
        name = rest.pop(0)
        if name not in now.commands and not name.startswith("-"):
            return f"{program} has no command {' '.join([*named, name])}"
        now, named = now.commands.get(name, now), [*named, name]
    known = {option for parameter in now.params for option in parameter.opts} | {"--help", "--install-completion"}
    strange = [word for word in rest if word.startswith("--") and word.partition("=")[0] not in known]
    values = [value for option, value in pairwise(rest) if option == "--set"]
    unknown = [value for value in values if not is_setting(program, named, value.partition("=")[0])]
    return ", ".join([*strange, *unknown])


def is_setting(program: str, named: list[str], name: str) -> bool:
    """Tell whether a command knows a setting; that of training are named without the command."""
    if named[:1] == ["train"]:
        return f"{named[1]}.{name}" in setting_names() or f"{named[1]}.{name}" in mappings()
    if program == "python -m training.small":
        return f"small.{named[0] if named else 'san'}.{name}" in setting_names()
    return name in setting_names() or name == "indoor_clips.no_sky"


@cache
def groups() -> list[setting_pages.Group]:
    pipeline = [
        group for name in settings_type().model_fields if name != "profile" for group in setting_pages.groups_of(name)
    ]
    return [*pipeline, *(group for name in setting_pages.TRAINING for group in setting_pages.groups_of_training(name))]


@cache
def setting_names() -> set[str]:
    return {setting.name for group in groups() for setting in group.settings}


@cache
def mappings() -> set[str]:
    return {group.name for group in groups()}


def test_the_python_of_the_readme_runs(tmp_path: Path):
    (code,) = [block.text for block in blocks() if block.page == README and block.language == "python"]
    assert len(code.splitlines()) <= 12
    unpack_earlier_dataset(tmp_path)
    command = [sys.executable, "-W", "ignore", "-c", code]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    seen, occupied, shots = ended.stdout.splitlines()
    assert seen.startswith("(480, 640, 3) ")
    assert re.fullmatch(rf"{FRAMES} frames; the first has \d{{3,5}} occupied voxels", occupied)
    assert yaml.safe_load(shots) == sorted(yaml.safe_load(shots)), f"times at which the shots of {VIDEO} begin"


def test_the_readme_is_read_in_a_few_minutes():
    assert len(README.read_text().splitlines()) <= 140, "what is longer belongs into docs"


@pytest.mark.parametrize(("program", "words"), invocations())
def test_a_command_and_its_options_exist(program: str, words: list[str]):
    assert complaint(program, words) == ""


def test_a_wrong_command_option_or_setting_would_be_found():
    assert "no command fetch" in complaint("youtube-occ", ["fetch"])
    assert complaint("youtube-occ", ["train", "finetune", "--presets", "tiny"]) == "--presets"
    assert complaint("youtube-occ", ["process", "tour://7", "--set", "scenes.clip_min_s=2"]) == "scenes.clip_min_s=2"
    assert complaint("youtube-occ", ["train", "finetune", "--set", "loop.epochs=2"]) == ""
    assert complaint("python -m pipeline.bench", ["stages", "nothing"]) == "nothing"


def test_modules_that_are_run_exist():
    named = [
        words[words.index("-m") + 1] for _, words in commands() if words[0] in ("python", "torchrun") and "-m" in words
    ]
    assert [module for module in named if find_spec(module) is None] == []
    assert len(named) > 10


def test_targets_of_make_exist():
    targets = set(re.findall(r"^([a-z_]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {words[1] for _, words in commands() if words[0] == "make" and len(words) > 1}
    assert named - targets == set()
    assert {"build_dataset", "check", "docs", "test"} <= named


@pytest.mark.parametrize(("device", "refused"), [("gpu", True), ("CUDA", True), ("cuda", False), ("cpu", False)])
def test_an_experiment_is_made_on_a_device_that_is_known_or_not_at_all(device: str, *, refused: bool):
    make = subprocess.run(
        ["make", "-n", "experiment", f"DEVICE={device}"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (make.returncode != 0) is refused
    assert ("DEVICE is cpu or cuda, and not" in make.stderr) is refused
    assert ("--size h100" in make.stdout) is (device == "cuda")


def test_jobs_of_dagster_exist():
    from assets import definitions

    jobs = {job.name for job in definitions.resolve_all_job_defs()}
    named = [words[words.index("-j") + 1] for _, words in commands() if words[0] == "dagster" and "-j" in words]
    assert set(named) - jobs == set()
    assert "build_dataset" in named


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path):
    generated = {GENERATED / name for name in generated_pages()}
    targets = [(page.parent / target).resolve() for target in links(page)]
    assert [target for target in targets if not target.exists() and target not in generated] == []


def test_settings_that_pages_name_exist():
    named = {name for page in pages() for name in settings_named(page)} - {"clips.clip_min_s"}
    assert named - setting_names() == set()
    assert len(named) > 20


def test_yaml_of_the_pages_is_understood(tmp_path: Path):
    texts = [block.text for block in blocks() if block.language == "yaml"]
    for text in texts:
        content = yaml.safe_load(text)
        if "sources" in content:
            (tmp_path / "sources.yaml").write_text(text)
            assert len(read_entries(str(tmp_path / "sources.yaml")).entries) == len(content["sources"])
        elif "resources" in content:  # as Dagster's launchpad takes them
            assert load_settings(**content["resources"]["pipeline"]["config"]) != load_settings()
        else:
            assert load_settings(overrides=content) != load_settings()
    assert len(texts) >= 2
