"""A format made elsewhere, installed beside labelconv, is there like our own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent / "plugin_package"
SOURCE = """{"images": [{"id": 1, "file_name": "a.jpg", "width": 100, "height": 80}],
"annotations": [
 {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 30, 40]},
 {"id": 2, "image_id": 1, "category_id": 1, "segmentation": [[0, 0, 10, 0, 0, 10]]}
], "categories": [{"id": 1, "name": "cat"}]}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package installed by its own build, without a network."""
    folder = tmp_path_factory.mktemp("site")
    program = (
        "import sys, zipfile\n"
        "from hatchling.build import build_wheel\n"
        "name = build_wheel(sys.argv[1])\n"
        "zipfile.ZipFile(f'{sys.argv[1]}/{name}').extractall(sys.argv[1])\n"
    )
    subprocess.run(
        [sys.executable, "-c", program, str(folder)], cwd=PACKAGE, check=True, timeout=120
    )
    return folder


def _labelconv(site: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(site)}
    return subprocess.run(
        [sys.executable, "-m", "labelconv", *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_it_is_listed_with_what_it_holds(site: Path, tmp_path: Path) -> None:
    listed = _labelconv(site, "formats", cwd=tmp_path)
    assert listed.returncode == 0
    assert "boxlines" in listed.stdout
    assert "boxes, one a line" in listed.stdout
    described = _labelconv(site, "formats", "boxlines", cwd=tmp_path).stdout
    assert "can be: read and write" in described
    assert "holds (image): box" in described


def test_what_it_cannot_hold_is_measured_and_refused_until_it_is_allowed(
    site: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.json").write_text(SOURCE)
    refused = _labelconv(site, "convert", "a.json", "out.boxlines", cwd=tmp_path)
    assert refused.returncode == 3
    assert "L402 shape-lowered: IoU 0.5000 in the mean" in refused.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json"]
    allowed = _labelconv(
        site, "convert", "a.json", "out.boxlines", "--allow", "shape-lowered", cwd=tmp_path
    )
    assert allowed.returncode == 0
    lines = (tmp_path / "out.boxlines").read_text().splitlines()
    assert lines == ["a.jpg\tcat\t1\t2\t31\t42", "a.jpg\tcat\t0\t0\t10\t10"]


def test_it_is_recognised_and_read_with_bad_lines_left_out(site: Path, tmp_path: Path) -> None:
    (tmp_path / "b.boxlines").write_text("a.jpg\tcat\t1\t2\t31\t42\na.jpg\tcat\t1\t2\tx\t42\n")
    done = _labelconv(site, "convert", "b.boxlines", "b.ndjson", "--to", "labelbox", cwd=tmp_path)
    assert done.returncode == 1
    assert "recognised as boxlines: five tabs in the first line" in done.stderr
    assert "b.boxlines:2" in done.stderr
    assert len((tmp_path / "b.ndjson").read_text().splitlines()) == 1


def test_sample_data_are_made_in_it_as_in_our_own(site: Path, tmp_path: Path) -> None:
    done = _labelconv(site, "sample", "boxlines", "s.boxlines", cwd=tmp_path)
    assert done.returncode == 0
    assert (tmp_path / "s.boxlines").read_text().count("\n") > 10


def test_a_format_whose_library_is_missing_says_what_to_install(site: Path, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(SOURCE)
    done = _labelconv(site, "convert", "a.json", "out", "--to", "boxlines-broken", cwd=tmp_path)
    assert done.returncode == 2
    assert "pip install a_library_that_is_not_installed" in done.stderr
    assert "Traceback" not in done.stderr
    listed = _labelconv(site, "formats", cwd=tmp_path)
    assert listed.returncode == 0
    assert "boxlines-broken cannot be used" in listed.stdout


def test_the_library_raises_an_import_error_that_names_what_to_install(
    site: Path, tmp_path: Path
) -> None:
    program = (
        "from labelconv import registry\n"
        "from labelconv.errors import MissingDependencyError\n"
        "try:\n    registry.get('boxlines-broken')\n"
        "except MissingDependencyError as error:\n"
        "    assert isinstance(error, ImportError)\n"
        "    assert 'a_library_that_is_not_installed' in str(error)\n"
        "else:\n    raise SystemExit('nothing was raised')\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(site)}
    subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=tmp_path, check=True, timeout=60
    )
