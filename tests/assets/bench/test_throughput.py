import json

import pytest

from assets.bench import throughput


def test_the_share_is_told_of_each_number_of_workers_once_all_is_built(capsys: pytest.CaptureFixture[str]):
    throughput.main(workers=[1, 3], seconds=0.2, videos=2)
    said = json.loads(capsys.readouterr().out)
    assert list(said["share"]) == ["1", "3"]
    assert all(0 < share <= 1 for share in said["share"].values())
