"""Bad input: how it is made, and how it is given to the code: a result or one clear message, soon, in little memory."""

from __future__ import annotations

import copy
import faulthandler
import os
import resource
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from benchmarks.errors import MOST_CHARACTERS, UserError

T = TypeVar("T")

SECONDS = 20
"""For one input: most take milliseconds, and a machine may be busy."""
SHORT = 1000
"""Inputs of a profile that is no longer one of every day."""
SPARE_BYTES = 4 << 30
"""Of addresses, beyond what the process has: Arrow's allocator asks for a gigabyte at once."""
INPUTS: Counter[str] = Counter()
"""How many each test has tried."""


class TooLong(BaseException):
    """As KeyboardInterrupt: TimeoutError would be one of the errors that a file may have, and be told."""


def inputs(share: float = 1.0) -> settings:
    """A share of the profile's number: in the short form a fifth of what other tests try, and less."""
    profile = settings().max_examples
    most = max(5, int(profile * share / (5 if profile > SHORT else 12)))
    return settings(max_examples=most, suppress_health_check=list(HealthCheck))


# -- giving it -------------------------------------------------------------------------------------------------------


def accepted_or_told(act: Callable[[], T], *names: object) -> T | None:
    """What it gives, or None where it raises UserError, whose message must be short, and name `names`.

    Any other exception, a hang, or too much memory fails the test.
    """
    INPUTS[os.environ.get("PYTEST_CURRENT_TEST", "").removesuffix(" (call)")] += 1
    try:
        with bounded(SECONDS):
            return act()
    except UserError as error:
        check_message(str(error), *names)
        return None


def check_message(message: str, *names: object) -> None:
    assert message.strip()
    assert "Traceback" not in message
    assert len(message) <= MOST_CHARACTERS + 100
    for name in names:
        assert str(name) in message, message


@contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """Raises TooLong or MemoryError in what takes too much; a loop that hears no signal ends with the process."""

    def too_long(*_: object) -> None:
        raise TooLong(f"an input took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, too_long)
    left, _ = signal.setitimer(signal.ITIMER_REAL, seconds)  # the one of pytest-timeout
    faulthandler.dump_traceback_later(4 * seconds, exit=True, file=sys.__stderr__)
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_addresses() + SPARE_BYTES, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_REAL, left)
        signal.signal(signal.SIGALRM, before)


def _addresses() -> int:
    if not sys.platform.startswith("linux"):
        return 1 << 40  # no limit
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


# -- damage to bytes -------------------------------------------------------------------------------------------------

