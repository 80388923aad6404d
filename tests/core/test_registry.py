"""Formats by name: what is installed, what is not, what two claim, what fits a source."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from labelconv import registry
from labelconv.errors import UnknownFormatError
from labelconv.format import Evidence, Format
from labelconv.io import Source
from labelconv.registry import GROUP


def point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, GROUP)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[EntryPoint]]:
    """The entry points that are found; empty until the test fills it."""
    points: list[EntryPoint] = []
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    registry._found.cache_clear()
    registry.get.cache_clear()
    yield points
    registry._found.cache_clear()
    registry.get.cache_clear()


def made(name: str, certainty: int = 0, **rest: object) -> Format:
    return Format(
        name=name,
        about="",
        url="",
        holds=lambda options: (),
        read=lambda source, options, reading: None,  # type: ignore[arg-type, return-value]
        sniff=lambda peek: Evidence(certainty, f"{name} saw {certainty}"),
        **rest,  # type: ignore[arg-type]
    )


ONE = made("one", 2)
TWO = made("two", 2)
SURE = made("sure", 3)
NOT = made("not", 0)
NO_FORMAT = "no format"
LOG = made("log", write=lambda *given: None, extensions=(".log", ".one.log"))
ALSO_LOG = made("also-log", write=lambda *given: None, extensions=(".log",))


def test_ours_are_installed_and_sorted() -> None:
    assert {"coco", "labelbox", "native"} <= set(registry.names())
    assert registry.names() == sorted(registry.names())
    assert registry.get("native").name == "native"
    assert "native" in [each.name for each in registry.all_formats()]


def test_an_unknown_name_comes_with_the_nearest_and_with_all() -> None:
    with pytest.raises(UnknownFormatError, match=r"Did you mean 'coco'\?.*labelbox"):
        registry.get("cocoo")
    with pytest.raises(UnknownFormatError) as caught:
        registry.get("zzzz")
    assert "Did you mean" not in str(caught.value)
    assert isinstance(caught.value, LookupError)


def test_two_owners_of_one_name_are_refused(installed: list[EntryPoint]) -> None:
    installed += [point("x", f"{__name__}:ONE"), point("x", f"{__name__}:TWO")]
    with pytest.raises(UnknownFormatError, match="two found"):
        registry.names()


def test_one_owner_that_is_found_twice_is_one(installed: list[EntryPoint]) -> None:
    installed += [point("x", f"{__name__}:ONE"), point("x", f"{__name__}:ONE")]
    assert registry.names() == ["x"]


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("labelconv_no_such_module:FORMAT", UnknownFormatError),
        (f"{__name__}:NO_FORMAT", UnknownFormatError),
        (f"{__name__}:NOT_THERE", UnknownFormatError),
    ],
)
def test_an_entry_point_that_leads_nowhere_is_told_and_passed_over(
    value: str, error: type[Exception], installed: list[EntryPoint]
) -> None:
    installed += [point("bad", value), point("one", f"{__name__}:ONE")]
    with pytest.raises(error, match="labelconv_no_such_module|NO_FORMAT|NOT_THERE"):
        registry.get("bad")
    assert registry.all_formats() == [ONE]


def test_sniffing_takes_the_surest_and_says_what_each_saw(
    installed: list[EntryPoint], tmp_path: Path
) -> None:
    installed += [point(f.name, f"{__name__}:{v}") for f, v in ((ONE, "ONE"), (SURE, "SURE"))]
    installed.append(point("not", f"{__name__}:NOT"))
    (tmp_path / "f").write_bytes(b"x")
    chosen, said = registry.sniff(Source(tmp_path / "f"))
    assert chosen is SURE
    assert said == ["sure: sure saw 3", "one: one saw 2", "not: not saw 0"]


def test_sniffing_that_finds_nothing_or_two_is_refused(
    installed: list[EntryPoint], tmp_path: Path
) -> None:
    (tmp_path / "f").write_bytes(b"x")
    source = Source(tmp_path / "f")
    with pytest.raises(UnknownFormatError, match="no format recognises"):
        registry.sniff(source)
    registry._found.cache_clear()
    installed.append(point("not", f"{__name__}:NOT"))
    with pytest.raises(UnknownFormatError, match="not: not saw 0"):
        registry.sniff(source)
    registry._found.cache_clear()
    installed += [point("two", f"{__name__}:TWO"), point("one", f"{__name__}:ONE")]
    with pytest.raises(UnknownFormatError, match="one and two fit equally well"):
        registry.sniff(source)


def test_the_longest_ending_decides_the_target(installed: list[EntryPoint]) -> None:
    installed += [point("log", f"{__name__}:LOG"), point("also-log", f"{__name__}:ALSO_LOG")]
    assert registry.by_target("a.ONE.log") is LOG
    with pytest.raises(UnknownFormatError, match="belongs to also-log, log"):
        registry.by_target("a.log")
    with pytest.raises(UnknownFormatError, match="none of the installed"):
        registry.by_target("a.txt")
