"""All targets by name."""

from tests.fuzz.reader import Reader
from tests.fuzz.readers import benchmarks, manifest, rooms, settings, store, videos, web, weights

READERS: dict[str, Reader] = {
    target.name: target
    for module in (settings, web, store, rooms, manifest, weights, benchmarks, videos)
    for target in module.READERS
}
