import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from models.cli import app
from models.errors import WeightsUnavailable, WrongWeights
from models.weights.cache import cache_folder, fetch, locate, shipped, verify
from models.weights.registry import WEIGHTS, WeightFile

CONTENT = bytes(range(256)) * 4096
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    ranges: list[str | None]


class Handler(BaseHTTPRequestHandler):
    """A web server with one file: ``/whole`` resumes, ``/stubborn`` ignores ranges, ``/cut`` hangs up half-way."""

    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.ranges.append(self.headers.get("Range"))
        if self.path == "/gone":
            self.send_error(404)
            return
        start = int((self.headers.get("Range") or "bytes=0-")[6:-1]) if self.path != "/stubborn" else 0
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        if self.path == "/cut":
            self.wfile.write(CONTENT[start : start + len(CONTENT) // 2])
            self.close_connection = True
        else:
            self.wfile.write(CONTENT[start:])

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as running:
        running.ranges = []
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def weights(server: Server, *paths: str, sha256: str | None = None, licence: str = "CC BY-NC-SA 4.0") -> WeightFile:
    urls = tuple(f"http://127.0.0.1:{server.server_port}{path}" for path in paths)
    return WeightFile("toy", "toy.pth", urls, len(CONTENT), sha256, licence, "research")


def test_a_file_arrives_whole_and_is_remembered(server: Server, tmp_path: Path):
    path = fetch(weights(server, "/whole"), tmp_path)
    assert path.read_bytes() == CONTENT
    assert (tmp_path / "toy.pth.sha256").read_text() == f"{SHA256}  toy.pth\n"


def test_a_cached_file_is_not_fetched_again(server: Server, tmp_path: Path):
    for _ in range(2):
        fetch(weights(server, "/whole"), tmp_path)
    assert len(server.ranges) == 1


def test_an_interrupted_download_goes_on_where_it_stopped(server: Server, tmp_path: Path):
    with pytest.raises(WeightsUnavailable, match="Run again to resume"):
        fetch(weights(server, "/cut"), tmp_path)
    arrived = (tmp_path / "toy.pth.part").stat().st_size
    assert arrived == len(CONTENT) // 2
    assert fetch(weights(server, "/whole", sha256=SHA256), tmp_path).read_bytes() == CONTENT
    assert server.ranges[-1] == f"bytes={arrived}-"


def test_a_server_that_cannot_resume_starts_over(server: Server, tmp_path: Path):
    (tmp_path / "toy.pth.part").write_bytes(b"old and wrong")
    assert fetch(weights(server, "/stubborn", sha256=SHA256), tmp_path).read_bytes() == CONTENT


def test_the_mirror_is_asked_when_the_first_source_fails(server: Server, tmp_path: Path):
    assert fetch(weights(server, "/gone", "/whole"), tmp_path).read_bytes() == CONTENT


def test_a_damaged_download_is_refused_with_both_checksums_and_deleted(server: Server, tmp_path: Path):
    with pytest.raises(WrongWeights, match=f"expected {'0' * 64}, found {SHA256}"):
        fetch(weights(server, "/whole", sha256="0" * 64), tmp_path)
    assert not (tmp_path / "toy.pth").exists()
    assert not (tmp_path / "toy.pth.part").exists()


def test_a_file_changed_after_first_use_is_refused(server: Server, tmp_path: Path):
    path = fetch(weights(server, "/whole"), tmp_path)
    path.write_bytes(CONTENT[:-1])
    with pytest.raises(WrongWeights, match=f"expected {SHA256}"):
        fetch(weights(server, "/whole"), tmp_path)


def test_a_file_put_there_by_hand_is_trusted_from_then_on(server: Server, tmp_path: Path):
    (tmp_path / "toy.pth").write_bytes(CONTENT)
    assert verify(weights(server, "/gone"), tmp_path) == SHA256
    assert fetch(weights(server, "/gone"), tmp_path) == tmp_path / "toy.pth"
    assert server.ranges == []


def test_without_a_connection_the_message_says_where_to_put_the_file(tmp_path: Path):
    nowhere = WeightFile("toy", "toy.pth", ("http://127.0.0.1:9/toy.pth",), 1, None, "MIT", "anything")
    with pytest.raises(WeightsUnavailable, match=str(tmp_path / "toy.pth")):
        fetch(nowhere, tmp_path)


def test_a_non_commercial_licence_is_shown_once(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    shown = [(fetch(weights(server, "/whole"), tmp_path), capsys.readouterr().err)[1] for _ in range(2)]
    assert "CC BY-NC-SA 4.0" in shown[0]
    assert shown[1] == ""


def test_a_free_licence_is_not_shown(server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    fetch(weights(server, "/whole", licence="Apache-2.0"), tmp_path)
    assert capsys.readouterr().err == ""


def test_the_cache_folder_is_a_setting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("YOUTUBE_OCC_WEIGHTS", str(tmp_path))
    assert cache_folder() == tmp_path


def test_the_command_line_lists_all_and_complains_of_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("YOUTUBE_OCC_WEIGHTS", str(tmp_path))
    listed = CliRunner().invoke(app, ["weights", "list"], env={"COLUMNS": "200"})
    assert all(name in listed.output for name in WEIGHTS)
    missing = CliRunner().invoke(app, ["weights", "verify", "dust3r_vitl_512_dpt"])
    assert missing.exit_code == 1
    unknown = CliRunner().invoke(app, ["weights", "fetch", "no_such"])
    assert unknown.exit_code == 1
    assert "no_such" in unknown.output


def test_registered_weights_name_a_plain_file_and_web_addresses():
    for name, entry in WEIGHTS.items():
        assert entry.name == name
        assert "/" not in entry.file_name
        assert all(url.startswith(("https://", "http://")) for url in entry.urls)


def test_the_command_line_fetches_with_resume_and_verifies(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("YOUTUBE_OCC_WEIGHTS", str(tmp_path))
    monkeypatch.setitem(WEIGHTS, "toy", weights(server, "/cut", "/whole", sha256=SHA256))
    (tmp_path / "toy.pth.part").write_bytes(CONTENT[:1000])
    fetched = CliRunner().invoke(app, ["weights", "fetch", "toy"])
    assert fetched.exit_code == 0
    assert (tmp_path / "toy.pth").read_bytes() == CONTENT
    assert server.ranges[0] == "bytes=1000-"
    verified = CliRunner().invoke(app, ["weights", "verify", "toy"])
    assert verified.output.split()[:2] == [SHA256, "toy"]
    (tmp_path / "toy.pth").write_bytes(CONTENT[1:])
    damaged = CliRunner().invoke(app, ["weights", "verify", "toy"])
    assert damaged.exit_code == 1
    assert f"expected {SHA256}" in damaged.output.replace("\n", "")


def test_shipped_weights_are_found_by_name_without_a_download(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr("models.weights.SHIPPED", tmp_path)
    (tmp_path / "toy_small.safetensors").write_bytes(CONTENT)
    assert shipped() == ["toy_small"]
    assert locate("toy_small") == tmp_path / "toy_small.safetensors"
    assert locate("elsewhere.pth") == Path("elsewhere.pth")
    assert "toy_small" in CliRunner().invoke(app, ["weights", "list"], env={"COLUMNS": "200"}).output
