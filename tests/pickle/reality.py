"""The other end of python_test.cpp: a real Python that writes pickles and judges those of Weft.

    reality.py produce SEED COUNT    writes COUNT values, each by several picklers, in frames
    reality.py judge SEED COUNT      reads what Weft made of them, and compares with the values
    reality.py mirror                reads (pickle, repr) pairs of Weft, checks both, and pickles back

A frame is its length in four little-endian bytes, and the bytes. Ends with status 0 when all is right;
otherwise the last line on standard error says what is not.
"""

import array
import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import io
import itertools
import math
import pickle
import pickletools
import random
import struct
import sys
import uuid

sys.setrecursionlimit(20000)


class Colour(enum.Enum):
    RED = 1
    BLUE = "b"


class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y


class Slots:
    __slots__ = ("a", "b")

    def __init__(self, a, b):
        self.a, self.b = a, b


class Items(list):
    pass


Pair = collections.namedtuple("Pair", "first second")


@dataclasses.dataclass
class Record:
    name: str
    size: int = 0


class NoFunds(Exception):
    pass


def make_text(rng):
    ranges = [(0x20, 0x7f), (0, 0x100), (0x100, 0x800), (0x800, 0xd800), (0x1f300, 0x1f600), (0xdc80, 0xdd00)]
    low, high = rng.choice(ranges)
    return "".join(chr(rng.randrange(low, high)) for _ in range(rng.choice([0, 1, 3, 8, 20, 300])))


def make_scalar(rng):
    kind = rng.randrange(9)
    if kind == 0:
        return rng.choice([None, True, False])
    if kind in (1, 2):
        return rng.choice([1, -1]) * rng.getrandbits(rng.choice([1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 62, 63, 64, 65, 200, 2100]))
    if kind == 3:
        return rng.choice([0.0, -0.0, 1.5, math.inf, -math.inf, 5e-324, 1e308, rng.random(), rng.uniform(-1e20, 1e20)])
    if kind in (4, 5, 6):
        return make_text(rng)
    if kind == 7:
        return rng.randbytes(rng.choice([0, 1, 5, 255, 256, 1000]))
    return rng.choice([0, 1, 255, 256, 65535, 65536, -1, 2**31 - 1, 2**31, -2**31, -2**31 - 1, 2**63 - 1, 2**63, -2**63, -2**63 - 1])


def make_key(rng, depth=2):
    if depth and rng.random() < 0.2:
        return tuple(make_key(rng, depth - 1) for _ in range(rng.randrange(4)))
    if depth and rng.random() < 0.1:
        return frozenset(make_key(rng, 0) for _ in range(rng.randrange(4)))
    return make_scalar(rng)


def make_dict_key(rng):
    """Keys of dicts may be objects, by their identity or not; in sets same() could not pair them."""
    kind = rng.randrange(12)
    if kind == 0:
        return Point(rng.randrange(3), [])
    if kind == 1:
        return rng.choice([Colour.RED, Colour.BLUE])
    if kind == 2:
        return (datetime.date(2020, 1, rng.randrange(1, 29)), decimal.Decimal(rng.randrange(100)))
    return make_key(rng)


