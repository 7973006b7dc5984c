"""One thing is broken at a time, for real, and the doctor names it, alone."""

import os
import shutil
import socket
import time
from pathlib import Path

import pytest

from models.weights.registry import WEIGHTS
from pipeline.contract.errors import NotReady
from pipeline.doctor.examine import check_ready
from pipeline.doctor.finding import Gravity
from pipeline.doctor.machine import SHM_MIN_BYTES, shared_memory
from pipeline.doctor.places import weights
from pipeline.doctor.web import cookies as told_of_cookies
from pipeline.doctor.web import tokens
from pipeline.settings import Settings, load_settings
from pipeline.stages.needed_weights import needed_weights
from pipeline.stages.video.stage import video
from pipeline.store.store import Store
from tests.models.weights.server import running

from .broken import doctor

WEB = "https://www.youtube.com/watch?v=aaaaaaaaaaa"
SESSION = "# Netscape HTTP Cookie File\n.youtube.com\tTRUE\t/\tTRUE\t{expires}\tSID\tsecret\n"


def on_the_web(**web: object) -> Settings:
    return load_settings(overrides={"video": {"web": web}})


def cookies(path: Path, expires: float, age_days: float = 0) -> Path:
    path.write_text(SESSION.format(expires=int(expires)), encoding="utf-8")
    os.utime(path, (time.time() - age_days * 86_400,) * 2)
    return path


def program(folder: Path, name: str, script: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)
    return folder


def test_where_nothing_is_wrong_the_exit_code_is_0_and_each_thing_has_a_line(sound: Path):
    seen = doctor("--sources", WEB)
    assert seen.wrong() == set(), seen.text
    assert seen.code == 0
    asked = {"versions", "yt-dlp", "JavaScript", "cookies", "proxy", "HF_TOKEN", "PO tokens", "data folder", "clock"}
    assert asked | {"temporary files", "file handles", "memory", "weights", "GPU", "DAGSTER_HOME", "shared memory"} == {
        *seen.lines
    }
    assert not (sound / "data").exists(), "a look changes nothing"


def test_too_few_open_files_are_wrong():
    seen = doctor(before="ulimit -n 128")
    assert (seen.code, seen.wrong()) == (1, {"file handles"}), seen.text
    assert "ulimit -n 1024" in seen.lines["file handles"]


def test_a_folder_that_takes_no_byte_more_is_wrong(sound: Path):
    (sound / "data").mkdir()
    seen = doctor(before="trap '' XFSZ; ulimit -f 0")
    assert seen.code == 1
    assert {"data folder", "DAGSTER_HOME", "temporary files"} == seen.wrong(), seen.text
    assert "is full" in seen.lines["data folder"]


def test_a_folder_that_cannot_be_written_is_wrong():
    seen = doctor("--data", "/proc/self/data", DAGSTER_HOME="/proc/self/home")
    assert (seen.code, seen.wrong()) == (1, {"data folder", "DAGSTER_HOME"}), seen.text
    assert "--data" in seen.lines["data folder"]


def test_a_clock_that_is_behind_what_was_written_is_wrong(sound: Path):
    (sound / "data" / "catalog").mkdir(parents=True)
    os.utime(sound / "data" / "catalog", (time.time() + 86_400,) * 2)
    with pytest.raises(NotReady, match=r"wrong +clock.*set it"):
        check_ready(Store(sound / "data"), load_settings(), ["tour://5"])


def with_a_broken_runtime(folder: Path) -> Settings:
    script = 'test "$1" = --version && echo "deno 2.5.0" || { echo Segmentation fault >&2; exit 139; }'
    return on_the_web(js_runtimes=[f"deno:{program(folder, 'deno', script) / 'deno'}"])


def test_a_runtime_that_fails_keeps_a_batch_of_youtube_from_starting_and_no_other(sound: Path):
    settings = with_a_broken_runtime(sound / "bin")
    with pytest.raises(NotReady, match=r"wrong +JavaScript.*Segmentation fault.*pip install"):
        check_ready(Store(sound / "data"), settings, ["tour://5", WEB])
    check_ready(Store(sound / "data"), settings, ["https://films.example/a.mp4"])


