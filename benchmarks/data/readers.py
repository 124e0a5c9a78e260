"""Published formats, one generator a format: a file on disk -> raw rows, in published order, one at a time."""

from __future__ import annotations

import csv
import io
import json
import tarfile
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from benchmarks.data.opened import DAMAGED, opened
from benchmarks.data.records import Row, RowError, TagRow, TextRow, fields_of, text_row
from benchmarks.errors import UserError, short
from benchmarks.schema import File, Format, Source

LONGEST = 16 * 1024 * 1024
"""Bytes of one line or one archive member: what is longer is no row, and would fill the memory, since a line of commas
takes fifty times its size once it is fields.
"""
MOST_WORDS = 1_000_000
"""Of one tagged item: a file without blank lines is one, which would fill the memory."""
LONGEST_HEADER = 1024 * 1024
"""Bytes between two members of an archive: names and the like."""
DOCUMENT = "-DOCSTART-"
"""In place of a word, as in CoNLL-2003: here a document begins."""
OTHER_SCHEMES = ("E-", "S-", "L-", "U-")
"""Of tags of BIOES and BILOU."""

T = TypeVar("T")
R = TypeVar("R")
Reader: TypeAlias = Callable[[Path, File, Source], Iterator[Row]]

_BOM = b"\xef\xbb\xbf"


# -- bytes and lines -------------------------------------------------------------------------------------------------


def _raw_lines(path: Path) -> Iterator[bytes]:
    """Lines with their line end. Only LF ends a line: 0x85, U+2028 and their like are text."""
    number = 0
    with opened(path) as found, io.BufferedReader(found, 64 * 1024) as stream:
        if path.suffix == ".gz" and not found.packed:
            raise UserError(f"{path}: is not gzipped, though its name ends in .gz.")
        try:
            while line := stream.readline(LONGEST + 1):
                number += 1
                if len(line) > LONGEST:
                    raise UserError(f"{path}:{number}: a line of more than {LONGEST:,} bytes.")
                yield line
        except DAMAGED as error:
            raise UserError(f"{path}:{number + 1}: can't be read on: {error}") from None


def _lines(path: Path, encoding: str) -> Iterator[str]:
    """Decoded lines with their line end, without a byte-order mark."""
    offset = number = 0
    try:
        for number, raw in enumerate(_raw_lines(path), 1):
            if number == 1 and raw.startswith(_BOM):
                offset, raw = len(_BOM), raw.removeprefix(_BOM)
            yield _decoded(raw, encoding, offset)
            offset += len(raw)
    except RowError as problem:
        raise UserError(f"{path}:{number}: {problem}") from None


def _decoded(raw: bytes, encoding: str, offset: int = 0) -> str:
    if b"\0" in raw:
        raise RowError(f"a NUL byte at offset {offset + raw.index(0):,}: not text in {encoding}.")
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        byte, at = raw[error.start], offset + error.start
        raise RowError(f"byte 0x{byte:02x} at offset {at:,} is not {encoding}: {error.reason}.") from None
    except UnicodeError as error:  # of codecs that don't say where, such as idna
        raise RowError(f"not {encoding}: {error}.") from None


def _numbered(path: Path, source: Source) -> Iterator[tuple[int, str]]:
    """(line number, line without its end), LF or CRLF."""
    for number, line in enumerate(_lines(path, source.encoding), 1):
        yield number, line.removesuffix("\n").removesuffix("\r")


# -- one token a line ------------------------------------------------------------------------------------------------


def read_conll(path: Path, file: File, source: Source) -> Iterator[TagRow]:
    """Items of one token a line, with a blank line or a document's first between them; the last needs none after it."""
    row, number = TagRow([], [], []), 0
    try:
        for number, line in _numbered(path, source):
            if source.comment and line.startswith(source.comment):
                continue
            if line.strip() and DOCUMENT not in line:
                if len(row.tokens) == MOST_WORDS:
                    raise RowError(
                        f"an item of more than {MOST_WORDS:,} words: are there no blank lines between items?"
                    )
                _add_token(row, number, line, source)
            elif row.tokens:
                yield row
                row = TagRow([], [], [])
    except RowError as problem:
        raise UserError(f"{path}:{number}: {problem}") from None
    if row.tokens:
        yield row


