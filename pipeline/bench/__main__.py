"""``make bench``: every benchmark in turn, each in a process of its own; tables on the screen, JSON in ``.bench/``."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import typer

FOLDER = Path(".bench")


def describe_machine() -> dict[str, str | int]:
    """Return what the figures were measured on."""
    import torch

    name = next((line.split(":")[1].strip() for line in _cpu_lines() if line.startswith("model name")), "unknown")
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
    return {
        "processor": name,
        "cores": len(os.sched_getaffinity(0)),
        "gpu": gpu,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
    }


def stages() -> None:
    """Every stage of the pipeline on one room."""
    from pipeline.bench import stages as bench

    times = bench.benchmark()
    _keep("stages", bench.as_json(times), bench.table(times))


def voxelize() -> None:
    """One frame's grid beside NumPy and Open3D."""
    from dataclasses import asdict

    from pipeline.bench import voxelize as bench

    timings = bench.benchmark()
    _keep("voxelize", json.dumps([asdict(row) for row in timings], indent=1), bench.table(timings))


def alignment() -> None:
    """Global alignment of pointmaps beside gradient steps at full resolution."""
    _run("pipeline.bench.alignment", "--frames", "8")


def clip() -> None:
    """Peak memory of a clip through DUSt3R and alignment; small here, pipeline.bench.clip takes any size."""
    _run("pipeline.bench.clip", "--small", "--frames", "24", "--every", "20")


def dust3r() -> None:
    """DUSt3R over a clip, each image encoded once; small here, models.bench.dust3r takes any size."""
    _run("models.bench.dust3r", "--small", "--output", str(FOLDER / "dust3r.json"))


def geometry() -> None:
    """Cameras and depth of clips of 8, 16, 22 and 48 frames, one way beside the other; the better part of an hour."""
    counts = [argument for frames in (8, 16, 22, 48) for argument in ("--frames", str(frames))]
    _run("pipeline.bench.geometry", *counts, "--output", str(FOLDER / "geometry.json"))


def card_hours() -> None:
    """Hours of a graphics card for the whole of YouTube-Occ by each profile, computed from operations."""
    _run("pipeline.bench.card_hours", "--output", str(FOLDER / "card_hours.json"))


def san() -> None:
    """SAN ViT-B/16 beside the machine's rate of matrix products."""
    printed = _run("models.bench.san")
    (FOLDER / "san.json").write_text(printed)


def ingest() -> None:
    """The catalog at a million rows, and the memory of discovering 100,000 entries."""
    (FOLDER / "ingest.json").write_text(_run("pipeline.bench.ingest"))


def refresh() -> None:
    """The index following one changed video of 100,000."""
    (FOLDER / "refresh.json").write_text(_run("pipeline.bench.refresh"))


def views() -> None:
    """Small views of a house for training, by Open3D's ray caster and by torch."""
    from pipeline.bench import views as bench

    rates = bench.benchmark()
    _keep("views", bench.as_json(rates), bench.table(rates))


def loader() -> None:
    """Samples for training from the store beside one .npz a frame."""
    _run("training.bench.loader", "--output", str(FOLDER / "loader.json"))


def training_step() -> None:
    """A training step of the paper's occupancy network; minutes and 8 GiB of memory without a graphics card."""
    _run("training.bench.step", "--output", str(FOLDER / "training_step.json"))


def query_index() -> None:
    """The index of regions follows one changed video of 1,000; pipeline.bench.query_index takes any number."""
    _run("pipeline.bench.query_index", "--videos", "1000")


def query() -> None:
    """One query over a million regions, beside NumPy."""
    from dataclasses import asdict

    from pipeline.bench import query as bench

    timings = bench.benchmark()
    _keep("query", json.dumps([asdict(row) for row in timings], indent=1), bench.table(timings))


BENCHMARKS = {
    function.__name__: function
    for function in (
        ingest,
        refresh,
        stages,
        voxelize,
        alignment,
        clip,
        dust3r,
        geometry,
        card_hours,
        san,
        views,
        query,
        query_index,
        loader,
        training_step,
    )
}


def main(names: list[str] | None = typer.Argument(None, help=f"which of: {', '.join(BENCHMARKS)}")) -> None:  # noqa: B008
    """Run all benchmarks, or those named."""
    unknown = [name for name in names or () if name not in BENCHMARKS]
    if unknown:
        raise typer.BadParameter(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    FOLDER.mkdir(exist_ok=True)
    machine = describe_machine()
    (FOLDER / "machine.json").write_text(json.dumps(machine, indent=1))
    typer.echo(", ".join(f"{key} {value}" for key, value in machine.items()))
    for name in names or list(BENCHMARKS):
        typer.echo(f"\n## {name}: {BENCHMARKS[name].__doc__}\n")
        BENCHMARKS[name]()


def _keep(name: str, content: str, table: str) -> None:
    (FOLDER / f"{name}.json").write_text(content)
    typer.echo(table)


def _run(module: str, *arguments: str) -> str:
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own modules
    typer.echo(done.stdout)
    return done.stdout


def _cpu_lines() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


if __name__ == "__main__":
    typer.run(main)
