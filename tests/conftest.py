"""Hypothesis profiles: few examples by default (always the same, not shrunk), `ci`, `deep`.

Chosen by `--hypothesis-profile=ci` or by the environment variable HYPOTHESIS_PROFILE.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]

#: No shrinking: its minutes belong to whoever looks into a failure, with `ci` or `deep`.
_FAST = [Phase.explicit, Phase.reuse, Phase.generate]

settings.register_profile(
    "small",
    max_examples=25,
    deadline=None,
    derandomize=True,
    phases=_FAST,
    suppress_health_check=_SLOW,
)
# The same examples in each run, so that what passed once does not fail elsewhere by chance; `deep`
# looks for others.
settings.register_profile(
    "ci",
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=_SLOW,
    print_blob=True,
)
settings.register_profile(
    "deep", max_examples=2_000, deadline=None, suppress_health_check=_SLOW, print_blob=True
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "small"))
