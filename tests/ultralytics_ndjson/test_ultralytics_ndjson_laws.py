"""The laws for every task, and for every policy of parts and holes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelconv import testing
from labelconv.formats.ultralytics_ndjson import FORMAT, settle
from labelconv.formats.ultralytics_ndjson.options import (
    UltralyticsNdjsonWriterOptions,
)
from labelconv.model import Image

TASKS = ("detect", "segment", "obb", "pose")


@pytest.mark.parametrize("task", TASKS)
@given(data=st.data())
def test_what_a_task_holds_comes_back(
    task: Any, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    options = UltralyticsNdjsonWriterOptions(task=task)
    held = FORMAT.holds_of(Image, options)
    assert held is not None
    dataset = data.draw(testing.datasets(held))
    testing.check_laws(FORMAT, dataset, tmp_path_factory.mktemp("laws"), options=options)


@pytest.mark.parametrize("task", [*TASKS, "classify"])
@given(data=st.data())
def test_anything_is_cut_to_a_task_first(
    task: Any, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    dataset = data.draw(testing.everything(Image))
    options = UltralyticsNdjsonWriterOptions(task=task)
    testing.check_laws(FORMAT, dataset, tmp_path_factory.mktemp("laws"), options=options)


@pytest.mark.parametrize("holes", ["join", "fill"])
@pytest.mark.parametrize("parts", ["join", "split", "largest"])
@given(data=st.data())
def test_parts_and_holes_obey_the_laws_under_each_policy(
    parts: Any, holes: Any, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    dataset = data.draw(testing.everything(Image))
    options = UltralyticsNdjsonWriterOptions(task="segment", parts=parts, holes=holes)
    testing.check_laws(FORMAT, dataset, tmp_path_factory.mktemp("laws"), options=options)


@given(data=st.data())
def test_a_task_chosen_from_the_data_obeys_the_laws(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    dataset = data.draw(testing.everything(Image))
    options, _ = settle(UltralyticsNdjsonWriterOptions(), iter(dataset))
    assert options.task != "auto"
    testing.check_laws(FORMAT, dataset, tmp_path_factory.mktemp("laws"), options=options)
