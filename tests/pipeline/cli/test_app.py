import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from pipeline.cli.app import command_line, main

from .runs import output, run

PANELS = ("Build", "Look", "Publish", "Sources")


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """What one types for every command of the pipeline's own; other packages' commands are theirs to test."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        elif command.callback.__module__.startswith("pipeline."):
            yield (*path, name)


@pytest.mark.parametrize("path", commands(get_command(command_line())), ids=" ".join)
def test_the_help_of_a_command_names_an_example_that_it_understands(path: tuple[str, ...]):
    shown = " ".join(output(*path, "--help").split())
    example = shown.partition("Example: youtube-occ ")[2]
    assert example.startswith(" ".join(path))
    options = [word for word in example.split() if word.startswith("--")]
    assert all(option in shown.partition("Example:")[0] for option in options)


def test_commands_stand_in_panels_by_what_they_are_for():
    shown = output("--help")
    places = [shown.index(f"{panel} ─") for panel in PANELS]
    assert places == sorted(places)
    assert shown.index("process") < places[1] < shown.index("preview") < places[2] < shown.index("manifest")
    assert "dagster job execute -j build_dataset" in shown


def test_training_and_weights_are_commands_too():
    listed = output("--help")
    assert all(f"│ {name} " in listed for name in ("train", "weights", "export"))


@pytest.mark.parametrize("arguments", [["nonsense"], ["process"], ["view", "tour-5", "--nonsense"]])
def test_what_is_no_command_ends_with_status_2_and_says_how_to_go_on(arguments: list[str]):
    ended = run(*arguments)
    assert ended.exit_code == 2
    assert "--help" in ended.output
    assert "Traceback" not in ended.output


def test_without_a_command_the_help_is_shown():
    assert "Usage: " in run().output


def test_another_package_adds_a_command_by_its_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "greetings.py").write_text(
        'import typer\n\n\ndef hello(name: str) -> None:\n    """Greet."""\n    print(f"hello {name}")\n\n\n'
        'group = typer.Typer()\ngroup.command("twice")(lambda: print("hello hello"))\n'
        'group.command("thrice")(lambda: None)\n'
    )
    added = tmp_path / "greetings-1.0.dist-info"
    added.mkdir()
    (added / "METADATA").write_text("Metadata-Version: 2.1\nName: greetings\nVersion: 1.0\n")
    (added / "entry_points.txt").write_text(
        "[youtube_occ.commands]\nLook.hello = greetings:hello\ngreet = greetings:group\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    app = command_line()
    assert CliRunner().invoke(app, ["hello", "you"]).output == "hello you\n"
    assert CliRunner().invoke(app, ["greet", "twice"]).output == "hello hello\n"
    assert "Greet." in CliRunner().invoke(app, ["--help"]).output


def test_an_error_made_on_purpose_is_one_line_and_status_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(sys, "argv", ["youtube-occ", "view", "tour-5", "--data", str(tmp_path / "nothing")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    shown = capsys.readouterr()
    assert len(shown.out.splitlines()) == 1
    assert shown.out.startswith("SettingsError: there is no video")
    assert shown.err == ""


def test_a_video_id_that_leads_elsewhere_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(sys, "argv", ["youtube-occ", "view", "../../etc/passwd", "--data", str(tmp_path)])
    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().out.startswith("SettingsError: video id '../../etc/passwd' is not of the form")
