from pathlib import Path

from pipeline.sources.text_rows import ROW_LINES_MAX, TextRows, opened


def test_a_quote_that_is_never_closed_costs_its_own_line(tmp_path: Path):
    lines = ['a,"b', *(f"c{number},d" for number in range(3 * ROW_LINES_MAX))]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    with opened(tmp_path / "a.csv") as file:
        rows = list(TextRows(file, lambda _: ",", lambda _: False))
    assert rows[0].problem == "it opens a quote and does not close it"
    assert [row.cells for row in rows[1:]] == [[f"c{number}", "d"] for number in range(3 * ROW_LINES_MAX)]
    assert [row.line for row in rows] == list(range(1, len(lines) + 1))
