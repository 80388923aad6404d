"""Elements that VOC itself does not know, as plain values and back."""

from __future__ import annotations

import re
from typing import Any, TypeAlias
from xml.etree.ElementTree import Element
from xml.sax.saxutils import quoteattr

from labelconv.model import Extra
from labelconv.spelling import spelled

_NAME = re.compile(r"(?!(?i:xml))[A-Za-z_][A-Za-z0-9_.-]*")
_DEEPEST = 20


def is_name(text: str) -> bool:
    """Whether a text can be the name of an element."""
    return _NAME.fullmatch(text) is not None


def text_of(element: Element | None) -> str:
    """The text of an element without blanks at its ends; empty where there is none."""
    return "" if element is None or element.text is None else element.text.strip()


def as_value(element: Element, depth: int = 0) -> Any:
    """The text of a leaf; else a dict of children, with lists for those that are repeated.

    Elements nested deeper than any tool writes are left out.
    """
    if len(element) == 0 or depth > _DEEPEST:
        return text_of(element)
    values: dict[str, Any] = {}
    for child in element:
        value = as_value(child, depth + 1)
        if child.tag not in values:
            values[child.tag] = value
        elif isinstance(values[child.tag], list):
            values[child.tag].append(value)
        else:
            values[child.tag] = [values[child.tag], value]
    return values


def as_text(name: str, value: Any, indent: str) -> str:
    """What `as_value` gave as an element; nothing where it cannot be one."""
    if not is_name(name):
        return ""
    if isinstance(value, list):
        return "".join(as_text(name, each, indent) for each in value)
    if isinstance(value, dict):
        inner = "".join(as_text(str(key), each, indent + "\t") for key, each in value.items())
        return f"{indent}<{name}>\n{inner}{indent}</{name}>\n"
    text = "" if value is None else str(value)
    return f"{indent}<{name}>{escape(spelled(text, 'xml'))}</{name}>\n"


def opening(extra: Extra) -> str:
    """The start of the root element, with the attributes that it had."""
    if not extra:
        return "<annotation>\n"
    said = {name[5:]: str(value) for name, value in extra.items() if name.startswith("voc:@")}
    attributes = (f" {n}={quoteattr(spelled(v, 'xml'))}" for n, v in said.items() if is_name(n))
    return f"<annotation{''.join(attributes)}>\n"


def escape(text: str) -> str:
    """The text as XML text."""
    if "&" in text:
        text = text.replace("&", "&amp;")
    if "<" in text:
        text = text.replace("<", "&lt;")
    if ">" in text:
        text = text.replace(">", "&gt;")
    return text


#: A part of an object, its id, the id of what it is a part of, its pointer.
Part: TypeAlias = tuple[Element, str, str, str]


def parts_of(element: Element, owner: str, pointer: str) -> list[Part]:
    """The parts of an element, the last one first."""
    return [
        (part, f"{owner}.{number}", owner, f"{pointer}/part[{number}]")
        for number, part in enumerate(element.findall("part"), 1)
    ][::-1]
