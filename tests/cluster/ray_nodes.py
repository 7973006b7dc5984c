"""A Ray cluster of three machines on loopback; the first, which is the head, has room for no worker."""

import contextlib
from collections.abc import Iterator
from typing import Any

BUSY = {
    "RAY_raylet_start_wait_time_s": "120",
    "RAY_agent_register_timeout_ms": "240000",
    "RAY_gcs_server_request_timeout_seconds": "120",
    "RAY_worker_niceness": "0",
    "RAY_DEDUP_LOGS": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
}
"""What lets Ray start on a machine that is busy with other tests, and its workers, which are nice, be heard there."""


@contextlib.contextmanager
def three_nodes(dashboard_port: int = 0, **resources: float) -> Iterator[Any]:
    """Start the nodes, of which two have ``resources``; Ray takes 127.0.0.1 for another address of the machine.

    dashboard_port: where the head takes jobs, if it is to.
    """
    from ray.cluster_utils import Cluster

    head: dict[str, Any] = {"num_cpus": 0, "node_ip_address": "127.0.0.2", "include_dashboard": bool(dashboard_port)}
    if dashboard_port:
        head |= {"dashboard_host": "127.0.0.2", "dashboard_port": dashboard_port}
    cluster = Cluster(initialize_head=True, connect=False, head_node_args=head)
    try:
        for last in (3, 4):
            cluster.add_node(node_ip_address=f"127.0.0.{last}", object_store_memory=80 * 2**20, **resources)
        yield cluster
    finally:
        cluster.shutdown()


def kill_all(cluster: Any) -> None:
    """Kill -9 the raylets of a cluster and then its head, as where the power goes."""
    for node in cluster.list_all_nodes():
        for kind in ("raylet", "gcs_server"):
            for started in node.all_processes.get(kind, ()):
                started.process.kill()
