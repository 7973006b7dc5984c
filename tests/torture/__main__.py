"""``python -m tests.torture``: see ``--help``."""

import importlib
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from tests.torture import preload
from tests.torture.faults import KINDS
from tests.torture.traced import ENTRY_POINTS


def main(
    rounds: Annotated[int, typer.Option(min=1, help="Faults, one a round; a round takes some two seconds.")] = 1000,
    seed: Annotated[int, typer.Option(help="Decides everything that is drawn.")] = 0,
    only: Annotated[list[str] | None, typer.Option(help=f"Kinds of faults; several: {', '.join(KINDS)}.")] = None,
    daemon: Annotated[bool, typer.Option(help="Let Dagster's daemon work on the dataset too; slower.")] = False,
    out: Annotated[Path | None, typer.Option(help="File for the report, JSON.")] = None,
    keep: Annotated[Path | None, typer.Option(help="Folder to work in, which is kept; it must not exist.")] = None,
) -> None:
    """Kill, stop, starve and power off processes that build, gather, poll, read and train on one small dataset.

    After every round a reader of its own looks whether all frames belong together, nothing is lost, no file of others
    is gone and nothing was built twice. Exits with 1 if something was wrong.
    """
    if preload.LIBRARY_VARIABLE not in os.environ:
        preload.restart_with(preload.build(Path(tempfile.mkdtemp(prefix="torture-library-"))))
    folder = keep or Path(tempfile.mkdtemp(prefix="torture-"))
    folder.mkdir(parents=True, exist_ok=keep is None)
    install(folder / "site")
    from tests.torture.campaign import Campaign

    # Of the daemon no journal is kept, so that power cuts would take back half of what happened.
    kinds = {kind: KINDS[kind] for kind in only or KINDS if not (daemon and kind == "power")}
    campaign = Campaign(folder, seed, typer.echo, kinds, with_daemon=daemon)
    try:
        campaign.run(rounds)
    except KeyboardInterrupt:
        typer.echo(f"stopped after {campaign.report.rounds} rounds")
    report = campaign.report
    if out is not None:
        out.write_text(report.as_json() + "\n")
    typer.echo(report.as_json())
    if keep is None and not report.violations:
        shutil.rmtree(folder)
    raise typer.Exit(1 if report.violations else 0)


def install(site: Path) -> None:
    """Make the traced backends known as those of an installed package are."""
    installed = site / "torture-1.0.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: torture\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text(ENTRY_POINTS)
    (site / "sitecustomize.py").write_text("from tests.torture.preload import begin_as_told\n\nbegin_as_told()\n")
    sys.path.insert(0, str(site))
    importlib.invalidate_caches()


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
    app.command()(main)
    app()
