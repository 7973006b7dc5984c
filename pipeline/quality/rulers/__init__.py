"""The two rulers: the same figures on rendered tours, easy and hard, and on real footage whose truth is known.

``youtube-occ score --suite tours|real`` builds what a suite names and prints one table.
"""

from pipeline.quality.rulers.records import RulerReport
from pipeline.quality.rulers.run import run_suite
from pipeline.quality.rulers.suites import Part, real_parts, tour_parts

__all__ = ["Part", "RulerReport", "real_parts", "run_suite", "tour_parts"]