def make_object(rng, depth):
    part = lambda: make(rng, depth - 1)
    kind = rng.randrange(20)
    if kind == 0:
        return Point(part(), part())
    if kind == 1:
        return Slots(part(), part())
    if kind == 2:
        return rng.choice([Colour.RED, Colour.BLUE])
    if kind == 3:
        return Pair(part(), part())
    if kind == 4:
        return Record(make_text(rng), rng.randrange(1000))
    if kind == 5:
        return collections.OrderedDict((make_key(rng), part()) for _ in range(rng.randrange(4)))
    if kind == 6:
        return collections.deque([part() for _ in range(rng.randrange(4))])
    if kind == 7:
        return collections.Counter(make_text(rng) for _ in range(rng.randrange(4)))
    if kind == 8:
        return collections.defaultdict(list, {make_key(rng): part() for _ in range(rng.randrange(4))})
    if kind == 9:
        return decimal.Decimal(rng.randrange(10**6)) / 100
    if kind == 10:
        return fractions.Fraction(rng.randrange(1000), rng.randrange(1, 1000))
    if kind == 11:
        return datetime.datetime(2020, 1, rng.randrange(1, 29), 12, tzinfo=datetime.timezone.utc)
    if kind == 12:
        return datetime.timedelta(rng.randrange(-100, 100), rng.randrange(10**5), rng.randrange(10**6))
    if kind == 13:
        return uuid.UUID(int=rng.getrandbits(128))
    if kind == 14:
        return rng.choice([range(rng.randrange(10)), slice(1, None, rng.randrange(1, 5))])
    if kind == 15:
        return complex(rng.random(), rng.random())
    if kind == 16:
        return Items([part() for _ in range(rng.randrange(4))])
    if kind == 17:
        return rng.choice([len, collections.deque, Point, str])
    if kind == 18:
        return rng.choice([KeyError, ValueError, NoFunds])(part())
    return bytearray(rng.randbytes(rng.choice([0, 1, 300])))


def make_array(rng):
    code = rng.choice("bBhHiIlLqQfd")
    if code in "fd":
        return array.array(code, [float(rng.randrange(1000)) / 8 for _ in range(rng.randrange(20))])
    bits = 8 * array.array(code).itemsize
    low, high = (0, 2**bits) if code.isupper() else (-2**(bits - 1), 2**(bits - 1))
    return array.array(code, [rng.randrange(low, high) for _ in range(rng.randrange(20))])


def make(rng, depth):
    if depth == 0 or rng.random() < 0.3:
        return make_scalar(rng)
    size = rng.choice([0, 1, 2, 3, 4, 7])
    kind = rng.randrange(9)
    if kind == 0:
        return tuple(make(rng, depth - 1) for _ in range(size))
    if kind == 1:
        return [make(rng, depth - 1) for _ in range(size)]
    if kind == 2:
        return {make_dict_key(rng): make(rng, depth - 1) for _ in range(size)}
    if kind == 3:
        return {make_key(rng) for _ in range(size)}
    if kind == 4:
        return frozenset(make_key(rng) for _ in range(size))
    if kind == 5:
        return make_array(rng)
    if kind == 6:
        shared = make(rng, depth - 1)
        return rng.choice([[shared, shared], (shared, [shared]), {"a": shared, "b": [shared]}])
    if kind == 7 and rng.random() < 0.3:
        loop = [make_scalar(rng)]
        loop.append(rng.choice([loop, (loop, 1), {"self": loop}, Point(loop, 2)]))
        return loop
    return make_object(rng, depth)


def values(seed, count):
    rng = random.Random(seed)
    special = ([None] * 1500, list(range(2500)), {i: str(i) for i in range(1200)}, set(range(1100)), "x" * 70000,
               b"y" * 70000, [b"z" * 66000] * 2, tuple(range(300)), [str(i) for i in range(400)] * 2)
    yield from itertools.islice(itertools.chain(special, (make(rng, 4) for _ in itertools.count())), count)


def same(a, b, met=None):
    """Equal, of equal types, down to the last part; cyclic parts too."""
    met = {} if met is None else met
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return struct.pack("d", a) == struct.pack("d", b)
    if isinstance(a, (list, tuple, dict, collections.deque, Point, Slots, Record, BaseException)):
        if id(a) in met:
            return met[id(a)] == id(b)
        met[id(a)] = id(b)
    if isinstance(a, dict):
        # A NaN as a key is equal to nothing, and there are none.
        return len(a) == len(b) and all(same(k, l, met) and same(v, w, met)
                                        for (k, v), (l, w) in zip(a.items(), b.items()))
    if isinstance(a, (list, tuple, collections.deque)):
        return len(a) == len(b) and all(same(x, y, met) for x, y in zip(a, b))
    if isinstance(a, Slots):
        return same(a.a, b.a, met) and same(a.b, b.b, met)
    if isinstance(a, BaseException):
        return same(a.args, b.args, met)
    if isinstance(a, (Point, Record)):
        return same(a.__dict__, b.__dict__, met)
    return a == b


