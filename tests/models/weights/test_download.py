"""Downloads from a server on the loopback interface that cuts, lies, redirects or refuses."""

import contextlib
from pathlib import Path

import pytest

from models.errors import WeightsUnavailable, WeightsUnreachable
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
        ("/hang-up", "the connection ended$"),
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


OTHER = bytes(reversed(CONTENT))


def halved(server: WeightsServer, target: Path) -> None:
    server.tagged = CONTENT, '"first"'
    with pytest.raises(WeightsUnreachable, match="the connection ended"):
        download(server.url("/tagged-half"), target, "toy")
    assert target.read_bytes() == CONTENT[: len(CONTENT) // 2]


def test_what_was_begun_goes_on_only_while_the_server_has_the_same_file(server: WeightsServer, target: Path):
    halved(server, target)
    download(server.url("/tagged-half").removesuffix("-half"), target, "toy", is_checked=True)
    assert target.read_bytes() == CONTENT
    assert server.ranges[-1] == f"bytes={len(CONTENT) // 2}-"
    assert not list(target.parent.glob("*.origin"))


def test_a_file_that_was_replaced_under_its_name_is_fetched_from_its_first_byte(server: WeightsServer, target: Path):
    halved(server, target)
    server.tagged = OTHER, '"second"'
    with pytest.raises(WeightsUnreachable, match="the connection ended"):
        download(server.url("/tagged-half"), target, "toy")
    assert server.headers[-1][1]["If-Range"] == '"first"'
    assert target.read_bytes() == OTHER[: len(OTHER) // 2], "no byte of the first file is left"


def test_what_another_server_began_is_gone_on_with_only_where_a_checksum_will_tell(server: WeightsServer, target: Path):
    halved(server, target)
    server.tagged = OTHER, '"another"'
    download(server.url("/tagged"), target, "toy")
    assert target.read_bytes() == OTHER


@pytest.mark.parametrize("path", ["/unsatisfiable", "/whole"])
def test_what_is_longer_than_the_file_or_answered_with_416_is_dropped(server: WeightsServer, target: Path, path: str):
    target.write_bytes(CONTENT + b"more")
    with contextlib.suppress(WeightsUnreachable):
        download(server.url(path), target, "toy")
    assert not target.exists() or target.read_bytes() == CONTENT


def test_a_stream_that_outgrows_the_file_is_ended_and_dropped(server: WeightsServer, target: Path):
    with pytest.raises(WeightsUnreachable, match="more than the 2097152 bytes"):
        download(server.url("/chunked"), target, "toy", MEGABYTE)
    assert list(target.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("path", "size", "reason"),
    [
        ("/text", len(CONTENT), "no weights: '<!DOCTYPE html>"),
        ("/page", len(CONTENT), "a web page"),
        ("/whole", 3 * len(CONTENT), f"has {len(CONTENT)} bytes"),
        ("/whole", len(CONTENT) // 3, f"has {len(CONTENT)} bytes"),
    ],
)
def test_what_cannot_be_weights_by_its_first_bytes_or_size_is_refused_before_it_is_written(
    server: WeightsServer, target: Path, path: str, size: int, reason: str
):
    with pytest.raises(WeightsUnreachable, match=reason):
        download(server.url(path), target, "toy", size)
    assert list(target.parent.iterdir()) == []
