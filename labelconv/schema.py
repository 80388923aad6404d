"""Find the JSON Schemas that ship with labelconv, and say in words what breaks them.

The only importer of jsonschema, which is imported when first needed: records that are right never
get here. `errors` looks for the branch that a person meant, so that a box without a height is told
"'height' is required", not that nothing matches.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from labelconv.errors import MissingDependencyError, OptionError

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

_FOLDERS = (Path(__file__).parent / "schemas", Path(__file__).parent.parent / "schemas")
_TYPES = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
    "number": "a number",
    "object": "an object",
    "string": "a text",
}


#: Objects and lists inside each other; jsonschema runs out of stack at some 160.
DEEPEST = 100


class SchemaError(msgspec.Struct, frozen=True):
    """What is wrong at `pointer` (RFC 6901, "" is the whole instance), as a sentence."""

    pointer: str
    message: str

    def __str__(self) -> str:
        return f"{self.message} at {self.pointer}" if self.pointer else self.message


@cache
def load(name: str) -> dict[str, Any]:
    """The schema `name` (`labelbox-mal`): inside the wheel, or beside the package in a checkout."""
    for folder in _FOLDERS:
        file = folder / f"{name}.schema.json"
        if file.is_file():
            schema: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
            return schema
    known = sorted(p.name.removesuffix(".schema.json") for d in _FOLDERS for p in d.glob("*.json"))
    raise OptionError(f"a schema among {', '.join(known)} expected, {name!r} found")


def errors(name: str, instance: object) -> list[SchemaError]:
    """What in `instance` breaks the schema `name`, each thing once; empty if it is valid.

    `instance` is decoded JSON: dicts, lists, strings, numbers, booleans and None. One that is
    nested deeper than `DEEPEST` is not looked into.
    """
    if _deeper(instance, DEEPEST):
        return [SchemaError("", "the record is nested too deeply")]
    found = [fact for error in _validator(name).iter_errors(instance) for fact in _facts(error)]
    # A misspelt key explains the missing one; saying both would be noise.
    meant = {(fact.parent, fact.meant) for fact in found if fact.meant}
    kept = [f for f in found if not any((f.parent, key) in meant for key in f.missing)]
    return list(dict.fromkeys(SchemaError(f.pointer, f.message) for f in kept))


def _deeper(instance: object, limit: int) -> bool:
    level = [instance]
    for _ in range(limit + 1):
        inside: list[object] = []
        for value in level:
            if isinstance(value, dict):
                inside.extend(value.values())
            elif isinstance(value, list):
                inside.extend(value)
        if not inside:
            return False
        level = inside
    return True


class _Fact(msgspec.Struct):
    """An error on its way: `parent` is the object whose key `meant` was misspelt or is missing."""

    pointer: str
    message: str
    parent: str = ""
    missing: tuple[str, ...] = ()
    meant: str = ""


@cache
def _validator(name: str) -> Validator:
    try:
        from jsonschema import Draft202012Validator, validators
    except ImportError as error:
        raise MissingDependencyError(
            "jsonschema is needed to explain records; install it with `pip install jsonschema`"
        ) from error
    # 1.0 is an integer for JSON Schema, but not for typed decoding. The stricter reading holds.
    types = Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    )
    strict = validators.extend(Draft202012Validator, type_checker=types)
    validator: Validator = strict(load(name))
    return validator


def _pointer(path: Iterable[object]) -> str:
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)


def _facts(error: ValidationError) -> Iterator[_Fact]:
    at = _pointer(error.absolute_path)
    value, rule, instance = error.validator_value, error.validator, error.instance
    if rule == "required":
        missing = [key for key in value if key not in instance]
        rule_path = list(error.absolute_schema_path)
        beside = f" beside {rule_path[-2]!r}" if rule_path[-3:-2] == ["dependentSchemas"] else ""
        yield from (_Fact(at, f"{key!r} is required{beside}", at, (key,)) for key in missing)
    elif rule == "additionalProperties" and value is False:
        yield from _unknown(at, instance, error.schema.get("properties", {}))
    elif rule == "dependentRequired":
        for key, needed in value.items():
            for other in needed if key in instance else ():
                if other not in instance:
                    yield _Fact(at, f"{other!r} is required beside {key!r}", at, (other,))
    elif rule in ("anyOf", "oneOf"):
        yield from _choice(at, error)
    elif rule == "not" and not value:
        yield _Fact(at, _forbidden(list(error.absolute_schema_path), error.absolute_path))
    else:
        yield _Fact(at, _sentence(str(rule), value, instance, error))


def _unknown(at: str, instance: dict[str, Any], known: dict[str, Any]) -> Iterator[_Fact]:
    for key in instance:
        if key not in known:
            near = nearest(key, known)
            hint = f"; did you mean {near!r}?" if near else ""
            # A key that is there already cannot be the one that was meant.
            meant = near if near and near not in instance else ""
            yield _Fact(at + _pointer([key]), f"unknown key {key!r}{hint}", at, meant=meant)


def _choice(at: str, error: ValidationError) -> Iterator[_Fact]:
    """`anyOf` and `oneOf`: which keys are alternatives, or what the nearest branch says."""
    choices = error.validator_value
    if all(list(choice) == ["required"] for choice in choices):
        # Only an object can have keys; for anything else the type has been refused already.
        if isinstance(error.instance, dict):
            yield _keys(at, [choice["required"][0] for choice in choices], error)
        return
    branches: dict[object, list[ValidationError]] = {}
    for below in error.context or ():
        branches.setdefault(below.relative_schema_path[0], []).append(below)
    fitting = [b for b in branches.values() if not any(_of_other_type(below) for below in b)]
    if fitting:
        nearest_branch = min(fitting, key=lambda b: (len(b), -max(len(e.path) for e in b)))
        for below in nearest_branch:
            yield from _facts(below)
    elif branches:
        wanted = [e.validator_value for b in branches.values() for e in b if _of_other_type(e)]
        yield _Fact(at, f"{_types(wanted)} expected, {found_words(error.instance)} found")
    else:
        yield _Fact(at, f"exactly one form expected, {found_words(error.instance)} fits several")


def _keys(at: str, keys: list[str], error: ValidationError) -> _Fact:
    given = [key for key in keys if key in error.instance]
    number = "exactly one" if error.validator == "oneOf" else "at least one"
    found = " and ".join(map(repr, given)) or "none"
    message = f"{number} of {', '.join(keys)} expected, {found} found"
    return _Fact(at, message, at, () if given else tuple(keys))


def _of_other_type(error: ValidationError) -> bool:
    return error.validator == "type" and not error.relative_path


def _types(names: Iterable[Any]) -> str:
    flat = [one for name in names for one in ([name] if isinstance(name, str) else name)]
    words = list(dict.fromkeys(_TYPES[name] for name in flat))
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _forbidden(rule: list[Any], path: Iterable[object]) -> str:
    """A key that nothing fits: say beside what it may not stand, if the schema does."""
    key = [*path][-1:]
    name = repr(key[0]) if key else "anything"
    if "dependentSchemas" in rule:
        place = len(rule) - 1 - rule[::-1].index("dependentSchemas")
        return f"{name} is not allowed beside {rule[place + 1]!r}"
    return f"{name} is not allowed here"


def _sentence(rule: str, value: Any, instance: Any, error: ValidationError) -> str:
    found = found_words(instance)
    title = error.schema.get("title") if isinstance(error.schema, dict) else None
    if rule == "type":
        return f"{_types([value])} expected, {found} found"
    if rule == "enum":
        near = nearest(instance, value) if isinstance(instance, str) else None
        hint = f"; did you mean {near!r}?" if near else ""
        return f"one of {', '.join(map(str, value))} expected, {found} found{hint}"
    if rule == "const":
        return f"{value!r} expected, {found} found"
    if rule == "pattern":
        return f"{title or 'a text of the form ' + value} expected, {found} found"
    if rule in ("minItems", "maxItems"):
        return f"{_bound(rule, error, 'item')} expected, {len(instance)} found"
    if rule in ("minLength", "maxLength"):
        return f"a text of {_bound(rule, error, 'character')} expected, {len(instance)} found"
    if rule in ("minimum", "maximum"):
        side = "at least" if rule == "minimum" else "at most"
        return f"a number of {side} {value} expected, {found} found"
    return str(error.message)


def _bound(rule: str, error: ValidationError, noun: str) -> str:
    what = rule[3:]
    low, high = error.schema.get("min" + what), error.schema.get("max" + what)
    side = "exactly" if low == high else "at least" if rule.startswith("min") else "at most"
    limit = error.validator_value
    return f"{side} {limit} {noun}{'' if limit == 1 else 's'}"


def found_words(value: object) -> str:
    """A found value for a sentence, cut to a readable length."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    words = repr(value)
    return words if len(words) <= 60 else f"{words[:57]}…"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` is most like, regardless of case, or None if none is near."""
    folded = {other.casefold(): other for other in known}
    near = get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    return folded[near[0]] if near else None
