import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import UnusableVocabulary
from models.san.config import CONTEXT_LENGTH, TOKENS
from models.san.prompts import END, START, TEMPLATES, check_vocabulary, clean, prompts, tokenize


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("a photo of a wall.", [49406, 320, 1125, 539, 320, 2569, 269, 49407]),
        (
            "There is a large television set in the scene.",
            [49406, 997, 533, 320, 3638, 8608, 1167, 530, 518, 3562, 269, 49407],
        ),
        ("This is a photo of a café table", [49406, 589, 533, 320, 1125, 539, 320, 15304, 2175, 49407]),
        ("a photo of a 3d printer.", [49406, 320, 1125, 539, 320, 274, 323, 14521, 269, 49407]),
    ],
)
def test_tokens_are_those_of_clip(text: str, ids: list[int]):
    assert tokenize([text]) == [ids]


def test_tokens_do_not_depend_on_case_spacing_or_html_entities():
    plain, *others = tokenize(["bed & sofa", "  Bed \n&  SOFA ", "bed &amp; sofa", "bed &amp;amp; sofa"])
    assert others == [plain] * 3


@given(st.text(max_size=20))
@settings(max_examples=100)
def test_any_text_keeps_its_marks_at_the_ends(text: str):
    ids = tokenize([text])[0]
    assert ids[0] == START
    assert ids[-1] == END
    assert all(0 <= number < START for number in ids[1:-1])


def test_there_are_fourteen_different_prompts_a_word():
    assert len(set(prompts("{}"))) == 14
    assert all(TEMPLATE.count("{}") == 1 for TEMPLATE in TEMPLATES)
    assert "There is the potted plant in the scene" in prompts("potted plant")


def test_the_marks_are_the_last_two_of_the_vocabulary():
    assert (START, END) == (TOKENS - 2, TOKENS - 1)
    assert tokenize([""]) == [[START, END]]


def test_texts_are_tokenized_each_by_itself():
    texts = ["a bed", "", "a photo of a 3d printer."]
    assert tokenize(texts) == [tokenize([text])[0] for text in texts]


def test_a_text_of_as_many_tokens_as_clip_takes_is_read_and_one_more_is_refused():
    longest = " ".join(["bed"] * (CONTEXT_LENGTH - 2))
    assert len(tokenize([longest])[0]) == CONTEXT_LENGTH
    with pytest.raises(UnusableVocabulary, match=f"has {CONTEXT_LENGTH + 1} tokens; CLIP takes {CONTEXT_LENGTH}"):
        tokenize(["a bed", f"{longest} bed"])


@pytest.mark.parametrize(
    ("text", "cleaned"), [("  Bed\n", "bed"), ("a&amp;amp;b", "a&b"), ("Ärger\t &lt;3", "ärger <3"), (" \u00a0 ", "")]
)
def test_texts_are_cleaned_as_clip_does(text: str, cleaned: str):
    assert clean(text) == cleaned


@given(st.text(max_size=20))
def test_blanks_around_a_text_and_its_case_change_nothing_once_it_is_clean(text: str):
    cleaned = clean(text)
    assert clean(f" {text}\n") == cleaned
    assert cleaned == cleaned.strip() == cleaned.lower()
    assert "  " not in cleaned


@pytest.mark.parametrize("word", ["bed", "{}", "50% {off}", "a {0} b"])
def test_a_word_goes_into_the_sentences_to_the_letter(word: str):
    assert all(word in prompt for prompt in prompts(word))
    assert prompts(word)[0] == f"a photo of a {word}."


@pytest.mark.parametrize(
    ("vocabulary", "complaint"),
    [
        ([], "is empty"),
        (["wall", "\t"], "a blank entry"),
        (["&nbsp;"], "a blank entry"),
        (["sofa", "bed", "Sofa "], "more than once in the vocabulary: sofa$"),
        (["a &amp; b", "a & b"], "more than once"),
        (["wall", "very " * 80], "tokens"),
    ],
)
def test_a_vocabulary_that_cannot_be_used_is_refused(vocabulary: list[str], complaint: str):
    with pytest.raises(UnusableVocabulary, match=complaint):
        check_vocabulary(vocabulary)


def test_words_that_differ_in_more_than_case_and_blanks_are_several():
    check_vocabulary(["bed", "beds", "bed side", "bedside"])
