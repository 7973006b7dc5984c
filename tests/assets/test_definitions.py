"""The definitions hold together."""

import dagster as dg

from assets import definitions


def test_everything_that_is_defined_can_be_loaded_and_says_what_it_is():
    dg.Definitions.validate_loadable(definitions)
    for key in definitions.resolve_asset_graph().get_all_asset_keys():
        node = definitions.resolve_asset_graph().get(key)
        assert node.description or node.is_external, key
        assert node.group_name in {"per_video", "dataset", "training"}, key
