"""Downloads from a server on the loopback interface that cuts, lies, redirects or refuses."""

from pathlib import Path

import pytest

from models.errors import WeightsUnavailable
from models.weights.download import download
from tests.models.weights.server import CONTENT, MEGABYTE, WeightsServer


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "weights.part"


@pytest.mark.parametrize("path", ["/whole", "/moved", "/chunked", "/unsized", "/nonsense-length"])
def test_a_file_arrives_byte_for_byte(server: WeightsServer, target: Path, path: str):
    download(server.url(path), target, "toy")
    assert target.read_bytes() == CONTENT
    assert set(server.ranges) == {None}


@pytest.mark.parametrize("have", [1, MEGABYTE + 7, len(CONTENT) - 1])
@pytest.mark.parametrize("path", ["/whole", "/moved"])
def test_what_is_there_is_not_asked_for_again(server: WeightsServer, target: Path, path: str, have: int):
    target.write_bytes(CONTENT[:have])
    download(server.url(path), target, "toy")
    assert target.read_bytes() == CONTENT
    assert set(server.ranges) == {f"bytes={have}-"}


def test_an_empty_file_of_an_earlier_attempt_is_as_good_as_none(server: WeightsServer, target: Path):
    target.touch()
    download(server.url("/whole"), target, "toy")
    assert target.read_bytes() == CONTENT
    assert server.ranges == [None]


def test_a_whole_file_is_left_alone_when_the_server_says_that_nothing_follows(server: WeightsServer, target: Path):
    target.write_bytes(CONTENT)
    download(server.url("/whole"), target, "toy")
    assert target.read_bytes() == CONTENT
    assert server.ranges == [f"bytes={len(CONTENT)}-"]


def test_a_file_longer_than_the_servers_is_fetched_afresh(server: WeightsServer, target: Path):
    target.write_bytes(CONTENT + b"of another version")
    download(server.url("/whole"), target, "toy")
    assert target.read_bytes() == CONTENT
    assert server.ranges == [f"bytes={len(CONTENT) + 18}-", None]


def test_a_server_that_resumes_at_another_byte_is_asked_for_the_whole(server: WeightsServer, target: Path):
    target.write_bytes(CONTENT[:MEGABYTE])
    download(server.url("/shifted"), target, "toy")
    assert target.read_bytes() == CONTENT
    assert server.ranges == [f"bytes={MEGABYTE}-", None]


def test_a_server_that_ignores_ranges_starts_over(server: WeightsServer, target: Path):
    target.write_bytes(b"old and wrong")
    download(server.url("/stubborn"), target, "toy")
    assert target.read_bytes() == CONTENT


def test_what_arrived_before_the_connection_ended_stays_and_is_used(server: WeightsServer, target: Path):
    for share in (1 / 2, 3 / 4):
        with pytest.raises(
            WeightsUnavailable, match=f"ended after {int(share * len(CONTENT))} of {len(CONTENT)} bytes"
        ):
            download(server.url("/cut"), target, "toy")
        assert target.read_bytes() == CONTENT[: int(share * len(CONTENT))]
    download(server.url("/whole"), target, "toy")
    assert target.read_bytes() == CONTENT


def test_a_stream_without_a_length_that_is_cut_is_an_error(server: WeightsServer, target: Path):
    with pytest.raises(WeightsUnavailable, match="/chunked-and-cut"):
        download(server.url("/chunked-and-cut"), target, "toy")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/gone", "404"),
        ("/busy", "503"),
        ("/unsatisfiable", "416"),
        ("/loop", "too many redirects"),
        ("/hang-up", "Max retries"),
        ("/page", "a web page"),
    ],
)
def test_a_refusal_is_an_error_with_address_and_reason(server: WeightsServer, target: Path, path: str, reason: str):
    with pytest.raises(WeightsUnavailable, match=f"(?s)^{server.url(path)}.*{reason}"):
        download(server.url(path), target, "toy")
    assert not target.exists(), "neither a page nor an empty file may pass for weights"


def test_a_web_page_does_not_replace_what_was_there(server: WeightsServer, target: Path):
    target.write_bytes(CONTENT[:MEGABYTE])
    with pytest.raises(WeightsUnavailable, match="a web page"):
        download(server.url("/page"), target, "toy")
    assert target.read_bytes() == CONTENT[:MEGABYTE]


def test_nobody_listening_and_no_such_address_are_errors(target: Path):
    for url in ("http://127.0.0.1:9/toy.pth", "http://127.0.0.1:9999999/toy.pth", "http:///toy.pth"):
        with pytest.raises(WeightsUnavailable):
            download(url, target, "toy")


def test_a_folder_that_cannot_be_written_is_an_error(server: WeightsServer, tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(WeightsUnavailable, match="Not a directory"):
        download(server.url("/whole"), tmp_path / "file" / "weights.part", "toy")
