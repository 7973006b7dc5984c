"""``youtube-occ weights``: list, fetch and verify named weights; also all that a profile needs."""

from typing import Annotated

import typer

from models.cli import fetch_weights as fetch_names
from models.cli import list_weights, verify_weights
from pipeline.cli.options import FileOption, ProfileOption, SetOption, flags
from pipeline.settings import environment, resolve
from pipeline.stages.needed_weights import fetch_weights, missing_weights, needed_weights

app = typer.Typer(help="List, fetch and verify named weights.", no_args_is_help=True)
app.command("list")(list_weights)
app.command("verify")(verify_weights)


@app.command("fetch", epilog="Example: youtube-occ weights fetch --profile open")
def fetch(
    names: Annotated[list[str] | None, typer.Argument(help="registered names; see 'weights list'")] = None,
    profile: ProfileOption = None,
    settings_file: FileOption = None,
    values: SetOption = None,
) -> None:
    """Download weights by name, or all that a profile's backends need, resuming what was interrupted."""
    chosen = profile is not None or settings_file is not None or bool(values)
    if bool(names) == chosen:
        raise typer.BadParameter("give either names of weights or a --profile")
    if names:
        fetch_names(names)
        return
    from models.weights.registry import CommercialUse  # a table, quick to load

    settings = resolve(flags(profile, settings_file, values), environment()).settings
    missing = {weights.name for weights in missing_weights(settings)}
    needed = needed_weights(settings)
    for weights in needed:
        state = "to fetch" if weights.name in missing else "here"
        typer.echo(f"{weights.name}  {weights.size_bytes / 1e6:.0f} MB  {state}  {weights.licence}")
        if weights.commercial is not CommercialUse.ALLOWED:
            typer.echo(f"  commercial use of {weights.name}: {weights.commercial}; {weights.use}")
    size = sum(weights.size_bytes for weights in needed if weights.name in missing)
    typer.echo(f"profile {settings.profile}: {len(missing)} of {len(needed)} files to fetch, {size / 1e6:.0f} MB")
    fetch_weights(settings, settings.dataset.weight_mirrors)
