"""All targets by name."""

from tests.fuzz.reader import Reader
from tests.fuzz.readers import benchmarks, manifest, settings, store, videos, web, weights

READERS: dict[str, Reader] = {
    target.name: target
    for module in (settings, web, store, manifest, weights, benchmarks, videos)
    for target in module.READERS
}
