#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""compare.py EXPORTED READ - are these the same events, with the same fields?

EXPORTED is of `weir export --to jsonl`, READ of read_archive.py; events that
are in the archive for their state alone are in READ only.
"""
import json
import sys

LEFT_OUT = {"comm"}


def fields(e):
    return {k: v for k, v in e.items()
            if k not in LEFT_OUT and not k.endswith("_name")}


def same_args(shown, raw):
    """Numbers and addresses; what is shown by a name cannot be compared."""
    for a, b in zip(shown, raw):
        if isinstance(a, str) and a.startswith("0x") and "|" not in a:
            if int(a, 16) not in (b, b & 0xFFFFFFFF):
                return False
        elif isinstance(a, int) and (a ^ b) & 0xFFFFFFFF:
            return False
    return len(shown) <= len(raw)


exported, read = ([json.loads(line) for line in open(name)]
                  for name in sys.argv[1:])
read = [e for e in read if "context" not in e.get("marks", [])]
assert exported, "nothing was exported"
for at, (a, b) in enumerate(zip(exported, read)):
    a, b = fields(a), fields(b)
    if "args" in a:
        assert same_args(a.pop("args"), b.pop("args")), (at, a, b)
    assert a == b, "event %d:\n%s\n%s" % (at, a, b)
assert len(exported) == len(read), (len(exported), len(read))
