"""Entry points are those that the standard library finds, whatever lies on the path."""

from __future__ import annotations

import importlib
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from labelconv.entrypoints import Point, entry_points

GROUP = "labelconv.formats"


def standard(group: str) -> list[tuple[str, str]]:
    return sorted((each.name, each.value) for each in metadata.entry_points(group=group))


def ours(group: str) -> list[tuple[str, str]]:
    return sorted(map(tuple, entry_points(group)))


def installed(folder: Path, name: str, text: str) -> None:
    place = folder / name
    place.mkdir(parents=True)
    (place / "METADATA").write_text(f"Name: {name.partition('-')[0]}\nVersion: 1\n")
    (place / "entry_points.txt").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("group", [GROUP, "console_scripts", "pytest11", "no.such.group"])
def test_what_is_installed_here_is_found(group: str) -> None:
    assert ours(group) == standard(group)


def test_the_first_package_of_a_name_hides_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path / "a", "Some_Thing-2.0.dist-info", f"[{GROUP}]\nx = a:B\n")
    installed(tmp_path / "b", "some.thing-1.0.dist-info", f"[{GROUP}]\nx = old:B\n")
    installed(tmp_path / "b", "other-1.dist-info", f"# [{GROUP}]\n[z]\ny = c:D\n")
    installed(
        tmp_path / "b",
        "third-1.egg-info",
        f"[z]\ny=c:D\n\n[{GROUP}]\n# one\n q  =  m.n : O.p [extra]\n[zz]\nr=s:t\n",
    )
    (tmp_path / "b" / "file-1.egg-info").write_text("Name: file\n")
    (tmp_path / "b" / "broken-1.dist-info").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path / "b"))
    monkeypatch.syspath_prepend(str(tmp_path / "a"))
    monkeypatch.syspath_prepend(str(tmp_path / "nowhere"))
    importlib.invalidate_caches()
    found = ours(GROUP)
    assert ("x", "a:B") in found
    assert ("x", "old:B") not in found
    assert ("q", "m.n : O.p [extra]") in found
    assert found == standard(GROUP)
    assert ours("z") == standard("z") == [("y", "c:D"), ("y", "c:D")]


def test_a_package_in_an_archive_is_found_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as packed:
        packed.writestr("packed-1.dist-info/entry_points.txt", f"[{GROUP}]\nx = a:B\n")
        packed.writestr("packed-1.dist-info/METADATA", "Name: packed\nVersion: 1\n")
    monkeypatch.syspath_prepend(str(tmp_path / "all.zip"))
    importlib.invalidate_caches()
    assert ("x", "a:B") in ours(GROUP)
    assert ours(GROUP) == standard(GROUP)


def test_a_finder_of_somebody_else_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    class Made(metadata.Distribution):
        metadata = {"Name": "made", "Version": "1"}  # type: ignore[assignment] # noqa: RUF012

        def read_text(self, filename: str) -> str | None:
            return f"[{GROUP}]\nx = a:B\n" if filename == "entry_points.txt" else None

        def locate_file(self, path: object) -> Path:  # type: ignore[override]
            return Path(str(path))

    class Finder:
        @staticmethod
        def find_spec(*_: object) -> None:
            return None

        @staticmethod
        def find_distributions(*_: object) -> list[metadata.Distribution]:
            return [Made()]

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder])
    assert ("x", "a:B") in ours(GROUP)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("labelconv.entrypoints:Point", Point),
        ("labelconv.entrypoints : Point.load [extra, more]", Point.load),
        ("labelconv.entrypoints", sys.modules["labelconv.entrypoints"]),
    ],
)
def test_a_value_is_loaded_as_the_standard_library_does(value: str, found: object) -> None:
    assert Point("x", value).load() is found
    assert metadata.EntryPoint("x", value, GROUP).load() is found


@pytest.mark.parametrize(
    ("value", "error"),
    [("no_such_module:X", ImportError), ("json:nothing", AttributeError), ("?", AttributeError)],
)
def test_a_value_that_leads_nowhere_is_an_error(value: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        Point("x", value).load()
