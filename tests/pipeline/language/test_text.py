import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.contract.errors import OtherWeights, SettingsError, UnusableQuery
from pipeline.language.index import open_index
from pipeline.language.text import SanText, checked_queries, cosine, read_prompts, text_side_of
from pipeline.stages.base import Workbench
from pipeline.stages.semantics.settings import SanSettings


@pytest.mark.parametrize(
    ("queries", "message"),
    [
        ([], "there is no query"),
        (["  "], "holds no word"),
        (["!?"], "holds no word"),
        (["книжный шкаф"], "English"),
        (["沙发"], "English"),
        (["a chair", "table", "the  Chair"], "more than once: chair"),
    ],
)
def test_queries_that_cannot_be_compared_are_refused(queries: list[str], message: str):
    with pytest.raises(UnusableQuery, match=message):
        checked_queries(queries)


def test_accents_are_no_other_script_and_articles_go():
    assert checked_queries(["a  chaise longue à côté", "The TV", "antique desk"]) == [
        "chaise longue à côté",
        "TV",
        "antique desk",
    ]


def test_a_query_too_long_is_refused(text: SanText):
    with pytest.raises(UnusableQuery, match=r"other words.*tokens"):
        text.embed(["very " * 80 + "old sofa"])


def test_prompts_are_read_line_by_line(tmp_path: Path):
    (tmp_path / "prompts.txt").write_text("# furniture\na chair\n\n  red sofa \n")
    assert read_prompts(tmp_path / "prompts.txt") == ("a chair", "red sofa")
    (tmp_path / "twice.txt").write_text("chair\na chair\n")
    with pytest.raises(UnusableQuery, match="more than once"):
        read_prompts(tmp_path / "twice.txt")
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\x00")
    for name in ("bytes.txt", "missing.txt"):
        with pytest.raises(UnusableQuery, match=name):
            read_prompts(tmp_path / name)


def test_prompts_with_a_word_of_another_script_are_refused_by_that_word(tmp_path: Path):
    (tmp_path / "prompts.txt").write_text("a chair\nкнижный\n")
    with pytest.raises(UnusableQuery, match="'книжный': CLIP has learned English"):
        read_prompts(tmp_path / "prompts.txt")
    (tmp_path / "empty.txt").write_text("# nothing\n\n")
    with pytest.raises(UnusableQuery, match="there is no query"):
        read_prompts(tmp_path / "empty.txt")


def test_words_become_unit_vectors_that_do_not_depend_on_their_company(text: SanText):
    together, alone = text.embed(["a chair", "red sofa", "lamp"]), text.embed(["red sofa"])
    assert together.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(together[1], alone[0], atol=1e-5)
    np.testing.assert_array_equal(text.embed(["the chair"]), text.embed(["chair"]))


def test_cosines_are_products_of_unit_vectors():
    regions = np.array([[1, 0], [0.6, 0.8]], np.float16)
    found = cosine(regions, np.array([[0, 1], [1, 0], [0.8, 0.6]], np.float32))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [[0, 1, 0.8], [0.8, 0.6, 0.96]], atol=1e-3)  # half floats


def test_the_text_side_is_named_by_its_weights(text: SanText, checkpoint: Path):
    assert text.name == str(checkpoint)
    assert text_side_of("san_small").name == "san_small"
    assert list(text.weights) == ["tiny.pth"]
    assert text.weights["tiny.pth"] == hashlib.sha256(checkpoint.read_bytes()).hexdigest()


def test_name_seeded_weights_mean_nothing_and_shipped_ones_do(text: SanText):
    assert text.means_nothing
    assert not text_side_of("san_small").means_nothing


def test_regions_of_other_weights_are_refused_with_the_names_of_both(text: SanText):
    text.check_made({"a": text.weights, "b": dict(text.weights)})
    other = {f"video-{i}": {"other.pth": "0" * 64} for i in range(7)}
    with pytest.raises(OtherWeights) as refused:
        text.check_made({"a": text.weights, **other})
    message = str(refused.value)
    assert "video-0, video-1, video-2, video-3, video-4 and 2 more" in message
    assert "other.pth" in message
    assert str(text.settings.weights) in message


def test_changed_weights_of_the_same_name_are_other_weights(spoken_tour: Workbench, checkpoint: Path, tmp_path: Path):
    state = torch.load(checkpoint, weights_only=True)
    state["model"]["ov_classifier.logit_scale"] += 1
    torch.save(state, tmp_path / checkpoint.name)
    changed = SanText(SanSettings(weights=str(tmp_path / checkpoint.name)))
    with pytest.raises(OtherWeights, match=r"tour-5.*tiny\.pth"):
        open_index(spoken_tour.video.files, changed)


def test_weights_that_are_not_there_are_a_matter_of_settings(tmp_path: Path):
    with pytest.raises(SettingsError, match="nowhere"):
        SanText(SanSettings(weights=str(tmp_path / "nowhere.pth"))).embed(["chair"])
