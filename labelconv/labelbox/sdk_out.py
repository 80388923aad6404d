"""MAL lines as annotations of the labelbox SDK's types.

The lines are those that we write, so that offsets, frames, pages, uuids and pictures follow one set
of rules; here each one only changes its form. What the SDK gets wrong when it serializes is gone
around where its types allow it (docs/from-the-sdk.md has the list).
"""

from __future__ import annotations

import base64
import importlib
from collections.abc import Iterable
from typing import Any, TypeAlias

from labelconv import codes
from labelconv.errors import MissingDependencyError
from labelconv.problems import Report, Where

Wire: TypeAlias = dict[str, Any]


def sdk_types() -> Any:
    """The module `labelbox.types`. Raises `MissingDependencyError`."""
    try:
        return importlib.import_module("labelbox.types")
    except ImportError as error:
        raise MissingDependencyError(
            "the labelbox SDK's types are needed. Install them with "
            "`pip install 'labelconv[labelbox]'`."
        ) from error


def labels_of(row: Wire, lines: Iterable[Wire], types: Any, report: Report) -> list[Any]:
    """The labels of one data row: one, or more where the SDK would merge what is not one object.

    `row` is the lines' `dataRow`. The SDK makes one line of all video annotations of one name in a
    label, so each of them beyond the first gets a label of its own.
    """
    made = _Labels(row, types)
    relations: list[Wire] = []
    for line in lines:
        if "relationship" in line:
            relations.append(line)
        elif "segments" in line:
            made.put(_track(line, types), _feature(line))
        elif "masks" in line:
            made.put([_masks(line, types)], "\0masks")
        elif "frames" in line:
            made.put(_frames(line, types), _feature(line))
        elif "answer" in line:
            for each in _apart(line):
                found = _answer(each, row, types, report)
                made.put([] if found is None else [found], None if each is line else _feature(line))
        else:
            made.put_object(line, _object(line, types))
    for line in relations:
        made.put_relation(_relation(line, made.objects, types))
    return made.labels()


class _Labels:
    """Spreads annotations over labels; `objects` has those that relations join, by uuid."""

    def __init__(self, row: Wire, types: Any) -> None:
        key = row.get("globalKey")
        self._data = {"uid": row["id"]} if key is None else {"global_key": key}
        self._types = types
        self._groups: list[tuple[list[Any], set[object]]] = [([], set())]
        self.objects: dict[str, Any] = {}

    def put_object(self, line: Wire, made: Any) -> None:
        self._groups[0][0].append(made)
        if "uuid" in line:
            self.objects[line["uuid"]] = made

    def put_relation(self, made: Any) -> None:
        self._groups[0][0].append(made)

    def put(self, made: list[Any], feature: object = None) -> None:
        """Put annotations that are one line into the last label, or a new one if it has that
        feature: so they keep their order."""
        if feature is not None and feature in self._groups[-1][1]:
            self._groups.append(([], set()))
        annotated, features = self._groups[-1]
        annotated += made
        if feature is not None:
            features.add(feature)

    def labels(self) -> list[Any]:
        make = self._types.Label
        return [make(data=dict(self._data), annotations=held) for held, _ in self._groups if held]


def _feature(line: Wire) -> object:
    return line.get("schemaId") or line.get("name")


def _named(line: Wire) -> dict[str, Any]:
    """The fields that name a feature."""
    return {"name": line.get("name"), "feature_schema_id": line.get("schemaId")}


def _extra(line: Wire) -> dict[str, Any]:
    return {"uuid": line["uuid"]} if "uuid" in line else {}


# ------------------------------------------------------------------------------------- objects


def _object(line: Wire, types: Any) -> Any:
    return types.ObjectAnnotation(
        **_named(line),
        value=_value(line, types),
        classifications=_below(line, types) or [],
        confidence=line.get("confidence"),
        extra=_extra(line),
    )


