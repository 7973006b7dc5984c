"""JSON of anybody's is read, or refused as one kind of error."""

import pytest

from models.json_text import parsed_json


def test_what_is_json_is_read_from_text_and_from_bytes():
    assert parsed_json('{"a": [1, null]}') == parsed_json(b'{"a": [1, null]}') == {"a": [1, None]}


@pytest.mark.parametrize("text", ["", "{", b"\xff", "[" * 100_000, '{"a":' * 100_000, "9" * 5000, "\0"], ids=range(7))
def test_what_is_none_is_a_value_error_however_it_fails(text: str | bytes):
    with pytest.raises(ValueError, match=r".+"):
        parsed_json(text)
