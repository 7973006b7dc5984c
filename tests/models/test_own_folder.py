import multiprocessing
from pathlib import Path

from models.own_folder import MARK, find_own, is_own, own_folder
from tests.foreign import foreign_folder, lost


def test_a_folder_is_made_once_marked_and_found_again(tmp_path: Path):
    assert find_own(tmp_path / "cache", "kept") is None
    made = own_folder(tmp_path / "cache", "kept")
    assert made == tmp_path / "cache" / "kept"
    assert (made / MARK).read_text().startswith("Signature: 8a477f597d28d172789f06886806bc55\n"), "as backups expect"
    assert own_folder(tmp_path / "cache", "kept") == find_own(tmp_path / "cache", "kept") == made
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["kept"]


def test_where_somebody_elses_folder_or_file_has_the_name_another_is_taken(tmp_path: Path):
    before = foreign_folder(tmp_path, "kept/", "kept-2", "kept-3/CACHEDIR.TAG")
    (tmp_path / "kept-4").symlink_to(tmp_path / "nowhere")
    made = own_folder(tmp_path, "kept")
    assert made == tmp_path / "kept-5"
    assert own_folder(tmp_path, "kept") == find_own(tmp_path, "kept") == made
    assert lost(before, tmp_path) == []


def test_the_mark_of_one_kind_is_none_for_another(tmp_path: Path):
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / MARK).write_bytes((own_folder(tmp_path, "arrays") / MARK).read_bytes())
    assert not is_own(tmp_path / "words", "words")
    (tmp_path / "arrays" / MARK).write_bytes(b"\xff\xfe")
    assert not is_own(tmp_path / "arrays", "arrays"), "a damaged mark is none"


def _ask(folder: Path, start: "multiprocessing.synchronize.Barrier", found: "multiprocessing.Queue[Path]") -> None:
    start.wait()
    found.put(own_folder(folder, "kept"))


def test_processes_that_ask_at_once_get_the_same_folder(tmp_path: Path):
    fork = multiprocessing.get_context("fork")
    for round_ in range(5):
        start, found = fork.Barrier(4), fork.Queue()
        users = [fork.Process(target=_ask, args=(tmp_path / str(round_), start, found)) for _ in range(4)]
        for user in users:
            user.start()
        assert {found.get(timeout=600) for _ in users} == {tmp_path / str(round_) / "kept"}
        for user in users:
            user.join()
        assert [path.name for path in (tmp_path / str(round_)).iterdir()] == ["kept"]
