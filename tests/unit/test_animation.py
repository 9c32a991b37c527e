"""Animated WebP files, joined from the frames that Chromium encodes."""

import struct

import pytest

from bench.animation import Frame, animated


def chunk(name, content):
    return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def still(*chunks):
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def chunks_of(webp):
    """Return the names and contents of a file's chunks."""
    assert struct.unpack_from("<I", webp, 4)[0] == len(webp) - 8
    found, at = [], 12
    while at < len(webp):
        name, size = struct.unpack_from("<4sI", webp, at)
        found.append((name, webp[at + 8 : at + 8 + size]))
        at += 8 + size + size % 2
    return found


def test_an_animation_has_the_size_of_its_first_frame_and_no_color_profiles():
    image = chunk(b"VP8 ", b"pixels!")
    profile = still(chunk(b"VP8X", bytes(10)), chunk(b"ICCP", b"profile"), image)

    file = animated([Frame(0, 0, 868, 391, profile, 120), Frame(4, 10, 20, 9, still(image), 4000)])

    (head, size), (control, _), *frames = chunks_of(file)
    assert (head, control) == (b"VP8X", b"ANIM")
    assert size == b"\x02\0\0\0" + struct.pack("<I", 867)[:3] + struct.pack("<I", 390)[:3]
    assert [name for name, _ in frames] == [b"ANMF", b"ANMF"]
    assert [content[16:] for _, content in frames] == [image, image]
    x, y = frames[1][1][0], frames[1][1][3]
    assert (2 * x, 2 * y) == (4, 10)
    assert int.from_bytes(frames[1][1][12:15], "little") == 4000


def test_a_frame_without_an_image_is_an_error():
    with pytest.raises(ValueError, match="no image"):
        animated([Frame(0, 0, 2, 2, still(chunk(b"ICCP", b"profile")), 120)])
