"""What holds in all tests: properties are searched without a clock, which a busy machine would fail."""

from hypothesis import settings

settings.register_profile("tests", deadline=None)
settings.load_profile("tests")