def test_a_token_that_was_copied_wrong_is_wrong_and_not_shown(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_TOKEN", '"hf_abcdefghijkl"')
    found, _ = tokens()
    assert found.state is Gravity.WRONG
    assert "abcdefghijkl" not in found.line()
    monkeypatch.setenv("HF_TOKEN", "hf_abcdefghijkl")
    assert [diagnosis.state for diagnosis in tokens()] == [Gravity.OK, Gravity.OK]


def test_missing_weights_are_named_with_size_and_licence_and_stop_nothing_unless_there_is_no_room(
    sound: Path, monkeypatch: pytest.MonkeyPatch
):
    found = weights(load_settings("youtube_occ"))
    assert any("dust3r_vitl_512_dpt is missing, 2.29 GB; CC BY-NC-SA" in one.line() for one in found)
    assert Gravity.WRONG not in {one.state for one in found}
    monkeypatch.setenv("YOUTUBE_OCC_WEIGHTS", "/proc/self/weights")
    with pytest.raises(NotReady, match=r"wrong +weights folder"):
        check_ready(Store(sound / "data"), load_settings("youtube_occ"), ["tour://5"])


def test_a_device_that_is_not_here_keeps_a_batch_from_starting_unless_other_machines_work(sound: Path):
    away = {"semantics": {"san": {"device": "cuda:63"}}}
    with pytest.raises(NotReady, match=r"wrong +device +semantics\.san\.device: device 'cuda:63' cannot be used here"):
        check_ready(Store(sound / "data"), load_settings("small", None, away), ["tour://5"])
    check_ready(Store(sound / "data"), load_settings("small", None, away), ["tour://5"], until="scene")
    elsewhere = away | {"dataset": {"engine": "ray"}}
    check_ready(Store(sound / "data"), load_settings("small", None, elsewhere), ["tour://5"])


def test_cached_weights_that_hold_something_else_keep_a_batch_from_starting(sound: Path):
    one = WEIGHTS["dust3r_vitl_512_dpt"]
    (sound / "weights").mkdir(exist_ok=True)
    (sound / "weights" / one.file_name).write_bytes(bytes(1000))
    with pytest.raises(NotReady, match=rf"wrong +weights +{one.name}.*delete .*{one.file_name}"):
        check_ready(Store(sound / "data"), load_settings("youtube_occ"), ["tour://5"])


@pytest.mark.parametrize(
    ("what", "said"), [("gone", "cannot be read"), ("page", "cannot be read"), ("expired", "0 of 1 cookies count")]
)
def test_cookies_that_do_not_count_keep_a_batch_of_the_web_from_starting(sound: Path, what: str, said: str):
    path = sound / "cookies.txt"
    if what == "page":
        path.write_text("<html>")
    if what == "expired":
        cookies(path, time.time() - 60)
    settings = on_the_web(cookies_file=str(path))
    with pytest.raises(NotReady, match=rf"wrong +cookies.*{said}.*export them anew"):
        check_ready(Store(sound / "data"), settings, [WEB])
    check_ready(Store(sound / "data"), settings, ["tour://5", "/films/a.mp4"])


def test_the_age_of_cookies_is_told_and_old_ones_are_worth_a_note(sound: Path):
    path = cookies(sound / "cookies.txt", time.time() + 9e6, age_days=40)
    found = told_of_cookies(on_the_web(cookies_file=str(path)).of(video).web)
    assert "40 days old, 1 of 1 cookies count" in found.line()
    assert found.state is Gravity.NOTE


def test_a_proxy_that_nobody_serves_or_that_refuses_keeps_a_batch_of_the_web_from_starting(
    sound: Path, monkeypatch: pytest.MonkeyPatch
):
    store = Store(sound / "data")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = f"http://me:secret@127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(NotReady, match=r"(?s)wrong +proxy.*refuses") as raised:
        check_ready(store, on_the_web(proxy=nobody), [WEB])
    assert "secret" not in str(raised.value)
    with running() as server:  # which answers 501 to CONNECT, as what is no proxy does
        monkeypatch.setenv("https_proxy", server.url(""))
        with pytest.raises(NotReady, match="501"):
            check_ready(store, on_the_web(), [WEB])
        check_ready(store, on_the_web(), ["tour://5"])


def test_a_local_batch_demands_nothing_of_the_web(sound: Path):
    cookies(sound / "cookies.txt", time.time() - 60)
    web = with_a_broken_runtime(sound / "bin").of(video).web.model_dump(exclude={"alert_url", "proxy"})
    settings = on_the_web(**web | {"cookies_file": str(sound / "cookies.txt"), "proxy": "http://127.0.0.1:9"})
    check_ready(Store(sound / "data"), settings, ["tour://5", "/films/a.mp4"])
    with pytest.raises(NotReady) as raised:
        check_ready(Store(sound / "data"), settings, ["tour://5", WEB])
    assert [line.split()[1] for line in str(raised.value).splitlines()[1:]] == ["JavaScript", "cookies", "proxy"]


def test_a_batch_under_dagster_needs_its_home(sound: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DAGSTER_HOME", "/proc/self/home")
    check_ready(Store(sound / "data"), load_settings(), ["tour://5"])
    with pytest.raises(NotReady, match=r"wrong +DAGSTER_HOME"):
        check_ready(Store(sound / "data"), load_settings(), ["tour://5"], with_dagster=True)


def test_a_file_of_weights_that_is_here_is_told_with_its_size(sound: Path):
    settings = load_settings(overrides={"semantics": {"backend": "san"}})
    (one,) = (needed for needed in needed_weights(settings) if not needed.checksums)
    (sound / "weights").mkdir()
    (sound / "weights" / one.file_name).write_bytes(bytes(20_000_000))
    told = [found.line() for found in weights(settings)]
    assert any(f"{one.name} is here, 0.02 GB; {one.licence}" in line for line in told)


def test_shared_memory_is_measured_where_it_lies():
    found = shared_memory()
    assert (found.state is Gravity.WRONG) == (shutil.disk_usage("/dev/shm").total < SHM_MIN_BYTES)  # noqa: S108
    assert shared_memory(Path("/nonexistent/shm")).state is Gravity.NOTE
