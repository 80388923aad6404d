"""The tasks of ultralytics: what labels of each hold, and which one a dataset asks for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from labelconv.format import Holds
from labelconv.fractions import PRECISION_PX
from labelconv.model import (
    Box,
    Image,
    Keypoints,
    Mask,
    Ontology,
    OrientedBox,
    Polygon,
    Radio,
    Sample,
)

TASKS = ("detect", "segment", "obb", "pose", "classify")
#: Kinds of value that labels of a task hold.
VALUES: dict[str, frozenset[type]] = {
    "detect": frozenset({Box}),
    "segment": frozenset({Polygon}),
    "obb": frozenset({OrientedBox}),
    "pose": frozenset({Keypoints, Box}),
    "classify": frozenset(),
}
#: The question that the class of a whole picture answers.
QUESTION = "class"


def choose(samples: Iterator[Sample]) -> tuple[str, str]:
    """(task, sentence with the evidence): the task that holds most of what the samples have."""
    kinds: Counter[type] = Counter()
    answers = looked_at = 0
    for sample in samples:
        looked_at += 1
        answers += any(isinstance(each.answer, Radio) for each in sample.classifications)
        kinds.update(type(annotation.value) for annotation in sample.annotations)
    if kinds[Keypoints]:
        task = "pose"
    elif kinds[Polygon] or kinds[Mask]:
        task = "segment"
    elif kinds[OrientedBox]:
        task = "obb"
    elif answers and not kinds.total():
        task = "classify"
    else:
        task = "detect"
    counted = {f"{kind.__name__} annotations": n for kind, n in kinds.most_common() if n}
    if task == "classify":
        counted["answers about whole pictures"] = answers
    listed = ", ".join(f"{number} {kind}" for kind, number in counted.items()) or "no annotations"
    evidence = f"{listed} in the first {looked_at} samples; -W task=… chooses another"
    return task, f"task={task}: {evidence}"


_PARTS: dict[str, Literal["joined", "annotations", "largest"]] = {
    "join": "joined",
    "split": "annotations",
    "largest": "largest",
}


def held(task: str, parts: str, holes: str) -> Holds:
    """What labels of a task hold. `auto`, a task still to be chosen, is taken for `detect`.

    `parts` (`join`, `split`, `largest`) and `holes` (`join`, `fill`) are the writers' options.
    """
    task = "detect" if task == "auto" else task
    classify = task == "classify"
    return Holds(
        media=Image,
        values=VALUES[task],
        parts_become=_PARTS[parts],
        holes_become="joined" if holes == "join" else "filled",
        questions=1 if classify else 0,
        answers=frozenset({Radio}),
        question=QUESTION if classify else None,
        extra="own",
        precision=PRECISION_PX,
        needs_size=not classify,
        within=not classify,
        quads=task == "obb",
        outlined=task == "pose",
    )


def settle(options: Any, samples: Iterator[Sample]) -> tuple[Any, list[str]]:
    """A writer's options with a task: the one that holds most of what the first samples have."""
    if options.task != "auto":
        return options, []
    task, evidence = choose(samples)
    return msgspec.structs.replace(options, task=task), [evidence]


class Classes:
    """Numbers of classes and the names of their keypoints; both grow when others are met."""

    def __init__(self, names: list[str], keypoints: dict[str, tuple[str, ...]]) -> None:
        self.numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
        self.keypoints = {name: list(points) for name, points in keypoints.items()}
        self.width = max(1, *(len(points) for points in self.keypoints.values()), 1)

    def number(self, name: str) -> int:
        found = self.numbers.get(name)
        if found is None:
            found = self.numbers[name] = len(self.numbers)
        return found

    def places(self, name: str, skeleton: Keypoints) -> list[int]:
        """Where each point of a class's skeleton stands; those not met before come last.

        Points of one name are told apart by their order.
        """
        known = self.keypoints.setdefault(name, [])
        free: dict[str, list[int]] = {}
        for place in range(len(known) - 1, -1, -1):
            free.setdefault(known[place], []).append(place)
        places = []
        for point in skeleton.points:
            left = free.get(point.name)
            if left:
                places.append(left.pop())
            else:
                places.append(len(known))
                known.append(point.name)
        self.width = max(self.width, len(known))
        return places

    @classmethod
    def of(cls, ontology: Ontology, task: str) -> Classes:
        """The classes of an ontology; those of whole pictures are the options of a question."""
        if task == "classify":
            asked = ontology.questions[:1]
            return cls([option.name for each in asked for option in each.options], {})
        pose = task == "pose"
        return cls(
            [category.name for category in ontology.categories],
            {each.name: each.keypoints for each in ontology.categories if pose},
        )
