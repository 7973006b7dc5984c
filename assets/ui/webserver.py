"""Dagster's web server behind the guard."""

import os

import dagster_webserver.app as dagster_app
from dagster_webserver.cli import main
from dagster_webserver.webserver import DagsterWebserver
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Route

from assets.ui.guard import HOSTS_VARIABLE, LOOPBACK_NAMES, SameSite
from assets.ui.shown import PREFIX, answer_with_page


class GuardedWebserver(DagsterWebserver):
    """Dagster's pages, which answer this machine's own pages and programs and nobody else's."""

    def build_middleware(self) -> list[Middleware]:
        """Return Dagster's own, behind the guard."""
        named = os.environ.get(HOSTS_VARIABLE, "").lower().split(",")
        hosts = LOOPBACK_NAMES | {name.strip() for name in named if name.strip()}
        return [Middleware(SameSite, hosts=hosts), *super().build_middleware()]

    def build_routes(self) -> list[BaseRoute]:
        """Return the pages of the data folder and Dagster's own."""
        return [Route(f"{PREFIX}{{path:path}}", answer_with_page), *super().build_routes()]  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    vars(dagster_app)["DagsterWebserver"] = GuardedWebserver
    main()  # type: ignore[no-untyped-call]
