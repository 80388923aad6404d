"""Time one 640x480 mask from run lengths to a base64 PNG; prints milliseconds, best of all rounds.

The mask is an ellipse over a third of the picture, with about 420 runs.
"""

from __future__ import annotations

import math
import timeit

from labelconv.masks import png_base64
from labelconv.model import Mask

WIDTH, HEIGHT = 640, 480
ROUNDS, CALLS = 20, 50


def ellipse_mask() -> Mask:
    """An ellipse in the middle, as column-major run lengths that start with the background."""
    radius_x, radius_y = WIDTH / 3.05, HEIGHT / 3.05
    runs: list[int] = []
    background = 0
    for column in range(WIDTH):
        offset = (column + 0.5 - WIDTH / 2) / radius_x
        half = round(radius_y * math.sqrt(1 - offset * offset)) if abs(offset) < 1 else 0
        if half:
            runs += (background + HEIGHT // 2 - half, half * 2)
            background = HEIGHT // 2 - half
        else:
            background += HEIGHT
    return Mask(size=(HEIGHT, WIDTH), runs=(*runs, background))


def main() -> None:
    """Print the milliseconds one call takes."""
    mask = ellipse_mask()
    png_base64(mask)
    seconds = min(timeit.repeat(lambda: png_base64(mask), repeat=ROUNDS, number=CALLS)) / CALLS
    print(f"{seconds * 1000:.4f}")


if __name__ == "__main__":
    main()
