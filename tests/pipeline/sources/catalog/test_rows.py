"""Rows of the catalog as they are stored: everything comes back, whatever is absent."""

from dataclasses import fields, replace
from datetime import UTC, datetime

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contract.errors import CorruptStore
from pipeline.contract.records import Segment
from pipeline.sources.catalog.rows import (
    ASKABLE,
    BUILDABLE,
    SCHEMA,
    CatalogRow,
    VideoState,
    as_rows,
    as_table,
    now,
)
from pipeline.sources.video_source import VideoSource

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)
FULL = CatalogRow(
    video_id="v",
    source=VideoSource.of_origin("https://a.org/o", "feed s"),
    rules="{}",
    title="t",
    uploader="u",
    published=MOMENT,
    duration_s=1.5,
    licence="cc",
    segments=(Segment(0.5, float("inf")), Segment(9, 12)),
    state=VideoState.RETRY,
    tries=3,
    last_error="E",
    when=MOMENT,
    next_try=MOMENT,
    number=7,
    sha256="0" * 64,
    duplicate_of="w",
    built="0123",
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


def test_a_row_reads_back_as_it_was_written():
    bare = CatalogRow("w", VideoSource.of_origin("/films/o.mp4"))
    assert as_rows(as_table([FULL, bare])) == [FULL, bare]
    assert as_rows(as_table([])) == []


def test_every_field_has_its_column_and_a_source_has_two():
    assert set(SCHEMA.names) == {field.name for field in fields(CatalogRow)} - {"source"} | {"origin", "source"}
    assert as_table([FULL]).schema == SCHEMA


@pytest.mark.parametrize(
    ("origin", "listed_by", "kind"),
    [("tour://5", "", "tour"), ("/films/a.mp4", "", "file"), ("https://a.org/v", "channel https://a.org", "url")],
)
def test_a_source_keeps_its_kind_and_who_listed_it(origin: str, listed_by: str, kind: str):
    row = replace(FULL, source=VideoSource.of_origin(origin, listed_by))
    (found,) = as_rows(as_table([row]))
    assert (found.source.kind, found.source.origin, found.source.listed_by) == (kind, origin, listed_by)


@given(
    TEXT, TEXT, st.none() | st.floats(0, 1e6), st.lists(st.tuples(st.floats(0, 100), st.floats(100, 200)), max_size=3)
)
@settings(max_examples=25)
def test_whatever_a_listing_says_comes_back(title: str, licence: str, seconds: float | None, spans: list):
    segments = tuple(Segment(*span) for span in spans)
    row = replace(FULL, title=title, licence=licence, duration_s=seconds, segments=segments)
    assert as_rows(as_table([row])) == [row]


def test_a_final_state_is_neither_asked_for_nor_built():
    final = set(VideoState) - set(BUILDABLE)
    assert final == {"gone", "rejected", "unwanted", "given_up", "duplicate"}
    assert set(BUILDABLE) - set(ASKABLE) == {VideoState.FETCHED}


def test_the_present_is_noted_in_whole_seconds_of_utc():
    assert now().tzinfo is UTC
    assert now().microsecond == 0


@pytest.mark.parametrize(
    ("column", "value"), [("origin", None), ("source", None), ("segments", None), ("state", "asleep"), ("state", None)]
)
def test_a_row_that_holds_what_none_of_ours_does_is_damage(column: str, value: str | None):
    table = as_table([FULL, FULL])
    index = table.schema.get_field_index(column)
    damaged = table.set_column(
        index, table.schema.field(column), pa.array([value] * 2, table.schema.field(column).type)
    )
    with pytest.raises(CorruptStore, match="restore it from a backup"):
        as_rows(damaged)