def _value(line: Wire, types: Any) -> Any:
    if "bbox" in line and "page" in line:
        unit = types.RectangleUnit(line["unit"])
        return types.DocumentRectangle(**_edges(line["bbox"], types), page=line["page"], unit=unit)
    if "mask" in line:
        picture = types.MaskData(im_bytes=base64.b64decode(line["mask"]["png"]))
        return types.Mask(mask=picture, color=(1, 1, 1))
    if "location" in line:
        place = line["location"]
        if "messageId" in line:
            return types.ConversationEntity(**place, message_id=line["messageId"])
        return types.TextEntity(**place)
    if "textSelections" in line:
        chosen = [
            types.DocumentTextSelection(
                group_id=each["groupId"], token_ids=each["tokenIds"], page=each["page"]
            )
            for each in line["textSelections"]
        ]
        return types.DocumentEntity(text_selections=chosen)
    return _shape(line, types)


def _shape(line: Wire, types: Any) -> Any:
    """Shapes of pictures and of keyframes."""
    if "bbox" in line:
        return types.Rectangle(**_edges(line["bbox"], types))
    if "point" in line:
        return types.Point(**line["point"])
    if "line" in line:
        return types.Line(points=[types.Point(**each) for each in line["line"]])
    return types.Polygon(points=[types.Point(**each) for each in line["polygon"]])


def _edges(box: Wire, types: Any) -> dict[str, Any]:
    left, top = box["left"], box["top"]
    end = types.Point(x=left + box["width"], y=top + box["height"])
    return {"start": types.Point(x=left, y=top), "end": end}


def _relation(line: Wire, objects: dict[str, Any], types: Any) -> Any:
    said = line["relationship"]
    value = types.Relationship(
        source=objects.get(said.get("source")),
        source_ontology_name=said.get("sourceOntologyName"),
        target=objects[said["target"]],
        type=types.Relationship.Type(said["type"]),
        readonly=said.get("readonly"),
    )
    return types.RelationshipAnnotation(**_named(line), value=value, extra=_extra(line))


# ------------------------------------------------------------------------------------- videos


def _track(line: Wire, types: Any) -> list[Any]:
    return [
        types.VideoObjectAnnotation(
            **_named(line),
            value=_shape(keyframe, types),
            classifications=_below(keyframe, types) or [],
            frame=keyframe["frame"],
            keyframe=True,
            segment_index=number,
            extra=_extra(line),
        )
        for number, segment in enumerate(line["segments"])
        for keyframe in segment["keyframes"]
    ]


def _masks(line: Wire, types: Any) -> Any:
    payload = line["masks"]
    frames = [
        types.MaskFrame(index=each["index"], im_bytes=base64.b64decode(each["imBytes"]))
        for each in payload["frames"]
    ]
    instances = [
        types.MaskInstance(color_rgb=tuple(each["colorRGB"]), **_named(each))
        for each in payload["instances"]
    ]
    return types.VideoMaskAnnotation(frames=frames, instances=instances)


def _frames(line: Wire, types: Any) -> list[Any]:
    """An answer that is the same in all its frames: one annotation for each frame."""
    value = _said(line, types)
    return [
        types.VideoClassificationAnnotation(
            **_named(line), value=value, frame=frame, segment_index=number, extra=_extra(line)
        )
        for number, each in enumerate(line["frames"])
        for frame in range(each["start"], each["end"] + 1)
    ]


# ------------------------------------------------------------------------------------- answers


def _apart(line: Wire) -> list[Wire]:
    """The line, or one for each of its texts that overlap in time and have answers below them.

    The SDK gives what is below one of them to all that overlap it, within a label.
    """
    return [line | {"answer": [item]} for item in line["answer"]] if _mixed(line) else [line]


