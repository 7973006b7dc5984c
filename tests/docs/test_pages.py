import re
from pathlib import Path

import pytest

from docs.pages_from_code import WRITTEN, pages, write_pages
from tests.docs.markdown import FENCE
from tests.docs.markdown import pages as written_pages
from tests.paths import ROOT

RESULTS = [page for page in sorted((ROOT / "docs" / "results").glob("*.md")) if page.name != "index.md"]
DECISIONS = ROOT / "docs" / "design" / "decisions"
MEASURED = re.compile(r"^> \d{4}-\d\d-\d\d · .*`[0-9a-f]{7}`.* · .+ · .+", re.MULTILINE)
"""Date, commit, machine and command."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generated")
    write_pages(folder)
    return folder


def test_every_page_is_written(folder: Path):
    written = {path.relative_to(folder).as_posix() for path in folder.rglob("*.*")}
    assert written == set(pages())
    assert {"command_line.md", "settings/index.md", "settings/clips.md", "api/pipeline.stages.rst"} <= written


def test_pages_that_have_not_changed_stay_and_old_ones_go(folder: Path):
    page, stale = folder / "settings" / "clips.md", folder / "settings" / "scenes.md"
    changed = folder / "settings" / "scene.md"
    before = page.stat().st_mtime_ns
    stale.write_text("# Settings of a stage that was renamed")
    (folder / "notes.md").write_text("# Notes of a developer")
    with (folder / WRITTEN).open("a") as listed:
        listed.write("settings/scenes.md\n../../outside.md\n")
    (folder.parent.parent / "outside.md").write_text("# Not among the pages")
    changed.write_text("# Something else")
    write_pages(folder)
    assert page.stat().st_mtime_ns == before, "so that Sphinx does not read it again"
    assert changed.read_text() == pages()["settings/scene.md"]
    assert not stale.exists(), "an earlier build wrote it"
    assert (folder / "notes.md").exists()
    assert (folder.parent.parent / "outside.md").exists()


@pytest.mark.parametrize("page", RESULTS, ids=lambda page: page.name)
def test_every_table_of_results_has_date_commit_machine_and_command(page: Path):
    sections = FENCE.sub("", page.read_text(encoding="utf-8")).split("\n## ")
    with_tables = [section for section in sections if re.search(r"^\|---", section, re.MULTILINE)]
    assert [section.splitlines()[0] for section in with_tables if not MEASURED.search(section)] == []
    assert MEASURED.search(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", written_pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_page_has_marks_of_a_merge(page: Path):
    lines = page.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if re.match(r"(<{7}|>{7}|\|{7}) |={7}$", line)] == []


def test_decisions_are_numbered_dated_and_listed():
    files = sorted(DECISIONS.glob("0*.md"))
    index = (DECISIONS / "index.md").read_text()
    for number, file in enumerate(files, start=1):
        title, _, dated = file.read_text().splitlines()[:3]
        assert title.startswith(f"# {number:04d} ")
        assert re.fullmatch(r"\d{4}-\d\d-\d\d · `[0-9a-f]{7}`", dated)
        assert f"| {number:04d} | [{title.removeprefix(f'# {number:04d} ')}]({file.name}) | {dated[:10]} |" in index
    assert len(files) > 30
