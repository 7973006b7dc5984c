import io
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contract.errors import BrokenListing
from pipeline.sources.feeds import as_seconds, as_time, read_feed

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
        b"<rss><channel><item>" + b"<a/>" * 3000 + b"</item></channel></rss>",
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


@given(st.text(max_size=30))
def test_times_and_durations_never_fail(text: str):
    moment, seconds = as_time(text), as_seconds(text)
    assert moment is None or moment.tzinfo is UTC
    assert seconds is None or seconds >= 0
