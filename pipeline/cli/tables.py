"""The table of a ruler, as plain characters that no pipe cuts and every terminal knows."""

import math
from collections.abc import Iterable

import typer

from pipeline.quality.rulers import RulerReport
from pipeline.quality.rulers.records import RulerRow

COLUMNS = (
    "film",
    "clips",
    "through",
    "frames kept",
    "wrong passed",
    "AUC@5",
    "AUC@10",
    "rotation, deg",
    "AbsRel",
    "focal error",
    "metre error",
    "IoU, est. scale",
    "IoU, true scale",
    "IoU, lost counted",
    "why",
)


def print_ruler(reports: Iterable[RulerReport]) -> None:
    """Show reports, one Markdown table each: a row for every part, below it one for every shot; nothing is cut off."""
    for report in reports:
        typer.echo(f"suite {report.suite}, profile {report.profile}\n")
        rows = [list(COLUMNS)]
        for total, shots in report.blocks():
            rows += [_cells(total), *(_cells(shot, "  ") for shot in shots)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        ruled = [rows[0], ["-" * width for width in widths], *rows[1:]]
        for row in ruled:
            typer.echo(f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |".rstrip())


def _cells(row: RulerRow, indent: str = "") -> list[str]:
    """Return a row as text; a single shot is through or not, and a dash stands where nothing tells."""
    counts = [row.clips, row.through, f"{row.kept} of {row.frames}", row.wrong]
    figures = [row.auc5, row.auc10, row.rotation, row.abs_rel, row.focal, row.metre]
    figures += [row.iou, row.iou_true_scale, row.iou_lost]
    told = ["-" if math.isnan(value) else f"{value:.3f}" for value in figures]
    reason = " ".join(row.reason.replace("|", "/").split())
    return [str(cell) for cell in (indent + row.name, *counts, *told, reason)]
