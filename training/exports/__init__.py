"""A finished dataset in the formats that other programs open: a module a format."""
