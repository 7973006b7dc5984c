"""What was agreed on how the code is built stays so; ``python -m tests.house`` prints the figures."""

import pytest

from tests.house import PACKAGES, House, circles
from tests.paths import ROOT


@pytest.fixture(scope="module")
def house() -> House:
    return House(ROOT)


def test_the_pipeline_has_few_rooms(house: House):
    top = [path for path in (house.root / "pipeline").iterdir() if path.name != "__pycache__"]
    assert sum(path.is_file() for path in top) <= 3
    assert sum(path.is_dir() for path in top) <= 14


def test_nothing_imports_upwards_or_in_a_circle(house: House):
    assert house.imports_upwards == house.circles_of_files == house.circles_of_folders == []
    assert house.imports_of_training[1] == 0


def test_circles_are_found_where_there_are_any():
    assert circles([("a", "b"), ("b", "c"), ("c", "b"), ("c", "d")]) == [["b", "c"]]
    assert circles([("a", "b"), ("a", "c"), ("b", "c")]) == []


def test_functions_and_modules_are_short(house: House):
    assert [function.name for function in house.functions if function.lines > 40] == []
    assert [module.name for module in house.modules if module.lines > 300] == []


def test_what_is_public_is_documented_and_everything_has_types(house: House):
    documented, public = house.documented
    assert documented / public >= 0.97
    assert [function.name for function in house.functions if not function.typed] == []


def test_a_name_is_defined_once(house: House):
    assert house.defined_twice == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_tests_keep_up_with_the_code(house: House, package: str):
    assert house.lines_of_tests(package) >= 0.6
