"""Settings of all tests."""

import os

from hypothesis import settings

# A machine that is busy is slow, and no example is wrong for that. `make soak` runs many more.
settings.register_profile("default", deadline=None)
settings.register_profile("soak", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
