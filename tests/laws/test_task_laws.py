"""The laws for the formats of ultralytics: every task, every policy of parts and holes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelconv import registry, testing
from labelconv.model import Image

TASKS = ("detect", "segment", "obb", "pose")
FORMATS = ("yolo", "ultralytics-ndjson")


@pytest.mark.parametrize(
    ("name", "more"),
    [("yolo", {}), ("yolo", {"confidence": True}), ("ultralytics-ndjson", {})],
    ids=["yolo", "yolo-predictions", "ultralytics-ndjson"],
)
@pytest.mark.parametrize("task", TASKS)
@given(data=st.data())
def test_what_a_task_holds_comes_back(
    task: str,
    name: str,
    more: dict[str, Any],
    data: st.DataObject,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    format = registry.get(name)
    options = format.writer_options(task=task, **more)
    held = format.holds_of(Image, options)
    assert held is not None
    dataset = data.draw(testing.datasets(held))
    testing.check_laws(format, dataset, tmp_path_factory.mktemp("laws"), options=options)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("task", [*TASKS, "classify"])
@given(data=st.data())
def test_anything_is_cut_to_a_task_first(
    task: str, name: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    format = registry.get(name)
    dataset = data.draw(testing.everything(Image))
    options = format.writer_options(task=task)
    testing.check_laws(format, dataset, tmp_path_factory.mktemp("laws"), options=options)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("holes", ["join", "fill"])
@pytest.mark.parametrize("parts", ["join", "split", "largest"])
@given(data=st.data())
def test_parts_and_holes_obey_the_laws_under_each_policy(
    parts: str,
    holes: str,
    name: str,
    data: st.DataObject,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    format = registry.get(name)
    dataset = data.draw(testing.everything(Image))
    options = format.writer_options(task="segment", parts=parts, holes=holes)
    testing.check_laws(format, dataset, tmp_path_factory.mktemp("laws"), options=options)


@pytest.mark.parametrize("name", FORMATS)
@given(data=st.data())
def test_a_task_chosen_from_the_data_obeys_the_laws(
    name: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    format = registry.get(name)
    dataset = data.draw(testing.everything(Image))
    assert format.settle is not None
    options, _ = format.settle(format.writer_options(), iter(dataset))
    assert options.task != "auto"
    testing.check_laws(format, dataset, tmp_path_factory.mktemp("laws"), options=options)
