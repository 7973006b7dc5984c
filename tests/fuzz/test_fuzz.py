"""True inputs are read, some thousand changed ones give answers, and every input that once gave none is tried again."""

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.fuzz.mutations import mutated
from tests.fuzz.run import run
from tests.fuzz.targets import Target, targets
from tests.torture.processes import in_own_process

KEPT = Path(__file__).with_name("seeds.json")
INPUTS = 40
SLOW = {"video": 10}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@pytest.fixture(scope="module")
def known(folder: Path) -> list[Target]:
    return list(targets(folder))


def test_every_target_reads_its_true_inputs(known: list[Target]):
    for target in known:
        for content in target.corpus:
            target.place.write_bytes(content)
            in_own_process(lambda target=target: target.parse(target.place) and None)
        assert target.place.read_bytes() == target.corpus[-1]


def test_inputs_that_were_changed_give_answers(known: list[Target], folder: Path):
    wrong = {}
    for target in known:
        found = run(target, range(7_000_000, 7_000_000 + SLOW.get(target.name, INPUTS)), folder)
        wrong |= {f"{target.name} {seed}": said for seed, said in found.violations.items()}
        assert sum(found.answers.values()) == found.inputs - len(found.violations)
    assert wrong == {}


def test_inputs_that_once_gave_no_answer_give_one(known: list[Target], folder: Path):
    kept, by_name = json.loads(KEPT.read_text()), {target.name: target for target in known}
    wrong = {}
    for name, seeds in kept.items():
        for seed in seeds:
            found = run(by_name[name], range(seed, seed + 1), folder)
            wrong |= {f"{name} {seed}": said for said in found.violations.values()}
    assert wrong == {}
    assert sum(map(len, kept.values())) > 20


def test_a_seed_makes_the_same_input_again_and_most_seeds_another():
    corpus = (b'{"a": [1, 2, {"b": "c"}], "d": null}', b"\x00\x01binary\xff")
    one, other = ([mutated(corpus, seed) for seed in range(200)] for _ in range(2))
    assert one == other
    assert len(set(one)) > 150


def test_what_a_parser_must_not_do_is_noticed(tmp_path: Path):
    place = tmp_path / "input"

    def parse(path: Path) -> object:
        content = path.read_bytes()
        if content[:1] == b"b":
            raise KeyError("no answer")
        if content[:1] == b"c":
            (tmp_path / "other").write_text("changed")
        return content

    (tmp_path / "other").write_text("as it was")
    for corpus, said in ((b"a", None), (b"b", "KeyError"), (b"c", "files beside the input changed")):
        found = run(Target("t", place, (corpus * 9,), parse), range(30), tmp_path)
        assert found.inputs == 30
        assert isinstance(found.answers, Counter)
        assert any(said in text for text in found.violations.values()) if said else found.violations == {}
