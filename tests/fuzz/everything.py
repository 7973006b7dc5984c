"""All targets by name."""

from tests.fuzz.target import Target
from tests.fuzz.targets import benchmarks, manifest, settings, store, videos, web, weights

TARGETS: dict[str, Target] = {
    target.name: target
    for module in (settings, web, store, manifest, weights, benchmarks, videos)
    for target in module.TARGETS
}
