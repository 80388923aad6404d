"""The parts that an upload is cut into: by lines and by bytes, on borders of data rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from labelconv.labelbox.upload_parts import index_of, parts_of, records


@pytest.mark.parametrize(
    ("most_lines", "most_bytes_in_lines", "expected"),
    [
        (100, 100, [list(range(10))]),
        (3, 100, [[0, 1], [2, 3, 4], [5, 6, 7, 8], [9]]),
        (100, 3, [[0, 1], [2, 3, 4], [5, 6, 7, 8], [9]]),
        (4, 100, [[0, 1, 2, 4], [3], [5, 6, 7, 8], [9]]),
        (100, 5, [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]),
        (1, 1, [[0, 1], [2, 4], [3], [5, 6, 7, 8], [9]]),
    ],
)
def test_parts_end_at_either_limit_and_a_larger_data_row_has_one_of_its_own(
    tmp_path: Path, most_lines: int, most_bytes_in_lines: int, expected: list[list[int]]
) -> None:
    said = [json.dumps({"dataRow": {"id": row}, "name": "x"}).encode() for row in "aabcbdddde"]
    path = tmp_path / "mal.ndjson"
    path.write_bytes(b"\n".join(said) + b"\n")
    with path.open("rb") as file:
        index = index_of(file, str(path))
        parts = parts_of(index, most_lines, most_bytes_in_lines * (len(said[0]) + 1))
        assert [list(part) for part in parts] == expected
        given = [list(records(file, index, part)) for part in parts]
    assert given == [[said[number] for number in part] for part in expected]
