import base64
import io
import re
from html.parser import HTMLParser

from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pipeline.pictures.encode import jpeg
from pipeline.pictures.page import Section, page

PICTURE = jpeg(Image.new("RGB", (8, 6), (200, 30, 30)), 4000)
HOSTILE = "</title><script>alert('x')</script>\"><img src=https://example.org/a.png onerror=alert(1)>"


class Reader(HTMLParser):
    """Collects tags with their attributes, and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_a_page_shows_its_pictures_with_their_headings_and_lines():
    read = Reader(page("tour 5", [Section("clips", ["two clips", "", "12 frames"], PICTURE)] * 2))
    assert len(read.all("section")) == len(read.all("img")) == 2
    assert len(read.all("li")) == 4, "empty lines are none"
    assert {"tour 5", "clips", "two clips", "12 frames"} <= set(read.text)
    source = read.all("img")[0]["src"]
    assert source is not None
    shown = Image.open(io.BytesIO(base64.b64decode(source.removeprefix("data:image/jpeg;base64,"))))
    assert shown.size == (8, 6)


def test_names_of_videos_cannot_run_or_load_anything():
    read = Reader(page(HOSTILE, [Section(HOSTILE, [HOSTILE], PICTURE)]))
    assert not read.all("script")
    (image,) = read.all("img")
    assert set(image) == {"alt", "src"}
    assert image["alt"] == HOSTILE, "shown as it is written"
    assert read.text.count(HOSTILE) == 4  # title, h1, h2, li


@settings(max_examples=40)
@given(st.text(max_size=60), st.text(max_size=60))
def test_whatever_the_words_the_page_keeps_its_structure(title: str, line: str):
    read = Reader(page(title, [Section(line, [line, "x"], PICTURE)]))
    names = [tag for tag, _ in read.tags]
    assert [n for n in names if n != "li"] == [
        *("html", "head", "meta", "meta", "meta", "title", "style", "body", "h1", "section", "h2", "ul", "img")
    ]


def test_the_browser_is_told_to_load_nothing_from_elsewhere():
    text = page("tour", [])
    (policy,) = [m.get("content") for m in Reader(text).all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert "default-src 'none'" in policy
    assert not re.search(r"https?://", text)