def _add_token(row: TagRow, number: int, line: str, source: Source) -> None:
    token, tag = _token_and_tag(line, source)
    if not token.startswith(source.token_prefix):
        raise RowError(f"token {token!r} does not begin with {source.token_prefix!r} (token_prefix).")
    if token == source.token_prefix:
        raise RowError(f"an empty token: {short(line)}")
    if tag != "O" and (tag[:2] not in ("B-", "I-") or len(tag) < 3):
        why = "; BIOES and BILOU are not read, convert them to IOB2" if tag[:2] in OTHER_SCHEMES else ""
        raise RowError(f"tag {tag!r}, expected O, B-TYPE or I-TYPE{why}: {short(line)}")
    row.lines.append(number)
    row.tokens.append(token.removeprefix(source.token_prefix))
    row.tags.append(tag)


def _token_and_tag(line: str, source: Source) -> tuple[str, str]:
    names = tuple(source.columns)
    found = line.split("\t") if source.separator == "tab" else line.split()
    while len(found) > len(names) and not found[-1]:
        found.pop()  # a trailing separator, as on one line of GermEval's published test file
    if len(found) != len(names):
        count = f"{len(found)} column{'s' if len(found) > 1 else ''}"
        raise RowError(f"{count}, expected {len(names)} ({', '.join(names)}): {short(line)}")
    return found[names.index("token")], found[names.index("tag")]


# -- one text a row --------------------------------------------------------------------------------------------------


def read_jsonl(path: Path, file: File, source: Source) -> Iterator[TextRow]:
    """One JSON object a line; blank lines hold no row."""
    lines = ((number, line) for number, line in _numbered(path, source) if line.strip())
    return _rows(path, lines, partial(_json_object, read=_read(source)), source)


def _read(source: Source) -> list[str]:
    """The columns or fields of the file that a source with named ones reads."""
    columns = source.columns.values() if isinstance(source.columns, Mapping) else source.columns
    return [name for joined in columns for name in fields_of(joined)]


class _Object(dict[str, Any]):
    """Of a JSON object; repeated: the names that stand there twice, of which the last one has won."""

    def __init__(self, fields: list[tuple[str, Any]]) -> None:
        super().__init__(fields)
        self.repeated = _repeated([name for name, _ in fields]) if len(self) < len(fields) else []


_JSON = json.JSONDecoder(object_pairs_hook=_Object)


def _json_object(line: str, read: Collection[str] | None = None) -> dict[str, Any]:
    """read: the fields that are, None: all."""
    try:
        found = _JSON.decode(line)
    except json.JSONDecodeError as error:
        raise RowError(f"not JSON: {error.msg} at column {error.colno}: {short(line)}") from None
    except (RecursionError, ValueError) as error:  # nested too deep; an integer of too many digits
        raise RowError(f"not JSON that can be read: {error}: {short(line)}") from None
    if not isinstance(found, _Object):
        raise RowError(f"{type(found).__name__}, expected an object with fields: {short(line)}")
    for name in found.repeated:
        if read is None or name in read:
            raise RowError(f"field {short(name)} stands there more than once.")
    return found


