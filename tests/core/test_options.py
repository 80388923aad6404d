"""Options from text and from values, and what is wrong with them."""

from __future__ import annotations

from typing import Literal

import msgspec
import pytest

from labelconv.errors import OptionError
from labelconv.format import NoOptions
from labelconv.options import build, parse


class Some(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    shape: Literal["box", "mask"] = "box"
    lines: int | None = None
    score: float = 0.5
    uuid: bool = True
    name: str = ""


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, Some()),
        ({}, Some()),
        ({"shape": "mask"}, Some(shape="mask")),
        ({"lines": "100"}, Some(lines=100)),
        ({"lines": 100}, Some(lines=100)),
        ({"lines": None}, Some()),
        ({"score": "0.25"}, Some(score=0.25)),
        ({"uuid": "false"}, Some(uuid=False)),
        ({"name": "12"}, Some(name="12")),
    ],
)
def test_options_are_made_of_text_and_of_values(
    given: dict[str, object] | None, expected: Some
) -> None:
    assert build(Some, given, "here") == expected


def test_an_unknown_option_comes_with_the_nearest_and_with_all() -> None:
    with pytest.raises(OptionError, match=r"'shap'\. Did you mean 'shape'\?.*score, uuid"):
        build(Some, {"shap": "box"}, "here")
    with pytest.raises(OptionError, match=r"no option 'x'\. Its options here: none"):
        build(NoOptions, {"x": "1"}, "here")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"shape": "circle"}, "box|mask"),
        ({"lines": "many"}, "whole number"),
        ({"score": "high"}, "number"),
        ({"uuid": "perhaps"}, "true|false"),
        ({"name": 5}, "text"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(
    given: dict[str, object], expected: str
) -> None:
    with pytest.raises(OptionError) as caught:
        build(Some, given, "here")
    ((name, value),) = given.items()
    assert str(caught.value).startswith(f"{expected} expected")
    assert repr(name) in str(caught.value)
    assert repr(value) in str(caught.value)


def test_pairs_are_parsed_at_the_first_sign() -> None:
    assert parse(("a=1", "b=x=y", "c="), "-W") == {"a": "1", "b": "x=y", "c": ""}


@pytest.mark.parametrize("pairs", [("a",), ("=1",), ("",), ("a=1", "a=2")])
def test_pairs_that_are_none_are_refused(pairs: tuple[str, ...]) -> None:
    with pytest.raises(OptionError, match="-W"):
        parse(pairs, "-W")
