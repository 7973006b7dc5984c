import pkgutil
from importlib import import_module

import pytest

from docs.pages_from_code.api import LEFT_OUT, PACKAGES, Package, page, pages

EVERY = "\n".join(pages().values())


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_module_is_on_one_page(package: str):
    root = import_module(package)
    found = [module.name for module in pkgutil.walk_packages(root.__path__, f"{package}.")]
    public = [name for name in found if not set(name.split(".")) & set(LEFT_OUT)]
    assert [name for name in public if EVERY.count(f".. automodule:: {name}\n") != 1] == []
    assert not [name for name in found if name not in public and f".. automodule:: {name}\n" in EVERY]


def test_a_page_lists_packages_first_and_then_modules():
    text = page(Package("house", ("house.door",), ("house.rooms",)))
    assert text.startswith(".. _api-house:\n\nhouse\n=====\n")
    assert (
        text.index("   house.rooms\n") < text.index("house.door\n----------\n") < text.index("automodule:: house.door")
    )
