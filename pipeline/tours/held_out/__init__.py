"""Furniture, patterns and plans of the houses that studies of training are scored on, and of no other house."""