def _mixed(line: Wire) -> bool:
    """Whether answers below texts would go to other texts, too."""
    answer = line["answer"]
    if not isinstance(answer, list) or len(answer) < 2 or "value" not in answer[0]:
        return False
    if not any("classifications" in item for item in answer):
        return False
    spans = sorted(
        (frame["start"], frame["end"], number)
        for number, item in enumerate(answer)
        for frame in item.get("frames", ())
    )
    return any(
        later[0] <= earlier[1] and later[2] != earlier[2]
        for position, earlier in enumerate(spans)
        for later in spans[position + 1 :]
    )


def _answer(line: Wire, row: Wire, types: Any, report: Report) -> Any:
    """An answer about a data row or a message, or one that changes over time."""
    answer = line["answer"]
    if not isinstance(answer, list) or not any("frames" in each for each in answer):
        return types.ClassificationAnnotation(
            **_named(line),
            value=_said(line, types),
            message_id=line.get("messageId"),
            extra=_extra(line),
        )
    key = row.get("globalKey")
    where = Where(sample=key or row.get("id"))
    if key is None or "name" not in line:
        # The SDK writes these with a global key and a name, or not at all.
        report.add(codes.CLASSIFICATION_DROPPED, where, name=line.get("name") or line["schemaId"])
        report.ledger.classifications.move("kept", "lost")
        return None

    return _timed(line, None, types, _Lost(report, where))


class _Lost:
    """Tells what answers over time cannot say."""

    def __init__(self, report: Report, where: Where) -> None:
        self._report = report
        self._where = where

    def look_at(self, question: Wire, *, top: bool) -> None:
        answer = question["answer"]
        for item in answer if isinstance(answer, list) else (answer,):
            if isinstance(item, dict) and item.get("confidence") is not None:
                self._report.add(codes.CONFIDENCE_DROPPED, self._where)
        if not top and _mixed(question):
            what = f"to which text the answers below {question['name']!r} belong"
            self._report.add(codes.DETAIL_DROPPED, self._where, what=what)


def _timed(line: Wire, above: list[Wire] | None, types: Any, lost: _Lost) -> Any:
    """A question whose answers have ranges of their own, those of `above` where they have none."""
    lost.look_at(line, top=above is None)
    answer = line["answer"]
    if isinstance(answer, str):
        answer = [{"value": answer} | {k: line[k] for k in ("classifications",) if k in line}]
    items = answer if isinstance(answer, list) else [answer]
    texts: list[tuple[int, int, str]] = []
    options: list[Any] = []
    nested: list[Any] = []
    for item in items:
        frames = item.get("frames", above)
        ranges = [(each["start"], each["end"]) for each in frames]
        below = [_timed(each, frames, types, lost) for each in item.get("classifications", ())]
        if "value" in item:
            texts += [(start, end, item["value"]) for start, end in ranges]
            nested += below
        else:
            options.append(
                types.TemporalClassificationAnswer(
                    name=item["name"], frames=ranges, classifications=below or None
                )
            )
    if texts:
        return types.TemporalClassificationText(
            name=line["name"], value=texts, classifications=nested or None
        )
    return types.TemporalClassificationQuestion(name=line["name"], value=options)


def _said(line: Wire, types: Any) -> Any:
    """The value of an answer."""
    answer = line["answer"]
    if isinstance(answer, str):
        return types.Text(
            answer=answer,
            classifications=_below(line, types),
            confidence=line.get("confidence"),
        )
    if isinstance(answer, list):
        return types.Checklist(answer=[_option(each, types) for each in answer])
    return types.Radio(answer=_option(answer, types))


def _option(option: Wire, types: Any) -> Any:
    return types.ClassificationAnswer(
        **_named(option),
        classifications=_below(option, types),
        confidence=option.get("confidence"),
    )


def _below(line: Wire, types: Any) -> list[Any] | None:
    found = [
        types.ClassificationAnnotation(**_named(each), value=_said(each, types))
        for each in line.get("classifications", ())
    ]
    return found or None
