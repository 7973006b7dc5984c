import hashlib
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from models.errors import WeightsUnavailable, WrongWeights
from models.own_folder import own_folder
from models.weights import cache
from models.weights.cache import (
    ensure,
    expected_checksum,
    fetch,
    locate,
    registered,
    shipped,
    verify,
)
from models.weights.folder import TRANSFERS, cache_folder
from models.weights.registry import WEIGHTS, CommercialUse, WeightFile
from tests.foreign import foreign_folder, lost
from tests.models.weights.server import CONTENT, MEGABYTE, WeightsServer
from tests.paths import ROOT

SHA256 = hashlib.sha256(CONTENT).hexdigest()
OTHER_SHA256 = hashlib.sha256(CONTENT[:-1]).hexdigest()
FETCH = """
import sys
from pathlib import Path
from models.weights.cache import fetch
from models.weights.registry import WeightFile
print(fetch(WeightFile("toy", "toy.pth", (sys.argv[1],), 3 << 20, None, "MIT", "anything"), Path(sys.argv[2])))
"""


def weights(server: WeightsServer, *paths: str, sha256: str | None = None, licence: str = "MIT") -> WeightFile:
    urls = tuple(map(server.url, paths))
    free = CommercialUse.ALLOWED
    return WeightFile("toy", "toy.pth", urls, len(CONTENT), sha256, licence, "research", commercial=free)


