"""Command line: ``python -m models weights list|fetch|verify``; the commands import what they need."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from models.errors import ModelError

app = typer.Typer(help="Networks and their weights.", no_args_is_help=True)
weights_app = typer.Typer(help="List, fetch and verify named weights.", no_args_is_help=True)
app.add_typer(weights_app, name="weights")

Names = Annotated[list[str], typer.Argument(help="registered names; see 'weights list'")]


@app.callback()
def _app() -> None:
    """Networks and their weights."""


@weights_app.command("list")
def list_weights() -> None:
    """Show every registered or shipped file, its size, licence and whether it is cached."""
    from models.weights import cache
    from models.weights.folder import cache_folder
    from models.weights.licences import OWN_LICENCE
    from models.weights.registry import WEIGHTS, CommercialUse

    for weights in WEIGHTS.values():
        cached = "cached" if (cache_folder() / weights.file_name).is_file() else "not here"
        _show(weights.name, f"{weights.size_bytes / 1e9:.2f} GB", cached, weights.commercial)
        typer.echo(f"    {weights.licence}: {weights.use}")
    for name in cache.shipped():
        size = (cache.SHIPPED / f"{name}.safetensors").stat().st_size
        _show(name, f"{size / 1e6:.1f} MB", "shipped", CommercialUse.ALLOWED)
        typer.echo(f"    {OWN_LICENCE}: for rendered tours; its card says more")


def _show(name: str, size: str, where: str, commercial: str) -> None:
    typer.echo(f"{name:<24} {size:>8}  {where:<8}  commercial use {commercial}")


@weights_app.command("fetch")
def fetch_weights(names: Names) -> None:
    """Download weights into the cache, resuming what was interrupted."""
    from models.weights import cache

    with _errors_as_messages():
        for name in names:
            typer.echo(cache.ensure(name))


@weights_app.command("verify")
def verify_weights(names: Names) -> None:
    """Compare cached files, and those that come with this package, with the checksums on record."""
    from models.weights import cache

    with _errors_as_messages():
        for name in names:
            typer.echo(f"{cache.verify_named(name)}  {name}")


@contextmanager
def _errors_as_messages() -> Iterator[None]:
    """Turn errors raised on purpose into a message and exit code 1."""
    try:
        yield
    except ModelError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
