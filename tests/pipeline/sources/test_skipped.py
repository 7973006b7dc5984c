from pipeline.sources.skipped import NAMED_ROWS, SkippedRows


def test_a_million_bad_rows_are_counted_and_some_named():
    skipped = SkippedRows(other_files={".jpg": 4, ".txt": 2})
    for number in range(1000):
        skipped.add(f"line {number}", "it names no video")
    said = skipped.described()
    assert said[0] == "1000 rows skipped"
    assert said[1] == "line 0: it names no video"
    assert said[-2:] == [f"and {1000 - NAMED_ROWS} more", "6 files of other kinds (4 .jpg, 2 .txt)"]
