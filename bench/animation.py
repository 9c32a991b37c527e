"""Animated WebP files from screenshots: Chromium encodes the frames, and this module joins them.

A frame has only the rectangle that differs from the frame before.
https://developers.google.com/speed/webp/docs/riff_container
"""

import base64
import struct
from collections.abc import Sequence
from typing import NamedTuple

from playwright.sync_api import Page

# Return the part of a screenshot that differs from the one before, as WebP; null if none does.
_ENCODE = """
async ([png, quality]) => {
  const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
  const [width, height] = [image.width, image.height];
  const context = new OffscreenCanvas(width, height).getContext("2d", { alpha: false });
  context.drawImage(image, 0, 0);
  const pixels = new Uint32Array(context.getImageData(0, 0, width, height).data.buffer);
  const before = window.before;
  window.before = pixels;
  let [left, top, right, bottom] = before ? [width, height, -1, -1] : [0, 0, width - 1, height - 1];
  if (before) pixels.forEach((pixel, at) => {
    if (pixel === before[at]) return;
    const [x, y] = [at % width, Math.floor(at / width)];
    [left, top] = [Math.min(left, x), Math.min(top, y)];
    [right, bottom] = [Math.max(right, x), Math.max(bottom, y)];
  });
  if (right < 0) return null;
  [left, top] = [left - left % 2, top - top % 2];  // positions are even
  const [wide, high] = [right - left + 1, bottom - top + 1];
  const cut = new OffscreenCanvas(wide, high);
  cut.getContext("2d", { alpha: false }).drawImage(image, -left, -top);
  const blob = await cut.convertToBlob({ type: "image/webp", quality });
  const bytes = new Uint8Array(await blob.arrayBuffer());
  return { left, top, width: wide, height: high, webp: btoa(String.fromCharCode(...bytes)) };
}
"""


class Frame(NamedTuple):
    """A rectangle of an animation.

    Attributes:
        webp: the rectangle as a WebP file.
        milliseconds: how long it is shown.
    """

    left: int
    top: int
    width: int
    height: int
    webp: bytes
    milliseconds: int


class Encoder:
    """Encodes screenshots as the frames of an animation, in a page of Chromium."""

    def __init__(self, page: Page, quality: float = 0.85) -> None:
        self._page = page
        self._quality = quality
        self.frames: list[Frame] = []

    def add(self, png: bytes, milliseconds: int) -> None:
        """Append a screenshot; one that is equal to the last extends it."""
        found = self._page.evaluate(_ENCODE, [base64.b64encode(png).decode(), self._quality])
        if found is None:
            last = self.frames[-1]
            self.frames[-1] = last._replace(milliseconds=last.milliseconds + milliseconds)
            return
        webp = base64.b64decode(found.pop("webp"))
        self.frames.append(Frame(**found, webp=webp, milliseconds=milliseconds))


def animated(frames: Sequence[Frame]) -> bytes:
    """Return a WebP file that repeats these frames without end.

    Args:
        frames: the first has the size of the animation.
    """
    first = frames[0]
    is_animation = 0x02
    chunks = [
        _chunk(b"VP8X", struct.pack("<I", is_animation) + _sizes(first.width, first.height)),
        _chunk(b"ANIM", struct.pack("<IH", 0xFFFFFFFF, 0)),
        *(_chunk(b"ANMF", _frame(one)) for one in frames),
    ]
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _frame(one: Frame) -> bytes:
    without_blending = 0x02
    return (
        _int24(one.left // 2)
        + _int24(one.top // 2)
        + _sizes(one.width, one.height)
        + _int24(one.milliseconds)
        + bytes([without_blending])
        + _image(one.webp)
    )


def _image(webp: bytes) -> bytes:
    """Return the chunk of the image, without the header and the color profile of its file."""
    at = len(b"RIFF....WEBP")
    while at < len(webp):
        name, size = struct.unpack_from("<4sI", webp, at)
        end = at + 8 + size + size % 2
        if name in (b"VP8 ", b"VP8L"):
            return webp[at:end]
        at = end
    raise ValueError("the WebP file has no image")


def _sizes(width: int, height: int) -> bytes:
    return _int24(width - 1) + _int24(height - 1)


def _int24(value: int) -> bytes:
    return struct.pack("<I", value)[:3]


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)
