"""The form in which samples are compared by the laws, and the first difference between two."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from labelconv import geometry
from labelconv.format import Format, Holds
from labelconv.model import Annotation, Checklist, Classification, OrientedBox, Sample, TextSpan


def comparable(sample: Sample, holds: Holds) -> Sample:
    """The sample without what a format with these `holds` does not promise to give back.

    Ids that do not come back are named by position (annotations `0`, `1`, …, relations `r0`, …);
    a size, an address or `extra` that is not held is removed. Coordinates stay as they are: the
    precision is `difference`'s matter.
    """
    annotations, relations = sample.annotations, sample.relations
    if not holds.ids:
        names = {annotation.id: str(number) for number, annotation in enumerate(annotations)}
        annotations = tuple(
            msgspec.structs.replace(annotation, id=names[annotation.id])
            for annotation in annotations
        )
        relations = tuple(
            msgspec.structs.replace(
                relation,
                id=f"r{number}",
                source=names.get(relation.source, relation.source),
                target=names.get(relation.target, relation.target),
            )
            for number, relation in enumerate(relations)
        )
    answers = sample.classifications
    if not holds.timed_checklists:
        answers = tuple(_as_radio(each, timed=False) for each in answers)
    if holds.offsets == "utf16":
        annotations = tuple(_in_units(each, sample.media) for each in annotations)
    extra = sample.extra
    if holds.extra != "all":
        extra = {}
        annotations = tuple(msgspec.structs.replace(each, extra={}) for each in annotations)
    return msgspec.structs.replace(
        sample,
        annotations=annotations,
        classifications=answers,
        relations=relations,
        media=sample.media if holds.size else type(sample.media)(),
        uri=sample.uri if holds.uri else None,
        extra=extra,
    )


def _as_radio(asked: Classification, *, timed: bool) -> Classification:
    """With a radio for each checklist of one tick that has ranges or is below one that has."""
    timed = timed or bool(asked.ranges)

    def below(chosen: Any) -> Any:
        nested = tuple(_as_radio(each, timed=timed) for each in chosen.classifications)
        return msgspec.structs.replace(chosen, classifications=nested)

    answer: Any = asked.answer
    if isinstance(answer, Checklist):
        options = tuple(map(below, answer.options))
        answer = options[0] if timed and len(options) == 1 else Checklist(options)
    else:
        answer = below(answer)
    return msgspec.structs.replace(asked, answer=answer)


def _in_units(annotation: Annotation, media: Any) -> Annotation:
    """With the offsets of a span in UTF-16 units; as they are where the text is not known."""
    span = annotation.value
    if not isinstance(span, TextSpan):
        return annotation
    content = getattr(media, "content", None)
    for message in getattr(media, "messages", ()):
        content = message.content if message.id == span.message else content
    if content is None:
        return annotation
    start, end = (len(content[:at].encode("utf-16-le")) // 2 for at in (span.start, span.end))
    return msgspec.structs.replace(annotation, value=TextSpan(start, end, span.message))


def comparable_dataset(samples: Iterable[Sample], format: Format, options: Any) -> list[Sample]:
    """The samples in their comparable form, by key.

    A sample of a kind of media that the format does not hold raises AssertionError.
    """
    compared = []
    for sample in samples:
        holds = format.holds_of(type(sample.media), options)
        assert holds is not None, f"{format.name} gave a sample of {type(sample.media).__name__}"
        compared.append(comparable(sample, holds))
    return sorted(compared, key=lambda sample: sample.key)


def difference(one: object, other: object, precision: float = 0.0) -> str | None:
    """The place and the values of the first difference, or None if there is none.

    Takes what the model is made of: structs, tuples, lists, dicts, numbers, texts. Floats are
    alike when they differ by at most `precision`; a whole number is like the float of its value.
    Oriented boxes are alike when their corners are.
    """
    return _difference(one, other, precision, "")


def _difference(one: Any, other: Any, precision: float, place: str) -> str | None:
    if isinstance(one, OrientedBox) and isinstance(other, OrientedBox):
        # By their corners: a full turn changes nothing, and the angle of a tiny box means little.
        corners = geometry.corners(one), geometry.corners(other)
        found = _difference(*corners, precision, f"{place}.corners")
        return None if found is None else f"{found}: {one} and {other}"
    if isinstance(one, msgspec.Struct) and type(one) is type(other):
        for name in one.__struct_fields__:
            found = _difference(
                getattr(one, name), getattr(other, name), precision, f"{place}.{name}"
            )
            if found is not None:
                return found
        return None
    if isinstance(one, (tuple, list)) and isinstance(other, (tuple, list)):
        if len(one) != len(other):
            return f"{place or 'the whole'}: {len(one)} items and {len(other)}: {one} and {other}"
        for number, (left, right) in enumerate(zip(one, other, strict=True)):
            found = _difference(left, right, precision, f"{place}[{number}]")
            if found is not None:
                return found
        return None
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for name, left in one.items():
            found = _difference(left, other[name], precision, f"{place}[{name!r}]")
            if found is not None:
                return found
        return None
    if _alike(one, other, precision):
        return None
    return f"{place or 'the whole'}: {one!r} and {other!r}"


def _alike(one: object, other: object, precision: float) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return one == other or abs(one - other) <= precision
    return type(one) is type(other) and one == other
