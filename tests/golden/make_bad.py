#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""make_bad.py SEGMENT DIR - what must not be read, made of a good segment."""
import os
import struct
import sys

from read_archive import BLOCK, HEADER, SCHEMA, SEGMENT, crc32c


def split(data):
    """Headers as lists, and payloads with their padding."""
    at = 0
    while at < len(data):
        head = list(HEADER.unpack_from(data, at))
        end = at + 64 + (head[11] + 7) // 8 * 8
        yield head, bytearray(data[at + 64:end])
        at = end


def join(frames):
    out = b""
    for head, payload in frames:
        head = list(head)
        head[14] = crc32c(HEADER.pack(*head)[:60])
        out += HEADER.pack(*head) + bytes(payload)
    return out


def newer_format(head, payload):
    if head[2] == SEGMENT:
        payload[4:8] = struct.pack("<I", 2)
        head[12] = crc32c(payload)


def newer_frame(head, payload):
    if head[2] == BLOCK:
        head[2], head[3] = 200, 1


def newer_encoding(head, payload):
    if head[2] == BLOCK:
        head[13] = 77


def damaged_schema(head, payload):
    if head[2] == SCHEMA:
        payload[100] ^= 1


def damaged_block(head, payload):
    if head[2] == BLOCK:
        payload[100] ^= 1


def main():
    with open(sys.argv[1], "rb") as file:
        data = file.read()
    made = {"empty": b"", "text": b"This is no archive.\n" * 100}
    for change in (newer_format, newer_frame, newer_encoding, damaged_schema,
                   damaged_block):
        frames = list(split(data))
        blocks = [i for i, f in enumerate(frames) if f[0][2] == BLOCK]
        for frame in frames:
            change(*frame)
        # no list at its end, which would bear witness against the change;
        # something behind the last block, which else would count as cut off
        made[change.__name__] = join(frames[:blocks[1] + 1] + frames[2:3])
    for name, content in made.items():
        with open(os.path.join(sys.argv[2], name + ".weir"), "wb") as file:
            file.write(content)


main()
