"""Sources for the tests of faults."""

from __future__ import annotations

from pathlib import Path

import pytest
from faults_help import coco_file


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A source that takes a second or so."""
    return coco_file(tmp_path_factory.mktemp("large") / "large.json", 10_000)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return coco_file(tmp_path / "small.json", 3)
