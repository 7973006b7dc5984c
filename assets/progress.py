"""What a build says of a video on the terminal and in the logs."""

from typer import echo

from pipeline.stages.run import StageReport


def echo_report(video_id: str, report: StageReport) -> None:
    """Print what a stage did."""
    made = report.provenance
    state = "kept" if report.reused else f"{made.seconds:.1f} s"
    counts = ", ".join(f"{name} {value:.4g}" for name, value in made.counts.items())
    echo(f"{video_id:<16} {made.stage:<15} done  {state}: {counts}")
    for item in made.left_out:
        echo(f"{'':<16} left out clip {item.clip_id}: {item.code}: {item.detail}")
