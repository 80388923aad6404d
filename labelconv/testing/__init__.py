"""The test kit for people who write formats: data of any kind, and the laws that a format obeys.

    from hypothesis import given
    from labelconv import testing
    from myformat import FORMAT

    @given(dataset=testing.datasets(FORMAT.holds_of(Image, options)))
    def test_what_fits_comes_back(dataset, tmp_path_factory):
        testing.check_laws(FORMAT, dataset, tmp_path_factory.mktemp("laws"))

Needs hypothesis: `pip install 'labelconv[test]'`. The laws raise `AssertionError` with the place of
the first difference.
"""

from __future__ import annotations

from labelconv.testing.comparing import comparable, comparable_dataset, difference
from labelconv.testing.laws import (
    check_deterministic,
    check_laws,
    check_ledger,
    check_only_target,
    check_round_trip,
    check_unchanged,
    fitted,
)
from labelconv.testing.strategies import datasets, everything, samples

__all__ = [
    "check_deterministic",
    "check_laws",
    "check_ledger",
    "check_only_target",
    "check_round_trip",
    "check_unchanged",
    "comparable",
    "comparable_dataset",
    "datasets",
    "difference",
    "everything",
    "fitted",
    "samples",
]
