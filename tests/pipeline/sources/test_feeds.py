import io
import tracemalloc
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contract.errors import BrokenListing
from pipeline.sources.feeds import ENTRY_NODES_MAX, read_feed
from pipeline.sources.skipped import SkippedRows

YOUTUBE = b"""<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns:yt="http://www.youtube.com/xml/schemas/2015" xmlns:media="http://search.yahoo.com/mrss/"
 xmlns="http://www.w3.org/2005/Atom"><link rel="self" href="http://www.youtube.com/feeds/videos.xml?channel_id=UC1"/>
 <title>Tours</title><author><name>Tours</name></author><published>2015-01-01T00:00:00+00:00</published>
 <entry><id>yt:video:dQw4w9WgXcQ</id><yt:videoId>dQw4w9WgXcQ</yt:videoId><title>House &amp; garden</title>
  <link rel="alternate" href="https://www.youtube.com/watch?v=dQw4w9WgXcQ"/><author><name>Ann</name></author>
  <published>2024-05-06T07:08:09+00:00</published><media:group><media:title>House</media:title>
  <media:content url="https://a.org/v/dQw4w9WgXcQ" type="application/x-shockwave-flash"/></media:group></entry>
 <entry><yt:videoId>../../../etc</yt:videoId><title>Trap</title><link href="file:///etc/passwd"/></entry></feed>"""

RSS = b"""<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"><channel><title>T</title>
<link>https://example.org</link><item><title>One</title><link>https://example.org/page</link>
<enclosure url="https://example.org/one.mp4" type="video/mp4" length="1"/>
<pubDate>Mon, 06 May 2024 09:08:09 +0200</pubDate>
<itunes:duration>1:02:03</itunes:duration></item><item><title>Audio</title><link>https://example.org/audio</link>
<enclosure url="https://example.org/a.mp3" type="audio/mpeg" length="1"/></item></channel></rss>"""

BOMB = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<rss><channel><item><title>&b;</title><link>https://example.org/</link></item></channel></rss>"""

EXTERNAL = b"""<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<rss><channel><item><title>&x;</title><link>https://example.org/</link></item></channel></rss>"""


def test_a_youtube_feed_gives_ids_titles_and_times_and_leaves_traps_out():
    (found,) = read_feed(io.BytesIO(YOUTUBE), "feed")
    assert found.origin == "https://www.youtube.com/watch?v=dQw4w9WgXcQ"
    assert (found.title, found.uploader) == ("House & garden", "Ann")
    assert found.published == datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)


def test_an_rss_feed_gives_enclosed_videos_or_the_page():
    one, audio = read_feed(io.BytesIO(RSS), "feed")
    assert (one.origin, one.duration_s) == ("https://example.org/one.mp4", 3723)
    assert one.published == datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
    assert audio.origin == "https://example.org/audio"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not xml",
        b"<html></html>",
        b"<rss><channel>",
        BOMB,
        EXTERNAL,
        b"<rss><channel><item>" + b"<a/>" * ENTRY_NODES_MAX + b"</item></channel></rss>",
        b'<?xml version="1.0" encoding="no-such-thing"?><rss/>',
    ],
)
def test_what_is_no_feed_or_is_a_trap_is_refused(content: bytes):
    with pytest.raises(BrokenListing):
        list(read_feed(io.BytesIO(content), "feed"))


@given(st.binary(max_size=300))
def test_whatever_bytes_come_they_are_a_feed_or_refused(content: bytes):
    for whole in (content, b"<rss><channel>" + content + b"</channel></rss>"):
        try:
            assert all(found.origin.startswith("http") for found in read_feed(io.BytesIO(whole), "feed"))
        except BrokenListing:
            continue


def feed_of(*items: str, namespaces: str = "") -> io.BytesIO:
    return io.BytesIO(f'<rss version="2.0" {namespaces}><channel>{"".join(items)}</channel></rss>'.encode())


def test_a_feed_that_breaks_off_gives_what_came_before():
    whole = feed_of(
        "<item><link>https://example.org/1</link></item>", "<item><link>https://example.org/2</link></item>"
    )
    found = read_feed(io.BytesIO(whole.getvalue()[:-40]), "the feed")
    assert next(found).origin == "https://example.org/1"
    with pytest.raises(BrokenListing, match="the feed is no feed"):
        list(found)


def test_memory_does_not_grow_with_the_number_of_entries():
    class Endless(io.RawIOBase):
        """Entries without an end; every read gives one."""

        def __init__(self) -> None:
            super().__init__()
            self.given = 0

        def read(self, amount: int = -1) -> bytes:
            del amount
            self.given += 1
            head = b"<rss><channel>" if self.given == 1 else b""
            return head + b"<item><link>https://example.org/%d</link></item>" % self.given + b"<!---->" * 200

    endless = Endless()
    found = read_feed(endless, "feed")
    first = [next(found).origin for _ in range(200)]
    tracemalloc.start()
    rest = [next(found).origin for _ in range(ENTRY_NODES_MAX)]
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len({*first, *rest}) == 200 + ENTRY_NODES_MAX, "more went by than one entry may hold"
    # The addresses that the test keeps are 80 bytes each; elements that stayed would be several hundred.
    assert held < 200 * ENTRY_NODES_MAX
    assert endless.given <= len(first) + len(rest) + 200, "what is not asked for is not read"


def test_entries_that_lead_nowhere_are_passed_over_counted_and_named():
    items = ("<item><title>none</title></item>", "<item><link>javascript:alert(1)</link></item>")
    items += ("<item><link> https://example.org/3 </link></item>",)
    skipped = SkippedRows()
    assert [found.origin for found in read_feed(feed_of(*items), "feed", skipped)] == ["https://example.org/3"]
    why = "has no address that may be asked"
    assert (skipped.count, skipped.named) == (2, [f"entry 1 (none): {why}", f"entry 2 (without a title): {why}"])


def test_an_atom_entry_prefers_its_enclosure_and_tells_licence_and_length():
    feed = b"""<feed xmlns="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/">
    <entry><title> Two
     rooms </title><updated>2024-05-06T07:08:09Z</updated><link rel="alternate" href="https://example.org/page"/>
    <link rel="enclosure" href="https://example.org/two.mp4"/><media:license>CC BY</media:license>
    <media:content duration="65"/></entry></feed>"""
    (found,) = read_feed(io.BytesIO(feed), "feed")
    assert (found.origin, found.title) == ("https://example.org/two.mp4", "Two rooms")
    assert (found.licence, found.duration_s) == ("CC BY", 65)
    assert found.published == datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
