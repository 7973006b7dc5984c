"""How much Dagster and the keeping of records cost, measured."""
