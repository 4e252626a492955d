#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
read_archive.py SEGMENT... - events of a weir archive as JSON lines.

A second reader that shares no code with weir and follows weir-archive(5): what
the page says and what weir writes are held together by it. Each line has ts (ns since the epoch),
source, kind, cpu, pid, tid, the fields of the event and marks, as
`weir export --to jsonl` has them, but for what the page does not tell: comm
(of the task table), names of errors and signals, and arguments as names.
Needs libzstd and liblz4.
"""
import ctypes
import json
import struct
import sys

ZSTD = ctypes.CDLL("libzstd.so.1")
ZSTD.ZSTD_decompress.restype = ctypes.c_size_t
LZ4 = ctypes.CDLL("liblz4.so.1")
U64 = (1 << 64) - 1


class Damaged(Exception):
    pass


def need(ok, what):
    if not ok:
        raise Damaged(what)


# ---- CRC32C, numbers, packed bytes ------------------------------------------

def crc_table():
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        yield byte


CRC = list(crc_table())


def crc32c(data, crc=0):
    crc ^= 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ CRC[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


def unzstd(data, size):
    out = ctypes.create_string_buffer(size or 1)
    got = ZSTD.ZSTD_decompress(out, ctypes.c_size_t(size), data,
                               ctypes.c_size_t(len(data)))
    need(got == size, "zstd")
    return out.raw[:size]


def unlz4(data, size):
    out = ctypes.create_string_buffer(size or 1)
    got = LZ4.LZ4_decompress_safe(data, out, len(data), size)
    need(got == size, "lz4")
    return out.raw[:size]


def code_lengths(bits, first, last):
    """Of each byte from first to last; how many bits that took."""
    at, before, lengths = 0, 5, {}
    for byte in range(first, last + 1):
        if bits[at] == "0":
            at += 1
        elif bits[at:at + 3] == "110":
            at += 3
            continue
        elif bits[at:at + 3] == "111":
            before = int(bits[at + 3:at + 7], 2)
            at += 7
        else:
            before += 1 if bits[at:at + 3] == "100" else -1
            at += 3
        lengths[byte] = before
    return lengths, at


def codes_of(lengths):
    codes, code, before = {}, 0, 0
    for length, byte in sorted((n, b) for b, n in lengths.items()):
        code <<= length - before
        codes[format(code, "0%db" % length)] = byte
        code, before = code + 1, length
    return codes


def uncode(data, size):
    quarter = (size + 3) // 4
    width = 1 if quarter * 11 < 8 * 256 else 2
    sizes = [int.from_bytes(data[i * width:(i + 1) * width], "little")
             for i in range(3)]
    data = data[3 * width:]
    bits = "".join(format(b, "08b") for b in data)
    lengths, used = code_lengths(bits[16:], data[0], data[1])
    codes = codes_of(lengths)
    at, out = 2 + (used + 7) // 8, bytearray()
    sizes.append(len(data) - at - sum(sizes))
    for lane, n in enumerate(sizes):
        code, left = "", min(quarter, size - lane * quarter)
        for bit in bits[8 * at:8 * (at + n)]:
            code += bit
            if left and code in codes:
                out.append(codes[code])
                code, left = "", left - 1
        need(not left and len(code) < 8, "code")
        at += n
    return bytes(out)


def signed(v, bits=64):
    return v - (1 << bits) if v >> bits - 1 & 1 else v


def unzigzag(v):
    return (v >> 1 ^ -(v & 1)) & U64


class Cursor:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        need(self.at + n <= len(self.data), "too short")
        self.at += n
        return self.data[self.at - n:self.at]

    def varint(self):
        v = shift = 0
        while True:
            byte = self.take(1)[0]
            v |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return v & U64
            need(shift < 64, "varint")

    def string(self):
        return self.take(self.varint()).decode()

    def chunk(self, size):
        head = self.varint()
        data, codec = self.take(head >> 3), head & 7
        if codec == 0:
            need(len(data) == 1, "chunk")
            return data * size
        if codec == 1:
            need(len(data) == size, "chunk")
            return data
        if codec == 4:
            return uncode(data, size)
        need(codec in (2, 3), "codec %d" % codec)
        return unzstd(data, size) if codec == 2 else unlz4(data, size)


# ---- the schema --------------------------------------------------------------

UINT, INT, CHARS, BYTES, STR = range(5)
(NONE, TIME, NS, PID, TID, UID, BYTE_COUNT, COUNT, ERRNO, RET, CPU, CGROUP, IP,
 PORT, DEV, SECTOR, SIGNAL, STATE, HEX, BOOL, ARGS, ARGV, VALUE) = range(23)


class Field:
    def __init__(self, c, enums):
        self.offset, self.size, self.count = (c.varint() for _ in range(3))
        self.type, self.meaning, names = (c.varint() for _ in range(3))
        self.names = enums[names - 1] if names else None
        self.name, self.help = c.string(), c.string()


class Kind:
    def __init__(self, c, sources, enums):
        self.number, self.size = c.varint(), c.varint()
        self.source = sources[c.varint()]
        self.name, self.help, self.text = (c.string() for _ in range(3))
        self.fields = [Field(c, enums) for _ in range(c.varint())]


def read_enum(c):
    c.string()
    names, value = {}, 0
    for i in range(c.varint()):
        step = c.varint()
        value = signed(unzigzag(step)) if not i else value + step
        names[signed(value & U64)] = c.string()
    return names


def read_schema(data):
    c = Cursor(data)
    need(c.take(1)[0] == 1, "schema version")
    sources = [(c.string(), c.string())[0] for _ in range(c.varint())]
    enums = [read_enum(c) for _ in range(c.varint())]
    kinds = [Kind(c, sources, enums) for _ in range(c.varint())]
    return {k.number: k for k in kinds}


# ---- plans: which columns a kind has ------------------------------------------

P_TIME, P_FLAGS, P_NUMBER, P_BYTES, P_STR, P_OFF, P_FULL, P_KIND, P_REST = \
    range(9)


class Plan:
    def __init__(self, kind):
        self.size = kind.size if kind else 24
        self.is_context = kind is not None and kind.source == "task"
        self.columns = [(P_TIME, 8, 8, 0), (P_FLAGS, 2, 2, 14)]
        if kind:
            at = 24
            for f in kind.fields:
                self.hole(at, f.offset)
                self.field(f)
                at = f.offset + f.size
            self.hole(at, kind.size)
        else:
            self.columns += [(P_KIND, 2, 2, 8), (P_REST, 8, 8, 24)]
        self.check = crc32c(b"".join(struct.pack("<4H", *c)
                                     for c in self.columns))

    def hole(self, at, to):
        if to > at:
            self.columns.append((P_BYTES, 8, to - at, at))

    def field(self, f):
        if f.type == STR:
            self.columns += [(P_STR, 8, 8, f.offset), (P_OFF, 2, 2, f.offset),
                             (P_FULL, 4, 4, f.offset + 4)]
        elif f.type in (UINT, INT) and f.count <= 8:
            each = f.size // f.count
            self.columns += [(P_NUMBER, each, each, f.offset + i * each)
                             for i in range(f.count)]
        else:
            self.columns.append((P_BYTES, 8, f.size, f.offset))


# ---- forms: columns of numbers ------------------------------------------------

def log_symbol(s):
    """What a symbol stands for, and how many bits it leaves open."""
    if s < 8:
        return s, 0
    if s < 176:
        e = (s >> 3) - 1
        return (8 | s & 7) << e, e
    if s < 192:
        e = s - 176 + 24
        return 1 << e, e
    if s < 194:
        return ~(s - 192) & U64, 0
    if s < 240:
        e = (s - 192) // 2 - 1
        return ~((2 | s & 1) << e) & U64, e
    if s < 255:
        e = s - 240 + 24
        return ~(1 << e) & U64, e
    return 0, 64


def get_log(c, n):
    symbols = [log_symbol(s) for s in c.chunk(n)]
    rest = int.from_bytes(c.take(c.varint()), "little")
    values = []
    for base, bits in symbols:
        values.append(base ^ rest & (1 << bits) - 1)
        rest >>= bits
    return values


def get_planes(c, width, base, n):
    values = [base] * n
    for k in range(8):
        if width >> k & 1:
            values = [v & ~(255 << 8 * k) | b << 8 * k
                      for v, b in zip(values, c.chunk(n))]
    return values


def get_within(c, n):
    form, width, base = c.varint(), c.varint(), c.varint()
    need(form < 3, "form within")
    return get_form(c, form, width, base, n)


def get_form(c, form, width, base, n):
    if form == 0:
        return [base] * n
    if form == 1:
        return get_planes(c, width, base, n)
    if form == 2:
        return get_log(c, n)
    if form == 3:
        values, last = [], 0
        for step in get_within(c, base):
            last = last + step & U64
            values.append(last)
        low = c.chunk(n)
        high = c.chunk(n) if width > 1 else bytes(n)
        return [values[lo | hi << 8] for lo, hi in zip(low, high)]
    need(form == 4, "form %d" % form)
    values, lengths = get_within(c, base), get_within(c, base)
    runs = [v for v, more in zip(values, lengths) for _ in range(more + 1)]
    need(len(runs) == n, "runs")
    return runs


# ---- a block of columns --------------------------------------------------------

class Part:
    pass


class Block:
    def __init__(self, data, plans):
        c = Cursor(data)
        need(c.take(1)[0] == 1, "columns version")
        head = Cursor(c.chunk(c.varint()))
        (self.rows, self.base_ns, self.run_count, self.task_count,
         self.turn_count, self.late, self.picks, self.strings,
         self.string_bytes, parts) = (head.varint() for _ in range(10))
        self.plans = plans
        self.read_parts(head, parts)
        self.read_streams(head, c)
        self.read_common()
        self.cache, self.since = {}, None
        self.read_times()
        self.check_context()

    def read_parts(self, head, count):
        self.groups = []  # (part, group): rows; over all parts
        self.parts = []
        stream = 13
        for _ in range(count):
            kind, check, groups = (head.varint() for _ in range(3))
            plan = self.plans[kind]
            need(plan.check == check, "plan of kind %d" % kind)
            for _ in range(groups):
                g = Part()
                g.part, g.kind, g.plan = len(self.parts), kind, plan
                g.key, g.count = head.varint(), head.varint()
                g.stream, g.rows = stream, []
                stream += len(plan.columns)
                self.groups.append(g)
            self.parts.append(kind)
        self.known = stream

    def read_streams(self, head, c):
        n = head.varint()
        lists = [[head.varint() for _ in range(n)] for _ in range(6)]
        self.streams = list(zip(*lists[:5]))
        self.bytes = [Cursor(c.take(size)) for size in lists[5]]

    def stored(self, stream, n):
        what, _, form, width, base = self.streams[stream]
        self.bytes[stream].at = 0
        values = get_form(self.bytes[stream], form, width, base, n)
        if what not in (0, 13) and form != 2:
            values = [unzigzag(v) for v in values]
        return values

    def read_common(self):
        cpus = self.stored(0, self.run_count)
        lengths = self.stored(1, self.run_count)
        self.run = [i for i, n in enumerate(lengths) for _ in range(n)]
        self.cpu = [cpus[i] for i in self.run]
        need(len(self.run) == self.rows, "rows of CPUs")
        self.group_of = self.stored(2, self.rows)
        for row, g in enumerate(self.group_of):
            self.groups[g].rows.append(row)
        need(all(len(g.rows) == g.count for g in self.groups), "groups")
        self.pid = self.stored(3, self.task_count)
        self.tid = self.stored(4, self.task_count)
        turns = zip(self.stored(5, self.turn_count),
                    self.stored(6, self.turn_count))
        self.task = [t for t, n in turns for _ in range(n)]
        need(len(self.task) == self.rows, "rows of turns")
        lengths = self.stored(11, self.strings)
        text = self.bytes[12].chunk(self.string_bytes)
        self.string, at = [], 0
        for n in lengths:
            self.string.append(text[at:at + n])
            at += n

    def read_times(self):
        steps = [0] * self.rows
        for g in self.groups:
            for row, v in zip(g.rows, self.column(g, 0)):
                steps[row] = v
        self.ts, last = [], 0
        for row, step in enumerate(steps):
            if not row or self.run[row] != self.run[row - 1]:
                last = self.base_ns
            last = last + step & U64
            self.ts.append(last)

    def read_since(self):
        last, self.since = {}, []
        for row, ts in enumerate(self.ts):
            if row and self.run[row] != self.run[row - 1]:
                last = {}
            part = self.groups[self.group_of[row]].part
            before = last.get(part, 0)
            self.since.append(ts - before & U64 if before else 0)
            last[part] = ts

    def next_task(self, ids, row):
        if row + 1 >= self.rows or self.run[row + 1] != self.run[row]:
            return 0
        return ids[self.task[row + 1]]

    def guesses(self, g, what, param):
        """What each value is compared with, by enum predictor."""
        if what == 1:
            return [0] * len(g.rows)
        if what == 4:
            return self.column(g, param)
        if what == 5:
            return [a + b for a, b in zip(self.column(g, param % 2048),
                                          self.column(g, param // 2048))]
        if what == 6:
            return [self.ts[row] for row in g.rows]
        if what in (7, 8):
            ids = self.pid if what == 7 else self.tid
            return [ids[self.task[row]] for row in g.rows]
        if what == 9:
            return [self.cpu[row] for row in g.rows]
        if what in (10, 11):
            ids = self.pid if what == 10 else self.tid
            return [self.next_task(ids, row) for row in g.rows]
        need(what == 12, "predictor %d" % what)
        if self.since is None:
            self.read_since()
        return [self.since[row] for row in g.rows]

    def undo(self, g, what, param, values, mask):
        if what == 0:
            return [v & mask for v in values]
        if what in (2, 3):
            last, out = {}, []
            for row, v in zip(g.rows, values):
                of = self.task[row] if what == 3 else None
                last[of] = last.get(of, 0) + v & mask
                out.append(last[of])
            return out
        if what == 13:
            out = []
            for v in values:
                out.append(param - v & mask)
                param += not v
            return out
        guess = self.guesses(g, what, param)
        if what == 6:
            return [t - v & mask for t, v in zip(guess, values)]
        return [t + v & mask for t, v in zip(guess, values)]

    def column(self, g, k):
        stream = g.stream + k
        if stream in self.cache:
            return self.cache[stream]
        what, param = self.streams[stream][:2]
        kind, size = g.plan.columns[k][:2]
        bits = 32 if kind in (P_BYTES, P_STR, P_REST) else 8 * size
        values = self.stored(stream, len(g.rows))
        values = self.undo(g, what, param, values, (1 << bits) - 1)
        self.cache[stream] = values
        return values

    def order(self):
        """Rows in the one order."""
        key = list(self.ts)
        for row, by in zip(self.stored(7, self.late),
                           self.stored(8, self.late)):
            key[row] = key[row] + by & U64
        picks, at = {}, 0
        for step, run in zip(self.stored(9, self.picks),
                             self.stored(10, self.picks)):
            at += step
            picks[at] = run
        waiting = {}
        for row, run in enumerate(self.run):
            waiting.setdefault(run, []).append(row)
        for rows in waiting.values():
            rows.reverse()
        for place in range(self.rows):
            run = picks.get(place)
            if run is None:
                run = min(waiting, key=lambda r: (key[waiting[r][-1]], r))
            yield waiting[run].pop()
            if not waiting[run]:
                del waiting[run]

    def check_context(self):
        rows = sorted(row for g in self.groups if g.plan.is_context
                      for row in g.rows)
        if not rows or len(self.streams) < self.known + 4:
            return
        step, time, group, place = (self.stored(self.known + i, len(rows))
                                    for i in range(4))
        order = {row: at for at, row in enumerate(self.order())}
        row, ts, at = 0, self.base_ns, 0
        for i in range(len(rows)):
            row, ts = row + step[i], signed(ts + time[i] & U64)
            at = signed(at + place[i] & U64)
            need(row == rows[i] and ts == self.ts[row] and
                 group[i] == self.group_of[row] and at == order[row],
                 "context row %d" % i)

    def records(self):
        made = [None] * self.rows
        for g in self.groups:
            columns = [self.column(g, k) for k in range(len(g.plan.columns))]
            for i, row in enumerate(g.rows):
                made[row] = self.record(g, row, [c[i] for c in columns])
        for row in self.order():
            yield made[row]

    def record(self, g, row, values):
        r, kind, tail = bytearray(g.plan.size), g.kind, b""
        for i, (what, size, width, at) in enumerate(g.plan.columns):
            v = values[i]
            if what == P_FLAGS:
                flags = v
            elif what == P_NUMBER:
                r[at:at + size] = v.to_bytes(size, "little")
            elif what == P_BYTES:
                need(len(self.string[v]) == width, "bytes")
                r[at:at + width] = self.string[v]
            elif what == P_STR:
                s = self.string[v]
                off, full = values[i + 1], values[i + 2] + len(s)
                if s:
                    off += g.plan.size + len(tail)
                r[at:at + 8] = struct.pack("<HHI", off & 0xFFFF, len(s),
                                           full & 0xFFFFFFFF)
                tail += s
            elif what == P_KIND:
                kind = v
            elif what == P_REST:
                tail += self.string[v]
        task = self.task[row]
        r[:24] = struct.pack("<QHHHHII", self.ts[row], kind, self.cpu[row],
                             len(r) + len(tail), flags, self.pid[task],
                             self.tid[task])
        return bytes(r) + tail


# ---- frames ---------------------------------------------------------------------

SEGMENT, SCHEMA, CLOCK, STATE, BLOCK, LOSS, META, INDEX, TRAILER = range(1, 10)
HEADER = struct.Struct("<IBBHIIQQQIIIIII")


def frames(data):
    at, segment = 0, None
    while at + 64 <= len(data):
        (magic, version, kind, flags, of, seq, first, last, kinds, events,
         raw, size, crc, encoding, head_crc) = HEADER.unpack_from(data, at)
        sound = (magic == 0x52494557 and
                 crc32c(data[at:at + 60]) == head_crc and
                 segment in (None, of))
        if not sound:  # damage: go on at the next header
            at = data.find(b"WEIR", at + 1)
            if at < 0:
                return
            continue
        need(version == 1, "frame version")
        need(kind <= TRAILER or not flags & 1, "a frame of a newer weir")
        end = at + 64 + (size + 7) // 8 * 8
        if end > len(data):
            return  # cut off
        segment = of
        if crc32c(data[at + 64:end]) == crc:
            yield kind, encoding, raw, events, data[at + 64:at + 64 + size]
        at = end


def unpack(encoding, raw, payload):
    if encoding == 0:
        need(len(payload) == raw, "length")
        return payload
    need(encoding == 1, "encoding %d" % encoding)
    return unzstd(payload, raw)


def rows(data):
    at = 0
    while at < len(data):
        size = struct.unpack_from("<H", data, at + 12)[0]
        need(size >= 24 and at + size <= len(data), "record")
        yield data[at:at + size]
        at += (size + 7) // 8 * 8


def records(data):
    """(record, kinds, wall offset) of the blocks of a segment."""
    kinds, plans, offset = None, None, 0
    for kind, encoding, raw, events, payload in frames(data):
        if kind == SEGMENT:
            need(struct.unpack_from("<II", payload)[1] <= 1, "newer weir")
        elif kind == SCHEMA and kinds is None:
            kinds = read_schema(unpack(encoding, raw, payload))
            plans = {number: Plan(k) for number, k in kinds.items()}
            plans[0] = Plan(None)
        elif kind == CLOCK:
            mono, real = struct.unpack_from("<QQ", payload)
            offset = real - mono
        elif kind == BLOCK:
            found = 0
            source = (Block(payload, plans).records() if encoding == 2
                      else rows(unpack(encoding, raw, payload)))
            for record in source:
                found += 1
                yield record, kinds, offset
            need(found == events, "events of a block")


# ---- JSON --------------------------------------------------------------------------

def text(data):
    return data.decode("utf-8", "surrogateescape")


def address(b):
    import ipaddress
    if b[:12] == bytes(10) + b"\xff\xff":
        return str(ipaddress.IPv4Address(b[12:]))
    return str(ipaddress.IPv6Address(b))


def number(f, v, offset):
    if f.names:
        return f.names.get(v, str(v))
    if f.meaning == HEX:
        return "0x%x" % (v & U64)
    if f.meaning == DEV:
        return "%d:%d" % (v >> 20, v & 0xFFFFF)
    if f.meaning == TIME:
        return v + offset if v else None
    if f.meaning == BOOL:
        return bool(v)
    return v


def value(record, f, offset, out):
    raw = record[f.offset:f.offset + f.size]
    if f.type in (UINT, INT):
        each = f.size // f.count
        v = [int.from_bytes(raw[i:i + each], "little",
                            signed=f.type == INT)
             for i in range(0, f.size, each)]
        v = v if f.meaning == ARGS else [number(f, x, offset) for x in v]
        out[f.name] = v if f.count > 1 else v[0]
    elif f.type == CHARS:
        out[f.name] = text(raw.split(b"\0")[0])
    elif f.type == BYTES:
        out[f.name] = address(raw) if f.meaning == IP else raw.hex()
    else:
        off, size, full = struct.unpack("<HHI", raw)
        s = record[off:off + size]
        if full == 0xFFFFFFFF:
            out[f.name] = None
            return
        if f.meaning == ARGV:
            words = s.split(b"\0")
            out[f.name] = [text(w) for w in words[:-1] or words if s]
            if s and words[-1] and len(words) > 1:
                out[f.name].append(text(words[-1]))
        else:
            out[f.name] = text(s)
        if full > size:
            out[f.name + "_full"] = full


MARKS = ["late", "context", "partial", "io_uring", "stalled"]


def event(record, kinds, offset):
    ts, kind, cpu, _, flags, pid, tid = struct.unpack_from("<QHHHHII", record)
    k = kinds[kind]
    out = {"ts": ts + offset, "source": k.source, "kind": k.name, "cpu": cpu,
           "pid": pid, "tid": tid}
    for f in k.fields:
        value(record, f, offset, out)
    if flags:
        out["marks"] = [m for i, m in enumerate(MARKS) if flags >> i & 1]
    return out


def main():
    for path in sys.argv[1:]:
        with open(path, "rb") as file:
            data = file.read()
        for record in records(data):
            print(json.dumps(event(*record)))


if __name__ == "__main__":
    main()
