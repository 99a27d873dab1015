"""Profiles of generated tests: ``ci`` is the same on every run, ``soak`` looks further (HYPOTHESIS_PROFILE=soak).

The suite runs plain Python, its child processes too, because tests replace functions, which compiled code does not let one do; with
SHUDIAN_KERNEL=compiled those stand aside.
"""

import os

os.environ.setdefault("SHUDIAN_KERNEL", "plain")  # before anything of the product is imported

from hypothesis import settings

settings.register_profile("ci", derandomize=True, deadline=None, database=None, max_examples=100)
settings.register_profile("soak", deadline=None, max_examples=500)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
