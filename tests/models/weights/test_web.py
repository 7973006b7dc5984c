"""Proxies, another hub and its token, with servers on the loopback interface in the roles of all of them."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from models.errors import WeightsUnreachable
from models.weights.cache import MIRRORS_VARIABLE, fetch
from models.weights.download import download
from models.weights.registry import WeightFile
from models.weights.web import HUB, address, proxy_of, without_password
from tests.models.weights.server import CONTENT, WeightsServer, running


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "HF_ENDPOINT", "HF_TOKEN", MIRRORS_VARIABLE):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


def test_a_proxy_of_the_environment_is_asked_and_hosts_without_one_are_not(
    server: WeightsServer, tmp_path: Path, environment: pytest.MonkeyPatch
):
    environment.setenv("http_proxy", server.url("").replace("//", "//me:secret@"))
    download("http://weights.invalid/whole", tmp_path / "part", "toy")
    assert (tmp_path / "part").read_bytes() == CONTENT
    path, headers = server.headers[-1]
    assert path == "http://weights.invalid/whole"
    assert headers["Proxy-Authorization"] == "Basic bWU6c2VjcmV0"
    environment.setenv("no_proxy", "127.0.0.1")
    assert proxy_of(server.url("/whole")) is None


def test_a_proxy_that_refuses_or_is_of_an_unknown_kind_is_said_without_its_password(
    tmp_path: Path, environment: pytest.MonkeyPatch
):
    for proxy in ("http://me:secret@127.0.0.1:9", "gopher://me:secret@127.0.0.1:9"):
        environment.setenv("all_proxy", proxy)
        with pytest.raises(WeightsUnreachable) as raised:
            download("http://weights.invalid/whole", tmp_path / "part", "toy")
        assert "proxy" in str(raised.value).lower()
        assert "secret" not in str(raised.value)
    assert without_password("http://me:secret@host:1") == "http://host:1"


def test_another_hub_stands_in_for_the_hub_and_for_nothing_else(environment: pytest.MonkeyPatch):
    assert address(f"{HUB}/a/b") == f"{HUB}/a/b"
    environment.setenv("HF_ENDPOINT", "https://hub.invalid/")
    assert address(f"{HUB}/a/b") == "https://hub.invalid/a/b"
    assert address(f"{HUB}.evil.invalid/a") == f"{HUB}.evil.invalid/a"


def test_the_token_is_shown_to_the_hub_and_never_to_whom_it_leads(
    server: WeightsServer, tmp_path: Path, environment: pytest.MonkeyPatch
):
    environment.setenv("HF_TOKEN", "hf_secret")
    environment.setenv("HF_ENDPOINT", server.url(""))
    with running() as elsewhere:
        leads = f"{HUB}/to/{urlsplit(elsewhere.url('/whole')).netloc}/whole"
        weights = WeightFile("toy", "toy.pth", (leads,), len(CONTENT), None, "MIT", "anything")
        assert fetch(weights, tmp_path).read_bytes() == CONTENT
        assert [headers.get("Authorization") for _, headers in server.headers] == ["Bearer hf_secret"]
        assert [headers.get("Authorization") for _, headers in elsewhere.headers] == [None]
        download(elsewhere.url("/whole"), tmp_path / "other", "other")
        assert "Authorization" not in elsewhere.headers[-1][1]


def test_mirrors_of_the_settings_and_the_environment_are_asked_before_the_registry(
    server: WeightsServer, tmp_path: Path, environment: pytest.MonkeyPatch
):
    weights = WeightFile("toy", "whole", (server.url("/page"),), len(CONTENT), None, "MIT", "anything")
    environment.setenv(MIRRORS_VARIABLE, f"{server.url('/none')} {server.url('/')}")
    assert fetch(weights, tmp_path, [server.url("/settings/")]).read_bytes() == CONTENT
    assert [path for path, _ in server.headers] == ["/settings/whole", "/none/whole", "/whole"]


def test_a_mirror_with_another_file_is_passed_over(server: WeightsServer, tmp_path: Path):
    import hashlib

    server.tagged = bytes(reversed(CONTENT)), '"other"'
    urls = server.url("/tagged"), server.url("/whole")
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    weights = WeightFile("toy", "toy.pth", urls, len(CONTENT), sha256, "MIT", "anything")
    assert fetch(weights, tmp_path).read_bytes() == CONTENT
