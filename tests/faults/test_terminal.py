"""What a source says cannot steer the terminal that its problems are printed on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def test_control_characters_of_a_source_are_spelled_out(tmp_path: Path) -> None:
    clear = "\x1b[2J"
    mask = {"instanceURI": f"m{clear}\0.png", "colorRGB": [1, 1, 1]}
    uuid = "00000000-0000-0000-0000-000000000001"
    row = {"globalKey": f"key{clear}\r\n\u202e"}
    line = {"uuid": uuid, "dataRow": row, "name": "car", "mask": mask}
    (tmp_path / "mal.ndjson").write_text(json.dumps(line) + "\n")
    command = [sys.executable, "-m", "labelconv", "convert", "mal.ndjson", "out.ndjson"]
    command += ["--to", "native"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 1
    assert "[key\\x1b[2J\\r\\n\\u202e]: m\\x1b[2J\\x00.png" in done.stderr
    assert all(each.isprintable() for each in done.stderr.split("\n"))
