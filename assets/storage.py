"""Dagster's databases in SQLite, which any number of processes may open for the first time at once."""

import os
from pathlib import Path
from typing import Any

from dagster import Field, StringSource
from dagster._config import UserConfigSchema
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from filelock import FileLock


class Storage(DagsterSqliteStorage):
    """Dagster's own, whose databases two processes that find none would both make: one dies, or leaves a broken one."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        with FileLock(Path(base_dir) / "databases.lock"):
            super().__init__(base_dir, inst_data)

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """Return the configuration: where the databases lie, else in DAGSTER_HOME."""
        return {"base_dir": Field(StringSource, is_required=False)}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Any) -> "Storage":
        """Open the databases, made first where there are none."""
        return cls.from_local(config_value.get("base_dir") or os.environ["DAGSTER_HOME"], inst_data)
