"""Which line each status of an import job is about, whatever Labelbox leaves out of them."""

from __future__ import annotations

import msgspec
import pytest
from test_upload import uuid_of

from labelconv.labelbox.upload_outcome import Outcome, outcome_of
from labelconv.labelbox.upload_parts import Line
from labelconv.labelbox.upload_server import Status

NO = [{"name": "Bad", "message": "no"}]


def status(uuid: str | None = None, row: str | None = None, *, refused: bool = False) -> Status:
    told = None if row is None else {"globalKey": row}
    return Status(uuid, told, "FAILURE" if refused else "SUCCESS", NO if refused else [])


def lines(*given: tuple[str | None, str]) -> list[tuple[int, Line]]:
    """Lines of (uuid, global key), numbered from 1."""
    return [
        (number, msgspec.convert({"dataRow": {"globalKey": row}, "uuid": uuid}, Line))
        for number, (uuid, row) in enumerate(given, 1)
    ]


def counts(found: Outcome) -> tuple[int, list[int], list[int]]:
    """How many were accepted; the refused; the unknown."""
    refused, unknown = (
        sorted(n for numbers in place.values() for n in numbers)
        for place in (found.refused, found.unknown)
    )
    return found.accepted, refused, unknown


@pytest.mark.parametrize("failure_first", [True, False])
def test_of_two_statuses_of_a_line_the_failure_counts(failure_first: bool) -> None:
    both = [status(uuid_of(1), refused=True), status(uuid_of(1))]
    found = outcome_of(lines((uuid_of(1), "a")), both if failure_first else both[::-1])
    assert counts(found) == (0, [1], [])
    assert list(found.refused) == ["Bad: no"]


def test_a_status_without_errors_that_is_no_success_is_a_refusal() -> None:
    found = outcome_of(lines((uuid_of(1), "a")), [Status(uuid_of(1), None, "FAILURE", [])])
    assert found.refused == {"FAILURE, without a reason": [1]}


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        # Each is told, by its data row.
        ([status(row="a"), status(row="b", refused=True)], (1, [2], [])),
        # One is not told: it may be the other data row's.
        ([status(row="b", refused=True)], (0, [2], [1])),
        # A failure of a data row that none of them is of: whose is it?
        ([status(row="a"), status(row="b"), status(row="z", refused=True)], (0, [], [1, 2])),
        # A success too many harms nobody.
        ([status(row="a"), status(row="b"), status(row="z")], (2, [], [])),
        # A failure of no data row at all.
        ([status(row="a"), status(refused=True)], (0, [], [1, 2])),
        ([], (0, [], [1, 2])),
    ],
)
def test_lines_without_a_uuid_are_accepted_only_where_nothing_is_left_open(
    statuses: list[Status], expected: tuple[int, list[int], list[int]]
) -> None:
    found = outcome_of(lines((None, "a"), (None, "b")), statuses)
    assert counts(found) == expected
