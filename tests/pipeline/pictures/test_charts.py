import re

from pipeline.pictures.charts import bars, histogram


def test_the_largest_bar_fills_the_width_and_names_are_text():
    drawn = bars([("<b>", 4, "4 <i>"), ("half", 2, "2"), ("none", 0, "0")], [(255, 0, 0)])
    assert re.findall(r'width="([0-9.]+)" height', drawn) == ["100.00", "50.00", "0.00"]
    assert "&lt;b&gt;" in drawn
    assert "4 &lt;i&gt;" in drawn
    assert 'fill="#ff0000"' in drawn


def test_columns_stand_on_the_ground_and_ends_are_named():
    drawn = histogram([0, 5, 10], [0, 1, 2, 3], "m")
    heights = [float(found) for found in re.findall(r'height="([0-9.]+)" fill', drawn)]
    assert heights == [0, 60, 120]
    assert re.findall(r">([0-9.]+ m)</text>", drawn) == ["0 m", "1 m", "3 m"]
    assert "1 to 2 m: 5" in drawn


def test_nothing_is_drawn_of_nothing():
    assert bars([]) == '<table class="bars"></table>'
    assert "rect" not in histogram([], [0], "s")
