"""A number and a time in the top row of a picture, as black and white squares that survive JPEG."""

import numpy as np
from numpy.typing import NDArray

SIDE_PX = 16
NUMBER_BITS, TIME_BITS = 20, 28
DAY_MS = 86_400_000


def burn(image: NDArray[np.uint8], number: int, time_ms: int) -> None:
    """Write both into the picture, uint8 [H, W, 3] with W of at least 768. time_ms: of the day, UTC."""
    value = (number % 2**NUMBER_BITS) << TIME_BITS | time_ms % DAY_MS
    bits = value >> np.arange(NUMBER_BITS + TIME_BITS, dtype=np.uint64)[::-1] & 1
    row = np.repeat(bits.astype(np.uint8) * 255, SIDE_PX)
    image[:SIDE_PX, : len(row)] = row[None, :, None]


def read(image: NDArray[np.uint8]) -> tuple[int, int]:
    """Number and time_ms of a picture."""
    centres = np.arange(NUMBER_BITS + TIME_BITS) * SIDE_PX + SIDE_PX // 2
    value = int("".join("1" if level > 127 else "0" for level in image[SIDE_PX // 2, centres, 0]), 2)
    return value >> TIME_BITS, value & (2**TIME_BITS - 1)


# The same in the page: after each picture that is drawn, its number, and how long ago it was published.
PAGE_SCRIPT = f"""
window.drawn = [];
const draw = CanvasRenderingContext2D.prototype.drawImage;
CanvasRenderingContext2D.prototype.drawImage = function (...given) {{
  draw.apply(this, given);
  const now = Date.now() % {DAY_MS}, bits = {NUMBER_BITS + TIME_BITS}, side = {SIDE_PX};
  if (this.canvas.width < bits * side) return;
  const row = this.getImageData(0, side / 2, bits * side, 1).data;
  let number = 0, time = 0;
  for (let bit = 0; bit < bits; bit++) {{
    const level = row[4 * (bit * side + side / 2)] > 127 ? 1 : 0;
    if (bit < {NUMBER_BITS}) number = 2 * number + level; else time = 2 * time + level;
  }}
  window.drawn.push([number, now - time, now]);
}};
"""
