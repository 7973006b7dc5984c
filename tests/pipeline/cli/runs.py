"""Commands run as a user types them, in this process."""

from typer.testing import CliRunner, Result

from pipeline.cli.app import command_line


def run(*arguments: object) -> Result:
    """Run a command; an error that is not its own way to end is raised."""
    return CliRunner().invoke(command_line(), [str(argument) for argument in arguments], catch_exceptions=False)


def output(*arguments: object) -> str:
    ended = run(*arguments)
    assert ended.exit_code == 0, ended.output
    return ended.output
