import json

import pytest

from pipeline.bench import query_index
from pipeline.bench.query_index import REGIONS, WIDTH, main


def test_one_changed_video_is_followed_and_where_nothing_changed_nothing_is_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(query_index, "LINKS", 2)
    main(5)
    found = json.loads(capsys.readouterr().out)
    rows = 5 * REGIONS * WIDTH * 3 / 1e6
    assert [found[name]["regions"] for name in ("first", "nothing changed", "one changed")] == [5 * REGIONS] * 3
    assert found["nothing changed"]["megabytes_written"] == 0
    for name in ("first", "one changed"):
        assert rows < found[name]["megabytes_written"] < rows + 0.01
