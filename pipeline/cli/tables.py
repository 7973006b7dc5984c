"""The table of a ruler, as plain characters that no pipe cuts and every terminal knows."""

from collections.abc import Iterable

from rich import box
from rich.table import Table
from rich.text import Text

from pipeline.cli.printers import console
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
    """Show reports, one table each: a row for every part in bold, below it one for every shot."""
    for report in reports:
        console.print(f"suite {report.suite}, profile {report.profile}", style="bold")
        table = Table(*COLUMNS, box=box.MARKDOWN, safe_box=True)
        for column in table.columns:
            column.no_wrap, column.overflow = True, "ignore"
        for total, rows in report.blocks():
            table.add_row(*_cells(total), style="bold")
            for row in rows:
                table.add_row(*_cells(row, "  "))
        width = console.measure(table, options=console.options.update(width=10_000)).maximum
        console.print(table, width=width, crop=False, no_wrap=True, overflow="ignore", soft_wrap=True)


def _cells(row: RulerRow, indent: str = "") -> list[Text]:
    """Return a row as text; a single shot is through or not, and a dash stands where nothing tells."""
    counts = [row.clips, row.through, f"{row.kept} of {row.frames}", row.wrong]
    figures = [row.auc5, row.auc10, row.rotation, row.abs_rel, row.focal, row.metre]
    figures += [row.iou, row.iou_true_scale, row.iou_lost]
    told = ["-" if value != value else f"{value:.3f}" for value in figures]  # noqa: PLR0124 - nan
    reason = " ".join(row.reason.replace("|", "/").split())
    return [Text(str(cell)) for cell in (indent + row.name, *counts, *told, reason)]
