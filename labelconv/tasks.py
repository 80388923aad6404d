"""The tasks of ultralytics: what labels of each hold, and which one a dataset asks for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from labelconv.model import (
    Box,
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

    def places(self, name: str, skeleton: Keypoints) -> dict[str, int]:
        """Where each keypoint of a class stands; those not met before come last."""
        known = self.keypoints.setdefault(name, [])
        for point in skeleton.points:
            if point.name not in known:
                known.append(point.name)
        self.width = max(self.width, len(known))
        return {point: place for place, point in enumerate(known)}

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
