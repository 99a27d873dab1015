"""Profiles of generated tests: ``ci`` is the same on every run, ``soak`` looks further (HYPOTHESIS_PROFILE=soak)."""

import os

from hypothesis import settings

settings.register_profile("ci", derandomize=True, deadline=None, database=None, max_examples=100)
settings.register_profile("soak", deadline=None, max_examples=500)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
