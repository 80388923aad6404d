"""PDFs made byte by byte, so that no library stands between a test and what it says."""

from __future__ import annotations

from pathlib import Path

#: (x, y, text) in user space, the start of the base line, in Helvetica of 12 points.
Words = tuple[tuple[float, float, str], ...]


def page_object(
    media: str = "[0 0 612 792]", *, crop: str = "", rotate: str = "", unit: str = ""
) -> str:
    """The dictionary of a page without its content; empty texts leave the entry out."""
    entries = [f"/MediaBox {media}"] if media else []
    entries += [f"/CropBox {crop}"] if crop else []
    entries += [f"/Rotate {rotate}"] if rotate else []
    entries += [f"/UserUnit {unit}"] if unit else []
    return " ".join(entries)


def write_pdf(
    path: Path, pages: list[tuple[str, Words]], *, above: str = "", further: tuple[str, ...] = ()
) -> Path:
    """A PDF of pages: (entries of the page, words on it). `above` are entries of the page tree.

    `further` are objects that entries may refer to, the first as `100 0 R`.
    """
    kids = " ".join(f"{10 + 2 * n} 0 R" for n in range(len(pages)))
    objects = {
        1: "<< /Type /Catalog /Pages 2 0 R >>",
        2: f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} {above} >>",
        3: "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    }
    for n, (entries, words) in enumerate(pages):
        drawn = "\n".join(f"BT /F1 12 Tf 1 0 0 1 {x} {y} Tm ({t}) Tj ET" for x, y, t in words)
        objects[10 + 2 * n] = (
            f"<< /Type /Page /Parent 2 0 R {entries} /Contents {11 + 2 * n} 0 R "
            f"/Resources << /Font << /F1 3 0 R >> >> >>"
        )
        objects[11 + 2 * n] = f"<< /Length {len(drawn)} >>\nstream\n{drawn}\nendstream"
    for n, each in enumerate(further):
        objects[100 + n] = each
    data = b"%PDF-1.7\n"
    places = {}
    for number, content in objects.items():
        places[number] = len(data)
        data += f"{number} 0 obj\n{content}\nendobj\n".encode("latin-1")
    start = len(data)
    data += f"xref\n0 {max(objects) + 1}\n0000000000 65535 f \n".encode()
    for number in range(1, max(objects) + 1):
        place = places.get(number)
        data += b"0000000000 65535 f \n" if place is None else f"{place:010d} 00000 n \n".encode()
    data += f"trailer << /Size {max(objects) + 1} /Root 1 0 R >>\n".encode()
    data += f"startxref\n{start}\n%%EOF\n".encode()
    path.write_bytes(data)
    return path
