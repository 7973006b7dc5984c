import typer
from typer.testing import CliRunner

from pipeline.cli.ids import TakesIds


def shown(*words: str) -> str:
    app = typer.Typer()

    @app.command(cls=TakesIds)
    def look(ids: list[str], data: str = "", aside: bool = False) -> None:
        typer.echo(f"{ids} {data} {aside}")

    result = CliRunner().invoke(app, list(words))
    return result.output.strip() if result.exit_code == 0 else "refused"


def test_ids_that_begin_like_options_are_arguments():
    assert shown("-abcdefghij", "--data", "-abcdefghik") == "['-abcdefghij'] -abcdefghik False"
    assert shown("tour-1", "--abcdefghi", "--aside") == "['tour-1', '--abcdefghi']  True"
    assert shown("tour-1", "--", "-abcdefghij") == "['tour-1', '-abcdefghij']  False"


def test_what_is_no_id_stays_an_option():
    assert shown("tour-1", "--asid") == "refused"
