"""What can be said of the files in ``deploy`` where there are no containers, no Kubernetes and no Slurm."""

import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from assets import definitions
from pipeline.settings import load_settings
from tests.paths import ROOT

DEPLOY = ROOT / "deploy"
RECIPES = sorted(DEPLOY.glob("*.sbatch"))
SECRET = re.compile("PASSWORD|SECRET|TOKEN|ACCESS_KEY")
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(:?[-?].*?)?\}")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def dagster() -> Any:
    return read(DEPLOY / "dagster.yaml")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return dict(read(DEPLOY / "compose.yaml")["services"])


@pytest.fixture(scope="module")
def ours(services: dict[str, Any]) -> dict[str, Any]:
    """The services that run this project."""
    return {name: service for name, service in services.items() if "build" in service}


@pytest.fixture(scope="module")
def values() -> Any:
    return read(DEPLOY / "values.yaml")


def pinned(package: str) -> str:
    listed = [line for lines in PROJECT["optional-dependencies"].values() for line in lines] + PROJECT["dependencies"]
    return next(line.partition("==")[2] for line in listed if re.match(rf"{package}(\[.*\])?==", line))


def within(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield every mapping of a document."""
    if isinstance(tree, dict):
        yield tree
        for value in tree.values():
            yield from within(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from within(value)


@pytest.mark.parametrize("name", ["dagster.yaml", "values.yaml"])
def test_classes_that_are_named_exist(name: str):
    named = [each for each in within(read(DEPLOY / name)) if {"module", "class"} <= each.keys()]
    assert named
    for each in named:
        assert hasattr(import_module(each["module"]), each["class"])


def test_a_home_for_several_machines_is_that_of_one_but_for_what_they_share(dagster: Any):
    alone = read(ROOT / "dagster_home" / "dagster.yaml")
    assert dagster.keys() - alone.keys() <= {"storage"}
    differ = {"storage", "concurrency", "run_monitoring"}
    assert {name: alone[name] for name in alone.keys() - differ} == {
        name: dagster[name] for name in alone.keys() - differ
    }
    assert dagster["concurrency"]["pools"] == alone["concurrency"]["pools"]


def test_the_chart_is_told_what_deployed_homes_say(dagster: Any, values: Any):
    queue, alike = (
        values["dagsterDaemon"]["runCoordinator"]["config"]["queuedRunCoordinator"],
        dagster["concurrency"]["runs"],
    )
    assert (queue["maxConcurrentRuns"], queue["tagConcurrencyLimits"]) == (
        alike["max_concurrent_runs"],
        alike["tag_concurrency_limits"],
    )
    told = {
        re.sub("[A-Z]", lambda c: f"_{c[0].lower()}", k): v for k, v in values["dagsterDaemon"]["runMonitoring"].items()
    }
    assert told == dagster["run_monitoring"]
    assert values["postgresql"]["postgresqlScheme"] == dagster["storage"]["custom"]["config"]["postgres_db"]["scheme"]
    assert f"--version {pinned('dagster')} " in (DEPLOY / "values.yaml").read_text(encoding="utf-8")


def test_variables_of_containers_are_those_that_somebody_reads(dagster: Any, ours: dict[str, Any]):
    database = dagster["storage"]["custom"]["config"]["postgres_db"]
    wanted = {value["env"] for value in database.values() if isinstance(value, dict)}
    known = (ROOT / "docs" / "reference" / "environment.md").read_text(encoding="utf-8")
    for service in ours.values():
        given = service["environment"].keys()
        assert {name for name in given if name.startswith("DAGSTER_PG_")} == wanted
        assert [name for name in given if f"`{name}`" not in known] == []


def test_commands_of_containers_exist(ours: dict[str, Any]):
    scripts = {script.name for script in entry_points(group="console_scripts")} | {"python"}
    for service in ours.values():
        program, *words = service["command"]
        assert program in scripts
        assert all(find_spec(module) for option, module in pairwise(words) if option == "-m")
        assert all(definitions.resolve_job_def(job) for option, job in pairwise(words) if option == "-j")


def test_containers_are_reached_from_this_machine_alone(services: dict[str, Any]):
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_no_secret_is_in_a_file(services: dict[str, Any]):
    example = dict(
        line.split("=", 1)
        for line in (DEPLOY / "env.example").read_text("utf-8").splitlines()
        if re.match(r"\w+=", line)
    )
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    used = {name for name, rest in VARIABLE.findall(text) if not rest.startswith(":-")}
    assert used == example.keys()
    assert [name for name, value in example.items() if SECRET.search(name) and value] == []
    given = [pair for service in services.values() for pair in service.get("environment", {}).items()]
    secret = [value for name, value in given if SECRET.search(name)]
    assert len(secret) > 10
    assert all(re.fullmatch(r"\$\{\w+:\?\}", value) for value in secret)
    assert "/deploy/.env" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_an_image_is_made_of_what_there_is():
    text = re.sub(r"\\\n", " ", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"))
    lines = re.findall(r"^COPY (.*)", text, re.MULTILINE)
    copied = [word for line in lines for word in line.split()[:-1] if not word.startswith("-")]
    sent = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8")
    assert all((ROOT / source).exists() and f"!{source}\n" in sent for source in copied)
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]["find"]
    assert {name.rstrip("*") for name in packages["include"]} < set(copied)
    system = re.search(r"SYSTEM_PACKAGES := (.*)", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert system is not None
    assert system[1] in text
    extras = re.search(r"ARG EXTRAS=(\S+)", text)
    assert extras is not None
    assert set(extras[1].split(",")) <= PROJECT["optional-dependencies"].keys()
    assert set(re.findall(r"--build-arg (\w+)=", text)) <= set(re.findall(r"^ARG (\w+)", text, re.MULTILINE))


def test_nodes_of_a_ray_cluster_run_the_pinned_ray(ours: dict[str, Any]):
    cluster = read(DEPLOY / "raycluster.yaml")["spec"]
    assert cluster["rayVersion"] == pinned("ray")
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    images = {container["image"] for group in groups for container in group["template"]["spec"]["containers"]}
    assert images == {"youtube-occ:cpu", "youtube-occ:cuda"}
    assert {service["image"].partition(":")[0] for service in ours.values()} == {"youtube-occ"}


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_a_recipe_for_slurm_is_bash_and_gives_notice_before_the_end(recipe: Path):
    assert subprocess.run(["bash", "-n", recipe], check=False).returncode == 0
    assert "#SBATCH --signal=TERM@120" in recipe.read_text(encoding="utf-8").splitlines()
    bare = {name: os.environ[name] for name in ("PATH", "HOME")}
    ended = subprocess.run(["bash", recipe], env=bare, capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert "YOUTUBE_OCC_DATA: a bucket or a folder that all machines mount" in ended.stderr


@pytest.mark.parametrize(
    "path", [path for path in sorted(DEPLOY.iterdir()) if path.name not in ("env.example", "Dockerfile.dockerignore")]
)
def test_every_file_says_what_of_it_was_run(path: Path):
    head = "\n".join(line for line in path.read_text("utf-8").splitlines()[:24] if line.startswith("#"))
    assert re.search("Never (built|started|applied|installed|submitted):|Run by the tests:", head)


def test_settings_of_the_builder_hold(ours: dict[str, Any], tmp_path: Path):
    written = tmp_path / "settings.yaml"
    written.write_text(read(DEPLOY / "compose.yaml")["configs"]["settings"]["content"], encoding="utf-8")
    assert load_settings("classic", written).dataset.engine == "ray"
    (given,) = ours["builder"]["configs"]
    assert given["target"] == ours["builder"]["environment"]["YOUTUBE_OCC_SETTINGS"]
