"""Every JSON dialect of spaCy and Prodigy as `records` has it: tuples, tags, span groups."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import msgspec

from labelconv.formats.spacy.records import COUNTED, Block, Broken, Record, Relation, Span
from labelconv.tags import Tags
from labelconv.texts import Chunk, Fault, as_list, plain, shown
from labelconv.tokens import align, tokens

_KNOWN = frozenset(
    (
        *("text", "spans", "ents", "entities", "cats", "answer", "meta", "label", "accept"),
        *("relations", "id", "key", "labelconv", "words", "labels"),
        *(name for _, name in COUNTED),
    )
)


class Loose(msgspec.Struct):
    """A record of any dialect: what it became, what of it is broken, names that have no place."""

    record: Record
    pointer: str = ""
    broken: list[Broken] = []
    left_out: list[str] = []


def loose(value: Any, tags: Tags) -> Iterator[Loose]:
    """The texts of one JSON value: several where it is a record of training data.

    Raises `Fault` when it is no text at all.
    """
    if isinstance(value, list):
        value = _of_tuple(value)
    if not isinstance(value, dict):
        raise Fault("an object or a list of a text and its annotations", _kind(value))
    if "paragraphs" in value:
        from labelconv.formats.spacy.training import paragraphs

        yield from paragraphs(value, tags)
        return
    if not isinstance(value.get("text"), str):
        if "image" in value:
            raise Fault("a text", "an image task; give pictures in a format of pictures")
        raise Fault("a text", _kind(value.get("text")), "/text")
    yield _of_object(value, tags)


def unwrapped(chunks: Iterable[Chunk[Record]]) -> Iterator[Chunk[Record]]:
    """The chunks, with one for each text in place of an object that has all texts.

    NER Annotator and tools like it write tuples so: `{"classes": […], "annotations": [[text, {…}],
    null]}`, with null for a text that nobody looked at.
    """
    for chunk in chunks:
        texts = None if chunk.values is not None else _wrapped(chunk.raw())
        if texts is None:
            yield chunk
            continue
        for number, value in enumerate(texts):
            if value is not None:
                raws: partial[list[bytes]] = partial(list, [msgspec.json.encode(value)])
                within = f"/annotations/{number}"
                yield Chunk(number + 1, None, raws, within=within, line=chunk.number)


def _wrapped(raw: bytes) -> list[Any] | None:
    if b'"classes"' not in raw or b'"annotations"' not in raw:
        return None
    try:
        value = plain(raw)
    except Fault:
        return None
    if not isinstance(value, dict) or "classes" not in value or "text" in value:
        return None
    texts = value.get("annotations")
    return texts if isinstance(texts, list) else None


def _of_tuple(value: list[Any]) -> Any:
    if len(value) != 2 or not isinstance(value[0], str) or not isinstance(value[1], dict):
        raise Fault("a list of a text and an object", f"a list of {len(value)}")
    return {**value[1], "text": value[0]}


def _of_object(value: dict[str, Any], tags: Tags) -> Loose:
    text = value["text"]
    record = Record(text)
    made = Loose(record, broken=[], left_out=[])
    record.spans = [
        *_spans(value.get("ents"), "/ents", None, made),
        *_entities(value, made, tags),
        *_grouped(value.get("spans"), made),
    ]
    record.cats = cats(value.get("cats"), made)
    answer = value.get("answer", "accept")
    record.answer = answer if isinstance(answer, str) else "accept"
    record.label = value["label"] if isinstance(value.get("label"), str) else None
    for name, kept in (("answer", record.answer), ("label", record.label)):
        if value.get(name) not in (None, kept):
            made.left_out.append(name)
    accepted = value.get("accept")
    if accepted is not None:
        record.accept = [*_accepted(accepted, made)]
    for name in ("id", "key"):
        if isinstance(value.get(name), (str, int)) and not isinstance(value[name], bool):
            setattr(record, name, str(value[name]))
        elif value.get(name) is not None:
            made.left_out.append(name)
    if value.get("labelconv") is not None:
        record.labelconv = _block(value["labelconv"])
        if record.labelconv is None:
            made.left_out.append("labelconv")
    record.relations = list(_relations(value.get("relations"), made))
    if "meta" in value:
        record.meta = msgspec.Raw(msgspec.json.encode(value["meta"]))
    for attribute, name in COUNTED:
        if name in value:
            setattr(record, attribute, msgspec.Raw(b"null"))
    made.left_out.extend(name for name in value if name not in _KNOWN)
    return made


def _accepted(value: Any, made: Loose) -> Iterator[str | int]:
    """The options that were chosen."""
    for number, each in enumerate(as_list(value)):
        if isinstance(each, (str, int)) and not isinstance(each, bool):
            yield each
        else:
            place = f"/accept/{number}"
            fault = Broken(place, each, "an option", _kind(each), "classifications")
            made.broken.append(fault)


def _block(value: Any) -> Block | None:
    try:
        return msgspec.convert(value, Block)
    except msgspec.ValidationError:
        return None


def _grouped(value: Any, made: Loose) -> Iterator[Span]:
    """`spans` is a list, as Prodigy has it, or groups of spans by name."""
    if isinstance(value, dict):
        for name, group in value.items():
            yield from _spans(group, f"/spans/{_escaped(name)}", name, made)
        return
    yield from _spans(value, "/spans", None, made)


def _entities(value: dict[str, Any], made: Loose, tags: Tags) -> Iterator[Span]:
    """`entities` is a list of spans, or of tags, one for each token."""
    found = value.get("entities")
    if not isinstance(found, list) or not found or not isinstance(found[0], (str, type(None))):
        yield from _spans(found, "/entities", None, made)
        return
    places = _places(value, made.record.text, len(found))
    if isinstance(places, Broken):
        made.broken.append(places)
        return
    named = [tag if isinstance(tag, str) else None for tag in found]
    made.left_out.extend("entities" for tag in found if not isinstance(tag, (str, type(None))))
    for first, beyond, label in tags.entities(named):
        yield Span(places[first][0], places[beyond - 1][1], label)


def _places(value: dict[str, Any], text: str, count: int) -> list[tuple[int, int]] | Broken:
    """Where the tokens of a text are that has `count` tags."""
    listed = value.get("words")
    if not isinstance(listed, list):
        listed = value.get("tokens")
    if isinstance(listed, list):
        said = [each.get("text") if isinstance(each, dict) else each for each in listed]
        words = [word for word in said if isinstance(word, str)]
        if len(words) == len(said) == count:
            places = align(words, text)
            if not isinstance(places, int):
                return places
    for cut in (text.split(), [text[a:b] for a, b in tokens(text, [])]):
        words = [word for word in cut if not word.isspace()]
        if len(words) == count:
            places = align(words, text)
            if not isinstance(places, int):
                return places
    expected = f"{count} tokens, as there are tags"
    found = "a text that is cut otherwise; give the tokens as `words`"
    return Broken("/entities", value["entities"], expected, found)


def _spans(value: Any, pointer: str, group: str | None, made: Loose) -> Iterator[Span]:
    if value is None:
        return
    if not isinstance(value, list):
        made.broken.append(Broken(pointer, value, "a list of spans", _kind(value)))
        return
    for number, each in enumerate(value):
        try:
            span = _span(each)
        except Fault as fault:
            place = f"{pointer}/{number}{fault.pointer}"
            made.broken.append(Broken(place, each, fault.expected, fault.found))
            continue
        span.place = f"{pointer}/{number}"
        if span.group is None:
            span.group = group
        if isinstance(each, dict):
            made.left_out.extend(
                f"spans.{name}"
                for name, value in each.items()
                if name not in _SPAN
                or (name in _OPTIONAL and value not in (None, "") and getattr(span, name) is None)
            )
        yield span


_OPTIONAL = frozenset(("text", "id", "kb_id", "group", "token_start", "token_end"))
_SPAN = frozenset((*Span.__struct_fields__, "start_char", "end_char", "label_", "entity", "tag"))


def _span(value: Any) -> Span:
    """A span as an object, or as a list of start, end, label and perhaps a knowledge-base id."""
    if isinstance(value, list):
        if len(value) not in (3, 4):
            raise Fault("start, end and label", f"a list of {len(value)}")
        listed = dict(zip(("start", "end", "label", "kb_id"), value, strict=False))
        return _span(listed)
    if not isinstance(value, dict):
        raise Fault("a span as an object or a list", _kind(value))
    if "points" in value or "x" in value:
        raise Fault("a span of a text", "a shape in a picture")
    start = _whole(value, "start", "start_char")
    end = _whole(value, "end", "end_char")
    label = value.get("label")
    if label is not None and not isinstance(label, str):
        if isinstance(label, bool) or not isinstance(label, (int, float)):
            raise Fault("a label", _kind(label), "/label")
        label = str(label)
    span = Span(start, end, label)
    if isinstance(value.get("text"), str):
        span.text = value["text"]
    for name in ("id", "kb_id", "group"):
        found = value.get(name)
        if isinstance(found, (str, int)) and not isinstance(found, bool) and found != "":
            setattr(span, name, str(found))
    for name in ("token_start", "token_end"):
        if isinstance(value.get(name), int):
            setattr(span, name, value[name])
    return span


def _whole(value: dict[str, Any], name: str, other: str) -> int:
    found = value.get(name, value.get(other))
    if isinstance(found, float) and found.is_integer():
        return int(found)
    if isinstance(found, bool) or not isinstance(found, int):
        raise Fault("a whole number", _kind(found), f"/{name}")
    return found


def cats(value: Any, made: Loose) -> dict[str, float] | None:
    """Scores by label; training data has them as a list of objects."""
    if value is None:
        return None
    if isinstance(value, list):
        listed = [each for each in value if isinstance(each, dict) and "label" in each]
        for number, each in enumerate(value):
            if not isinstance(each, dict) or "label" not in each:
                fault = Broken(
                    f"/cats/{number}", each, "a label and its value", _kind(each), "classifications"
                )
                made.broken.append(fault)
        value = {str(each["label"]): each.get("value", 1) for each in listed}
    if not isinstance(value, dict):
        fault = Broken("/cats", value, "scores by label", _kind(value), "classifications")
        made.broken.append(fault)
        return None
    scores = {}
    for label, score in value.items():
        if not isinstance(score, (int, float)) or abs(score) > sys.float_info.max:
            place = f"/cats/{_escaped(label)}"
            made.broken.append(Broken(place, score, "a score", _kind(score), "classifications"))
            continue
        scores[label] = float(score)
    return scores


def _relations(value: Any, made: Loose) -> Iterator[Relation]:
    for number, each in enumerate(as_list(value)):
        try:
            made.left_out.extend(
                f"relations.{name}" for name in each if name not in Relation.__struct_fields__
            )
            known = {k: v for k, v in each.items() if k in Relation.__struct_fields__}
            yield msgspec.convert(known, Relation, strict=False)
        except (msgspec.ValidationError, AttributeError, TypeError) as error:
            expected = "a relation with label, head and child"
            fault = Broken(f"/relations/{number}", each, expected, str(error), "relations")
            made.broken.append(fault)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, (bool, int, float, str)):
        return shown(value)
    return "a list" if isinstance(value, list) else "an object"
