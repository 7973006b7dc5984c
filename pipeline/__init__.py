"""What happens to one video: a module a stage, in the order the data flows.

``download -> scenes -> indoor -> reconstruct -> metric -> semantics -> voxelize -> dataset``.
Plain typed functions on arrays and records; nothing here knows of Dagster.
"""
