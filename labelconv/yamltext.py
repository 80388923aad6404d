"""YAML in which every scalar is the text that stands there: `no`, `007` and `1.0` are names."""

from __future__ import annotations

from typing import Any

from labelconv.errors import SourceError


def load(data: bytes, name: str) -> Any:
    """The document as dicts, lists and texts; None for an empty one. `name` is for messages.

    Raises `SourceError` with line and column for what is not one YAML document in UTF-8, for keys
    that stand twice and for documents that refer to themselves.
    """
    import yaml

    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(f"{name}: UTF-8 expected; {error}") from error
    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
        return None if node is None else _plain(node, name, (), {})
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        found = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise SourceError(f"{place}: a YAML document expected; {found}") from error
    except RecursionError:
        raise SourceError(f"{name}: a YAML document expected; it is nested too deeply") from None


def _plain(node: Any, name: str, above: tuple[int, ...], done: dict[int, Any]) -> Any:
    """A node as dicts, lists and texts. `done` has those that were met: an alias is not another
    copy, or a few lines of aliases to aliases would fill any memory."""
    import yaml

    if isinstance(node, yaml.ScalarNode):
        return node.value
    if id(node) in done:
        return done[id(node)]
    place = f"{name}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"
    if id(node) in above:
        raise SourceError(f"{place}: a plain document expected, one that refers to itself found")
    above = (*above, id(node))
    if isinstance(node, yaml.SequenceNode):
        done[id(node)] = listed = [_plain(each, name, above, done) for each in node.value]
        return listed
    plain: dict[str, Any] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise SourceError(f"{place}: texts as keys expected, a list or mapping found")
        if key.value in plain:
            raise SourceError(f"{place}: one value for {key.value!r} expected, two found")
        plain[key.value] = _plain(value, name, above, done)
    done[id(node)] = plain
    return plain