def _repeated(names: Sequence[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def read_csv(path: Path, file: File, source: Source) -> Iterator[TextRow]:
    """Comma-separated rows, whose quoted fields may hold line ends."""
    return _table(path, source, ",")


def read_tsv(path: Path, file: File, source: Source) -> Iterator[TextRow]:
    """Tab-separated rows; with `quoting: false` a quotation mark is a character like any other."""
    return _table(path, source, "\t")


def _table(path: Path, source: Source, delimiter: str) -> Iterator[TextRow]:
    """Rows under a header, or without one where the source lists its columns in order."""
    records = _records(path, source, delimiter)
    if not isinstance(source.columns, Mapping):
        return _rows(path, records, partial(_under, list(source.columns)), source)
    line, header = next(records, (1, []))
    _check_header(path, line, header, _read(source))
    return _rows(path, records, partial(_under, header), source)


def _check_header(path: Path, line: int, header: Sequence[str], read: Iterable[str]) -> None:
    """Raises UserError where a column that is read stands there more than once: the last one would silently win."""
    for name in read:
        columns = [str(number) for number, found in enumerate(header, 1) if found == name]
        if len(columns) > 1:
            where = ", ".join(columns)
            raise UserError(f"{path}:{line}: {short(name)} stands in the header more than once: columns {where}.")


def _under(header: list[str], fields: list[str]) -> dict[str, str]:
    if len(fields) != len(header):
        count = f"{len(fields)} field{'s' if len(fields) > 1 else ''}"
        raise RowError(f"{count}, expected {len(header)} ({', '.join(header)}): {short(fields)}")
    return dict(zip(header, fields, strict=True))


def _records(path: Path, source: Source, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(line on which the record begins, its fields); blank lines hold no record."""
    if not source.quoting:
        yield from ((number, line.split(delimiter)) for number, line in _numbered(path, source) if line)
        return
    reader = csv.reader(_lines(path, source.encoding), delimiter=delimiter, strict=True)
    begins = 1
    try:
        for fields in reader:
            if fields:
                yield begins, fields
            begins = reader.line_num + 1
    except csv.Error as error:
        raise UserError(f"{path}:{begins}: not well-formed: {error} (is a quotation mark left open?)") from None


def _rows(
    path: Path, found: Iterable[tuple[int, T]], as_record: Callable[[T], Mapping[str, Any]], source: Source
) -> Iterator[TextRow]:
    """Texts and labels out of records with named fields."""
    named = source.columns if isinstance(source.columns, Mapping) else {"text": "text", "label": "label"}
    return _placed(path, found, lambda number, raw: text_row(number, as_record(raw), named))


def _placed(path: Path, found: Iterable[tuple[int, T]], read: Callable[[int, T], R]) -> Iterator[R]:
    """What is read of each row; a row that can't be read is told with its line."""
    number = 0
    try:
        for number, raw in found:
            yield read(number, raw)
    except RowError as problem:
        raise UserError(f"{path}:{number}: {problem}") from None


# -- files that are labels -------------------------------------------------------------------------------------------


def read_lines(path: Path, file: File, source: Source) -> Iterator[TextRow]:
    """One text a line; the file is the label."""
    for number, line in _numbered(path, source):
        yield TextRow(number, line, str(file.label))


def read_tar(path: Path, file: File, source: Source) -> Iterator[TextRow]:
    """One text a member of an archive, in the archive's order; never unpacked onto the disk.

    Members whose path does not match `file.member` belong to other files of the source; no match at all is an error.
    """
    name = None
    try:
        with opened(path) as stream:
            stream.left = LONGEST_HEADER
            with tarfile.open(fileobj=stream, mode="r|") as archive:
                for member in archive:
                    archive.members.clear()  # type: ignore[attr-defined]  # the list of all would grow without end
                    stream.left = member.size + LONGEST_HEADER
                    if _matches(member, str(file.member)):
                        name = member.name.removeprefix("./")
                        text = _decoded(_member_bytes(archive, member), source.encoding)
                        yield TextRow(name, text, str(file.label))
    except RowError as problem:
        raise UserError(f"{path}:{name}: {problem}") from None
    except (tarfile.TarError, ValueError, RecursionError, *DAMAGED) as error:  # ValueError: a number in a header
        raise UserError(f"{path}: not a tar archive that can be read to its end: {error}") from None
    if name is None:
        raise UserError(f"{path}: no member matches {file.member!r}.")


def _matches(member: tarfile.TarInfo, pattern: str) -> bool:
    """As a shell would: '*' does not cross a '/'. A folder is no row."""
    name = member.name.removeprefix("./")
    return not member.isdir() and name.count("/") == pattern.count("/") and fnmatchcase(name, pattern)


def _member_bytes(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    if member.size > LONGEST:
        raise RowError(f"{member.size:,} bytes; a text has at most {LONGEST:,}.")
    stream = archive.extractfile(member) if member.isreg() else None
    if stream is None:
        raise RowError("a link or device, expected a regular file.")
    return stream.read()


# -- before anything is declared -------------------------------------------------------------------------------------

_ANY = Source(folder=".", format="csv", files={})
"""UTF-8, quoted, as most files are."""


def lines(path: Path) -> Iterator[str]:
    """Decoded lines without their end, of a file of which nothing is known. Raises UserError."""
    return (line for _, line in _numbered(path, _ANY))


def records(path: Path, form: Format, header: bool = True) -> Iterator[dict[str, Any]]:
    """The named fields of csv, tsv (under their header, or numbered from '1' on) and jsonl. Raises UserError."""
    if form == "jsonl":
        filled = ((number, line) for number, line in _numbered(path, _ANY) if line.strip())
        return _placed(path, filled, lambda number, line: _json_object(line))
    found = _records(path, _ANY, "\t" if form == "tsv" else ",")
    first = next(found, (1, []))
    names = first[1] if header else [str(at) for at in range(1, len(first[1]) + 1)]
    _check_header(path, first[0], names, _repeated([name for name in names if name]))
    rest = found if header else chain([first], found)
    return _placed(path, rest, lambda number, fields: _under(names, fields))


READERS: dict[Format, Reader] = {
    "conll": read_conll,
    "jsonl": read_jsonl,
    "csv": read_csv,
    "tsv": read_tsv,
    "lines": read_lines,
    "tar": read_tar,
}
