"""Dagster's storage in PostgreSQL, which any number of processes may open while it is still empty."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dagster._serdes import ConfigurableClassData
from sqlalchemy import Engine, text
from sqlalchemy.pool import NullPool

from models.extras import extra

with extra("cluster", "keeping runs in PostgreSQL"):
    from dagster_postgres import DagsterPostgresStorage
    from dagster_postgres.utils import (
        create_pg_connection,
        create_pg_engine,
        get_token_provider_from_config,
        pg_url_from_config,
    )

TURN = 5064
"""Number of the lock in the database, any that nobody else takes."""

LONGEST_TURN_S = 60


class PostgresStorage(DagsterPostgresStorage):
    """Dagster's own, which fails where two processes make its tables at once: "type event_logs already exists"."""

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> "PostgresStorage":
        """Open the storage and make its tables where they are missing, one process at a time."""
        url, tokens = pg_url_from_config(config_value), get_token_provider_from_config(config_value)
        with _turn(create_pg_engine(url, tokens, poolclass=NullPool)):
            return cls(url, config_value.get("should_autocreate_tables", True), inst_data, tokens)


@contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    """Wait until nobody else opens the database. The lock ends with its transaction, hence with its process."""
    with create_pg_connection(engine) as connection, connection.begin():
        connection.execute(text(f"SET LOCAL lock_timeout = '{LONGEST_TURN_S}s'"))
        connection.execute(text(f"SELECT pg_advisory_xact_lock({TURN})"))
        yield
