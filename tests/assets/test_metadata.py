import os

import dagster as dg

from assets.metadata import PREVIEW_BYTES, numbers, picture, picture_at, stage_metadata, table
from models.weights.licences import UNKNOWN_LICENCE
from pipeline.contract.records import LeftOut
from pipeline.stages.run import StageReport
from tests.pipeline.provenances import provenance


def test_an_embedded_preview_stays_under_twenty_kilobytes():
    value = picture(os.urandom(PREVIEW_BYTES))
    assert isinstance(value, dg.MarkdownMetadataValue)
    assert value.md_str is not None
    assert len(value.md_str) < 20_000


def test_a_table_of_nothing_can_be_shown():
    assert table([]).value.records == []


def test_a_picture_is_embedded_as_what_it_is():
    assert picture(b"\x89PNG\r\n").md_str == "![preview](data:image/png;base64,iVBORw0K)"
    assert picture(b"\xff\xd8\xff").md_str == "![preview](data:image/jpeg;base64,/9j/)"


def test_a_picture_that_lies_elsewhere_is_shown_and_opened_from_there():
    shown = picture_at("/shown/videos/a/scene.jpg").md_str
    assert shown == "[![preview](/shown/videos/a/scene.jpg)](/shown/videos/a/scene.jpg)"


def test_figures_are_numbers_and_those_that_are_not_known_are_left_out():
    assert numbers({"occupancy: IoU": 0.5, "scene: up": float("nan")}) == {
        "occupancy: IoU": dg.MetadataValue.float(0.5)
    }


def test_columns_of_a_table_have_the_types_of_its_first_row():
    value = table(
        [{"name": "a", "count": 1, "share": 0.5, "built": True}, {"name": "b", "count": 2, "share": 1, "built": 0}]
    )
    assert [(column.name, column.type) for column in value.schema.columns] == [
        ("name", "string"),
        ("count", "int"),
        ("share", "float"),
        ("built", "bool"),
    ]
    assert [record.data["name"] for record in value.records] == ["a", "b"]


def test_a_stage_shows_how_it_was_made_and_what_it_left_out():
    made = provenance(
        "clips",
        backend="cuts",
        settings={"frames_max": 9},
        weights={"a.pth": "00"},
        seconds=2.5,
        counts={"clips": 3},
        left_out=(LeftOut("clips", 7, "TooShort", "0.4 s"), LeftOut("clips", None, "Dark", "all of it")),
        notes=("one model of two was kept",),
    )
    shown = stage_metadata(StageReport(made, reused=True))
    plain = {name: value.value for name, value in shown.items() if not isinstance(value, dg.TableMetadataValue)}
    assert (plain["clips"], plain["seconds"], plain["reused"], plain["backend"]) == (3.0, 2.5, True, "cuts")
    assert (plain["settings"], plain["weights"]) == ({"frames_max": 9}, {"a.pth": "00"})
    assert plain["licences"] == {"a.pth": UNKNOWN_LICENCE}
    assert plain["notes"] == ["one model of two was kept"]
    rows = [record.data for record in shown["left_out"].records]
    assert rows == [
        {"clip": 7, "code": "TooShort", "detail": "0.4 s"},
        {"clip": -1, "code": "Dark", "detail": "all of it"},
    ]