def dump_python(value, protocol):
    out = io.BytesIO()
    pickle._Pickler(out, protocol).dump(value)
    return out.getvalue()


def read_frames():
    while True:
        header = sys.stdin.buffer.read(4)
        if not header:
            return
        size, = struct.unpack("<I", header)
        yield sys.stdin.buffer.read(size)


def write_frame(data):
    sys.stdout.buffer.write(struct.pack("<I", len(data)) + data)


def check_form(data, saved):
    """The disassembler accepts it, and the optimizer finds little to save."""
    pickletools.dis(data, out=io.StringIO())
    best = pickletools.optimize(data)
    frames = best.count(b"\x95") and 9 or 0
    saved[0] += len(data)
    saved[1] += min(len(data), len(best) - (frames if data[1] >= 4 else 0))


def produce(seed, count):
    for number, value in enumerate(values(seed, count)):
        for protocol in range(6):
            dump = dump_python if (number + protocol) % 3 == 0 else pickle.dumps
            try:
                data = dump(value, protocol)
            except TypeError:  # __slots__ in protocols 0 and 1
                data = dump(value, 2)
            write_frame(data)


def judge(seed, count):
    frames = read_frames()
    sizes, saved = [0, 0], [0, 0]
    for number, value in enumerate(values(seed, count)):
        for protocol in (2, 3, 4, 5):
            data = next(frames)
            load = pickle._loads if (number + protocol) % 3 == 0 else pickle.loads
            try:
                got = load(data)
            except Exception as error:
                sys.exit(f"value {number}, protocol {protocol}: {error!r} on {data[:300]!r} for {value!r:.300}")
            if not same(value, got):
                sys.exit(f"value {number}, protocol {protocol}: {got!r:.300} is not {value!r:.300}: {data[:300]!r}")
            check_form(data, saved)
            if protocol >= 4:
                sizes[0] += len(data)
                sizes[1] += len(pickle.dumps(value, protocol))
    if sizes[0] > sizes[1]:
        sys.exit(f"Weft's pickles take {sizes[0]} bytes, Python's {sizes[1]}")
    if saved[1] < 0.99 * saved[0]:
        sys.exit(f"optimize() makes {saved[1]} bytes of {saved[0]}")
    if next(frames, None) is not None:
        sys.exit("more frames than values")


def mirror():
    frames = read_frames()
    saved, sizes = [0, 0], [0, 0]
    for number, data in enumerate(frames):
        text = next(frames).decode("utf-8", "surrogatepass")
        for load in (pickle.loads, pickle._loads):
            try:
                value = load(data)
            except Exception as error:
                sys.exit(f"pickle {number}: {error!r} on {data[:300]!r}, which is {text:.300}")
            if repr(value) != text:
                sys.exit(f"pickle {number}: {value!r:.500} is not {text:.500}")
        check_form(data, saved)
        sizes[0] += len(data)
        sizes[1] += len(pickle.dumps(value, data[1]))
        dump = dump_python if number % 2 else pickle.dumps
        write_frame(dump(value, number % 6))
    if sizes[0] > sizes[1]:
        sys.exit(f"Weft's pickles take {sizes[0]} bytes, Python's {sizes[1]}")
    if saved[1] < 0.97 * saved[0]:
        sys.exit(f"optimize() makes {saved[1]} bytes of {saved[0]}")


if __name__ == "__main__":
    if sys.argv[1] == "produce":
        produce(int(sys.argv[2]), int(sys.argv[3]))
    elif sys.argv[1] == "judge":
        judge(int(sys.argv[2]), int(sys.argv[3]))
    else:
        mirror()
