import io

import numpy as np
import pytest
from PIL import Image

from pipeline.contract.overlap import OverlapCounts
from pipeline.quality import QualityReport, plot_side_by_side, side_by_side
from pipeline.quality.scores import CutCounts, Overlap, TourScores

NOTHING = Overlap.of(OverlapCounts.nothing())
BAR_COLOURS = (np.array([0x4C, 0x78, 0xA8]), np.array([0xF5, 0x85, 0x18]))


def report_of(profile: str, *matched: int) -> QualityReport:
    """A report on tours of ten cuts each, of which some were found, and nothing besides."""
    tours = tuple(
        TourScores(
            video_id=f"tour-{i}",
            fingerprint="0",
            cuts=CutCounts(found=found, true=10, matched=found),
            transition_frames=0,
            indoor_right=1,
            indoor_clips=1,
            indoor_shots=1,
            shots_reconstructed=0,
            clips=(),
            pixels=NOTHING,
            grids=NOTHING,
            grids_true_scale=NOTHING,
        )
        for i, found in enumerate(matched)
    )
    return QualityReport(profile=profile, tours=tours)


def cells(table: str, figure: str) -> list[str]:
    (line,) = [line for line in table.splitlines() if f"| {figure} |" in line]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_every_figure_has_a_column_a_profile_and_its_target():
    table = side_by_side([report_of("classic", 10, 10), report_of("small", 10, 8, 6)])
    assert table.startswith("classic: 2 tours; small: 3 tours\n")
    # F1 over all cuts of a profile: 24 of 30 found, none wrong.
    assert cells(table, "cut F1") == ["clips", "cut F1", "1.000", f"**{48 / 54:.3f}**", ">= 0.95"]
    assert cells(table, "cut precision") == ["clips", "cut precision", "1.000", "1.000", ""]


def test_what_a_profile_did_not_build_is_left_open():
    built, nothing = report_of("classic", 10), report_of("unbuilt")
    for reports in ([built, nothing], [nothing, built]):
        table = side_by_side(reports)
        assert table.count(" | - |") == len(built.figures())
    assert side_by_side([nothing, nothing]).count("\n|") == 2, "head and line of an empty table"


def test_rows_follow_the_fullest_report():
    fullest = [figure.name for figure in report_of("a", 10).figures()]
    table = side_by_side([report_of("none"), report_of("a", 10)])
    assert [line.split("|")[2].strip() for line in table.splitlines()[4:]] == fullest


def test_a_plot_has_a_panel_for_every_figure_with_a_target_and_bars_as_high_as_its_values():
    reports = [report_of("a", 10), report_of("b", 2)]
    picture = np.asarray(Image.open(io.BytesIO(plot_side_by_side(reports))).convert("RGB")).astype(int)
    targeted = [figure.name for figure in reports[0].figures() if figure.reached is not None]
    lines = -(-len(targeted) // 3)
    # Three panels of 4 x 2.2 inches a row at 80 dots an inch.
    assert picture.shape == (int(2.2 * 80 * lines), 3 * 4 * 80, 3)
    row, column = divmod(targeted.index("cut F1"), 3)
    high = picture.shape[0] // lines
    panel = picture[row * high : (row + 1) * high, 320 * column : 320 * (column + 1)]
    heights = [(np.abs(panel - colour).max(axis=-1) < 6).any(axis=1).sum() for colour in BAR_COLOURS]
    # F1 of 10 of 10, and of 2 of 10: 1 and 1 / 3.
    assert heights[1] / heights[0] == pytest.approx(1 / 3, abs=0.03)


def test_a_plot_of_nothing_is_an_empty_picture():
    assert plot_side_by_side([report_of("unbuilt")]).startswith(b"\x89PNG")
