from sphinx.util.inspect import signature, stringify_signature

from docs.pages_from_code.signatures import is_documented, shortened, with_lists
from pipeline.contract.camera import pointmap
from pipeline.contract.grid import voxel_centres


def test_arrays_are_written_as_in_the_code():
    evaluated = stringify_signature(signature(pointmap), unqualified_typehints=True)
    assert "numpy.dtype" in evaluated, "or there is nothing to shorten"
    assert "dtype" not in (shortened(evaluated) or "")
    assert "depth: NDArray[" in (shortened(evaluated) or "")
    assert shortened(None) is None


def test_only_names_of_the_project_are_linked():
    assert is_documented("pipeline.contract.records.Clip")
    assert is_documented("pipeline.nowhere.Clip"), "so that Sphinx complains"
    assert not is_documented("numpy.ndarray")
    assert not is_documented("pipeline.stages.base.SettingsT"), "a type variable"
    assert not is_documented("pipeline.sources.rules._compiles"), "private"
    assert not is_documented("pipeline.sources.entries.Annotated"), "of the standard library"


def test_lines_about_fields_become_a_list():
    lines = [
        "A frame.",
        "",
        "rgb: the picture.",
        "depth, labels: of every pixel,",
        "at its centre.",
        "",
        "Not a field: this.",
    ]
    assert with_lists(lines, {"rgb", "depth", "labels"}) == [
        "A frame.",
        "",
        "",
        "* ``rgb``: the picture.",
        "* ``depth, labels``: of every pixel,",
        "  at its centre.",
        "",
        "",
        "Not a field: this.",
    ]


def test_lines_about_nothing_known_stay():
    lines = ["Return the scores.", "", "Note: they are means."]
    assert with_lists(lines, {"origin"}) == lines


def test_a_real_signature_keeps_its_defaults():
    text = shortened(stringify_signature(signature(voxel_centres), unqualified_typehints=True)) or ""
    assert "shape: tuple[int, int, int] = (60, 60, 36)" in text