ENCODINGS = ("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "latin-1", "cp1252", "utf-7", "cp037")
SIGNS = (
    "\0", "\ufeff", "\x85", "\u2028", "\r", "\t", "\x1f", "\x7f", "ä", "\U0001f600", '"', "'", "\\", "{", "[", "]", "}",
    ":", ": ", "- ", ",", "&a ", "*a", "<<: ", "!!", "%", "@", "`", "|\n", "#", "\n", "\n\n", "\n---\n",
    "\\ud800", "\\u0000",
    "NaN", "-Infinity", "1e999", "9" * 5000, "null", "true", "~", "-", ".nan", "1_0", "0x",
    f"0x{'f' * 9000}", "2001-99-99", "A" * 70_000,
)  # fmt: skip
BYTES = (b"\xff", b"\xfe\xff", b"\xc3", b"\xed\xa0\x80", b"\xf8", b"\x1f\x8b", b"\x80", b"PAR1", b"PK\x03\x04")


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """The content after one to three accidents."""
    for _ in range(draw(st.integers(1, 3))):
        content = draw(st.sampled_from(_ACCIDENTS))(draw, content)
    return content


def _place(draw: st.DrawFn, content: bytes) -> int:
    return draw(st.integers(0, len(content)))


def _cut(draw: st.DrawFn, content: bytes) -> bytes:
    return content[: _place(draw, content)]


def _flipped(draw: st.DrawFn, content: bytes) -> bytes:
    changed = bytearray(content)
    for place in draw(st.lists(st.integers(0, max(0, len(content) - 1)), max_size=8)) if content else ():
        changed[place] ^= 1 << draw(st.integers(0, 7))
    return bytes(changed)


def _with_more(draw: st.DrawFn, content: bytes) -> bytes:
    place = _place(draw, content)
    more = draw(st.one_of(st.sampled_from(SIGNS).map(str.encode), st.sampled_from(BYTES), st.binary(max_size=20)))
    return content[:place] + more * draw(st.sampled_from((1, 1, 1, 2, 40, 3000))) + content[place:]


def _without(draw: st.DrawFn, content: bytes) -> bytes:
    first, last = sorted((_place(draw, content), _place(draw, content)))
    return content[:first] + content[last:]


def _twice(draw: st.DrawFn, content: bytes) -> bytes:
    first, last = sorted((_place(draw, content), _place(draw, content)))
    return content[:last] + content[first:last] + content[last:]


def _lines_moved(draw: st.DrawFn, content: bytes) -> bytes:
    lines = content.splitlines(keepends=True)
    if len(lines) < 2:
        return content
    one, other = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
    lines.insert(other, lines[one])
    return b"".join(lines)


def _encoded(draw: st.DrawFn, content: bytes) -> bytes:
    return content.decode("utf-8", "replace").encode(draw(st.sampled_from(ENCODINGS)), "replace")


def _other_line_ends(draw: st.DrawFn, content: bytes) -> bytes:
    return content.replace(b"\n", draw(st.sampled_from((b"\r\n", b"\r", b"", b" ", b"\x00\n", b"\xc2\x85"))))


def _nothing_left(draw: st.DrawFn, content: bytes) -> bytes:
    return draw(st.sampled_from((b"", b"\n", b" ", b"\0", b"{}", b"[]", b"null", b"1", b'""', b"\xef\xbb\xbf")))


_ACCIDENTS = (
    _cut, _flipped, _flipped, _with_more, _with_more, _without, _twice, _lines_moved, _encoded, _other_line_ends,
    _nothing_left,
)  # fmt: skip


# -- damage to values ------------------------------------------------------------------------------------------------


def nested(depth: int) -> Any:
    found: Any = 1
    for _ in range(depth):
        found = [found]
    return found


ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**63, 10**30, -(10**400), 1.5, -0.5, 1e308, float("nan"), float("inf"), "", " ", "x",
    "\0", "a\nb", "../../x", "/", "/etc/passwd", "~nobody/x/y", "~", "./", "a/b", "a" * 300, "b/" * 3000,
    "C" * 100_000, "ä\u2028", "%s{}", "O", "B-", "train", "nan", "1e999", [], {}, [[]], [{}], [None], ["x", "x"],
    {"": ""}, {"x": None}, {"x": {"x": {"x": []}}}, {"é" * 90: 1}, nested(90), ["x"] * 3000,
    {str(n): n for n in range(3000)},
)  # fmt: skip


Place = tuple[str | int, ...]


def places(value: Any, above: Place = ()) -> list[Place]:
    """Of the value and of all that is in it."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [above, *(place for key, item in inside for place in places(item, (*above, key)))]


def replaced(value: Any, place: Place, change: Callable[[Any, Any], None]) -> Any:
    """A copy in which `change` was made to what holds the place."""
    copied = [copy.deepcopy(value)]
    holder: Any = copied
    for key in (0, *place)[:-1]:
        holder = holder[key]
    change(holder, (0, *place)[-1])
    return copied[0] if copied else None


@st.composite
def changed(draw: st.DrawFn, value: Any) -> Any:
    """The tree of mappings, lists and scalars with an odd value, or none, in one to three places."""
    for _ in range(draw(st.sampled_from((1, 1, 2, 3)))):
        odd = draw(st.sampled_from(ODD))

        def put(holder: Any, key: Any, odd: Any = odd) -> None:
            holder[key] = odd

        def take(holder: Any, key: Any) -> None:
            del holder[key]

        def add(holder: Any, key: Any, odd: Any = odd) -> None:
            if isinstance(holder, dict):
                holder[str(odd)[:6000]] = holder[key]
            else:
                holder.append(odd)

        value = replaced(value, draw(st.sampled_from(places(value))), draw(st.sampled_from((put, put, put, take, add))))
    return value