def another_process(server: WeightsServer, path: str, folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", FETCH, server.url(path), str(folder)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, **pipes, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})


def wait_for_bytes(path: Path, count: int, process: subprocess.Popen[str]) -> None:
    while not path.exists() or path.stat().st_size < count:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


def test_a_file_arrives_whole_and_is_remembered(server: WeightsServer, tmp_path: Path):
    path = fetch(weights(server, "/whole"), tmp_path)
    assert path.read_bytes() == CONTENT
    assert (tmp_path / "toy.pth.sha256").read_text() == f"{SHA256}  toy.pth\n"
    assert not list(tmp_path.rglob("*.part"))


def test_a_cached_file_is_not_fetched_again(server: WeightsServer, tmp_path: Path):
    for _ in range(2):
        fetch(weights(server, "/whole"), tmp_path)
    assert len(server.ranges) == 1


def test_an_interrupted_download_goes_on_where_it_stopped(server: WeightsServer, tmp_path: Path):
    with pytest.raises(WeightsUnavailable, match="Run again to resume"):
        fetch(weights(server, "/cut"), tmp_path)
    arrived = (tmp_path / TRANSFERS / "toy.pth.part").stat().st_size
    assert arrived == len(CONTENT) // 2
    assert fetch(weights(server, "/whole", sha256=SHA256), tmp_path).read_bytes() == CONTENT
    assert server.ranges[-1] == f"bytes={arrived}-"


def test_the_mirror_is_asked_when_the_first_source_fails(server: WeightsServer, tmp_path: Path):
    assert fetch(weights(server, "/gone", "/whole"), tmp_path).read_bytes() == CONTENT


def test_the_mirror_goes_on_where_the_first_source_was_cut(server: WeightsServer, tmp_path: Path):
    assert fetch(weights(server, "/cut", "/whole", sha256=SHA256), tmp_path).read_bytes() == CONTENT
    assert server.ranges == [None, f"bytes={len(CONTENT) // 2}-"]


def test_when_all_sources_fail_each_is_named_with_its_reason(server: WeightsServer, tmp_path: Path):
    with pytest.raises(WeightsUnavailable) as raised:
        fetch(weights(server, "/gone", "/page"), tmp_path)
    for part in (f"{server.url('/gone')}: the server answered 404", f"{server.url('/page')}: ", "a web page"):
        assert part in str(raised.value)


def test_a_damaged_download_is_refused_with_both_checksums_and_deleted(server: WeightsServer, tmp_path: Path):
    with pytest.raises(WrongWeights, match=f"expected {'0' * 64} .stated., found {SHA256}"):
        fetch(weights(server, "/whole", sha256="0" * 64), tmp_path)
    assert not list(tmp_path.rglob("toy.pth*.p*"))
    assert not (tmp_path / "toy.pth").exists()


def test_a_file_changed_after_first_use_is_refused(server: WeightsServer, tmp_path: Path):
    path = fetch(weights(server, "/whole"), tmp_path)
    path.write_bytes(CONTENT[:-1])
    with pytest.raises(WrongWeights, match=f"expected {SHA256} .that.*, found {OTHER_SHA256}"):
        fetch(weights(server, "/whole"), tmp_path)
    assert expected_checksum(path) == SHA256


def test_a_published_checksum_counts_more_than_a_remembered_one(server: WeightsServer, tmp_path: Path):
    (tmp_path / "toy.pth").write_bytes(CONTENT)
    (tmp_path / "toy.pth.sha256").write_text(f"{OTHER_SHA256}  toy.pth\n")
    assert verify(weights(server, "/gone", sha256=SHA256), tmp_path) == SHA256
    with pytest.raises(WrongWeights):
        verify(weights(server, "/gone", sha256=OTHER_SHA256), tmp_path)


def test_of_several_checksums_that_are_stated_each_will_do(server: WeightsServer, tmp_path: Path):
    two = replace(weights(server, "/whole", sha256="0" * 64), also_sha256=(SHA256,))
    assert fetch(two, tmp_path).read_bytes() == CONTENT
    (tmp_path / "toy.pth").write_bytes(CONTENT[:-1])
    with pytest.raises(WrongWeights, match=f"expected {'0' * 64} or {SHA256} .stated., found {OTHER_SHA256}"):
        verify(two, tmp_path)


def test_trust_on_first_use_is_said_in_one_line_and_only_then(
    server: WeightsServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    said = [(fetch(weights(server, "/whole"), tmp_path), capsys.readouterr().err)[1] for _ in range(2)]
    assert said == [f"toy: no checksum is known; toy.pth is trusted from now on, sha256 {SHA256}\n", ""]
    known = weights(server, "/whole", sha256=SHA256)
    fetch(known, tmp_path / "elsewhere")
    assert capsys.readouterr().err == "", "where one is stated, nothing is taken on trust"
    assert not (tmp_path / "elsewhere" / "toy.pth.sha256").exists()


def test_another_file_than_the_one_trusted_first_is_refused_when_it_is_fetched_again(
    server: WeightsServer, tmp_path: Path
):
    (tmp_path / "toy.pth.sha256").write_text(f"{OTHER_SHA256}  toy.pth\n")
    with pytest.raises(WrongWeights, match=f"expected {OTHER_SHA256} .that of the file trusted first.*found {SHA256}"):
        fetch(weights(server, "/whole"), tmp_path)
    assert not (tmp_path / "toy.pth").exists()
    assert (tmp_path / "toy.pth.sha256").read_text().startswith(OTHER_SHA256)


def test_a_folder_of_foreign_files_takes_weights_and_stays_as_it_is(server: WeightsServer, tmp_path: Path):
    names = [f"toy.pth{suffix}" for suffix in (".part", ".lock", ".sha256", ".2.sha256/", ".licence-shown")]
    before = foreign_folder(tmp_path, f"{TRANSFERS}/", *names)
    with pytest.raises(WrongWeights):
        fetch(weights(server, "/whole", sha256="0" * 64), tmp_path)
    with pytest.raises(WeightsUnavailable):
        fetch(weights(server, "/cut"), tmp_path)
    for _ in range(2):
        assert fetch(weights(server, "/whole", licence="CC BY-NC 4.0"), tmp_path).read_bytes() == CONTENT
    assert lost(before, tmp_path) == []
    assert expected_checksum(tmp_path / "toy.pth") == SHA256
    (tmp_path / "toy.pth").write_bytes(CONTENT[:-1])
    with pytest.raises(WrongWeights):
        verify(weights(server, "/whole"), tmp_path)


def test_nothing_that_stands_in_the_place_of_weights_is_replaced(server: WeightsServer, tmp_path: Path):
    (tmp_path / "toy.pth").mkdir()
    before = foreign_folder(tmp_path / "toy.pth")
    with pytest.raises(WrongWeights, match="move it away"):
        fetch(weights(server, "/whole"), tmp_path)
    assert lost(before, tmp_path / "toy.pth") == []


@pytest.mark.parametrize("record", ["", "\n"])
def test_an_empty_record_of_a_checksum_is_as_good_as_none(server: WeightsServer, tmp_path: Path, record: str):
    (tmp_path / "toy.pth").write_bytes(CONTENT)
    (tmp_path / "toy.pth.sha256").write_text(record)
    assert verify(weights(server, "/gone"), tmp_path) == SHA256
    assert (tmp_path / "toy.pth.sha256").read_text().startswith(SHA256)


def test_a_file_put_there_by_hand_is_trusted_from_then_on(server: WeightsServer, tmp_path: Path):
    (tmp_path / "toy.pth").write_bytes(CONTENT)
    assert verify(weights(server, "/gone"), tmp_path) == SHA256
    assert fetch(weights(server, "/gone"), tmp_path) == tmp_path / "toy.pth"
    assert server.ranges == []


def test_what_is_not_cached_cannot_be_verified_and_the_message_says_how_to_get_it(
    server: WeightsServer, tmp_path: Path
):
    with pytest.raises(WeightsUnavailable, match="python -m models weights fetch toy"):
        verify(weights(server, "/whole"), tmp_path)
    assert server.ranges == []


def test_without_a_connection_the_message_says_where_to_put_the_file(tmp_path: Path):
    nowhere = WeightFile("toy", "toy.pth", ("http://127.0.0.1:9/toy.pth",), 1, None, "MIT", "anything")
    with pytest.raises(WeightsUnavailable, match=str(tmp_path / "toy.pth")):
        fetch(nowhere, tmp_path)


@pytest.mark.parametrize("use", [CommercialUse.FORBIDDEN, CommercialUse.UNSTATED])
def test_a_licence_that_does_not_allow_commercial_use_is_shown_once(
    server: WeightsServer, tmp_path: Path, capsys: pytest.CaptureFixture[str], use: CommercialUse
):
    restricted = replace(weights(server, "/whole", licence="CC BY-NC-SA 4.0"), commercial=use)
    shown = [(fetch(restricted, tmp_path), capsys.readouterr().err)[1] for _ in range(2)]
    assert f"CC BY-NC-SA 4.0. Commercial use: {use}." in shown[0]
    assert shown[1] == ""


def test_a_free_licence_is_not_shown(server: WeightsServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    fetch(weights(server, "/whole", sha256=SHA256, licence="Apache-2.0"), tmp_path)
    assert capsys.readouterr().err == ""


def test_of_two_processes_one_fetches_and_the_other_waits_for_it(server: WeightsServer, tmp_path: Path):
    first = another_process(server, "/stalled", tmp_path)
    wait_for_bytes(tmp_path / TRANSFERS / "toy.pth.part", 2 * MEGABYTE, first)
    second = another_process(server, "/whole", tmp_path)
    assert second.stderr is not None
    assert second.stderr.readline() == "toy: another process is fetching it; waiting\n"
    server.released.set()
    for process in (first, second):
        printed, complaints = process.communicate(timeout=600)
        assert printed == f"{tmp_path / 'toy.pth'}\n", complaints
    assert server.ranges == [None]
    assert (tmp_path / "toy.pth").read_bytes() == CONTENT


def test_many_processes_at_once_fetch_two_files_once_each(server: WeightsServer, tmp_path: Path):
    server.tagged = CONTENT, '"first"'
    fetching = [another_process(server, path, tmp_path / path[1:]) for path in ["/whole", "/tagged"] for _ in range(3)]
    for process in fetching:
        printed, complaints = process.communicate(timeout=600)
        assert printed.endswith("toy.pth\n"), complaints
    assert sorted(path for path, _ in server.headers) == ["/tagged", "/whole"]
    assert (tmp_path / "whole" / "toy.pth").read_bytes() == CONTENT


def test_what_was_begun_of_another_file_is_dropped_and_fetched_once_more(server: WeightsServer, tmp_path: Path):
    part = own_folder(tmp_path, TRANSFERS) / "toy.pth.part"
    part.write_bytes(bytes(MEGABYTE))
    assert fetch(weights(server, "/whole", sha256=SHA256), tmp_path).read_bytes() == CONTENT
    assert server.ranges == [f"bytes={MEGABYTE}-", None]


def test_whoever_waits_goes_on_where_a_killed_process_stopped(server: WeightsServer, tmp_path: Path):
    first = another_process(server, "/stalled", tmp_path)
    wait_for_bytes(tmp_path / TRANSFERS / "toy.pth.part", 2 * MEGABYTE, first)
    second = another_process(server, "/stalled", tmp_path)
    assert second.stderr is not None
    assert "waiting" in second.stderr.readline()
    first.kill()
    first.communicate()
    printed, complaints = second.communicate(timeout=600)
    assert printed == f"{tmp_path / 'toy.pth'}\n", complaints
    assert server.ranges == [None, f"bytes={2 * MEGABYTE}-"]
    assert (tmp_path / "toy.pth").read_bytes() == CONTENT


def test_the_cache_folder_is_a_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("YOUTUBE_OCC_WEIGHTS", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.setenv("YOUTUBE_OCC_WEIGHTS", "")
    assert cache_folder().parts[-2:] == ("youtube-occ", "weights"), "an empty setting is none"


def test_registered_weights_are_fetched_by_name_into_that_folder(
    server: WeightsServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("YOUTUBE_OCC_WEIGHTS", str(tmp_path / "not" / "there" / "yet"))
    monkeypatch.setitem(WEIGHTS, "toy", weights(server, "/whole"))
    assert locate("toy") == tmp_path / "not" / "there" / "yet" / "toy.pth"
    assert ensure("toy").read_bytes() == CONTENT


def test_an_unknown_name_is_an_error_that_lists_the_known_ones():
    with pytest.raises(WeightsUnavailable, match=r"'no_such'.*resnet18_places365.*dinov2_small"):
        registered("no_such")
    with pytest.raises(WeightsUnavailable):
        ensure("no_such")
    assert locate("no_such") == Path("no_such"), "what is no name is a path"


def test_shipped_weights_are_found_by_name_without_a_download(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(cache, "SHIPPED", tmp_path)
    (tmp_path / "toy_small.safetensors").write_bytes(CONTENT)
    (tmp_path / "toy_small.md").write_text("# toy_small")
    assert shipped() == ["toy_small"]
    assert locate("toy_small") == ensure("toy_small") == tmp_path / "toy_small.safetensors"
    assert locate("elsewhere.pth") == Path("elsewhere.pth")
