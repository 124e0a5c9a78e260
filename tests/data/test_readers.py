"""Published formats, read from small real files; every bad row is told with its place."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path

import pytest

from benchmarks.data import readers
from benchmarks.data.readers import READERS
from benchmarks.data.records import TagRow, TextRow
from benchmarks.errors import UserError
from benchmarks.schema import File, Source

NAMED = {"text": "text", "label": "label"}


def rows(path: Path, content: bytes | str, fmt: str, label: str | None = None, member: str | None = None, **source):
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return reread(path, fmt, label, member, **source)


def reread(path: Path, fmt: str, label: str | None = None, member: str | None = None, **source):
    declared = Source(folder="f", format=fmt, files={}, **source)
    return list(READERS[fmt](path, File(path=path.name, label=label, member=member), declared))


def message(path: Path, *args, **kwargs) -> str:
    """The error's text, with the path (as the caller gave it) cut off."""
    with pytest.raises(UserError) as caught:
        rows(path, *args, **kwargs)
    assert str(caught.value).startswith(str(path))
    return str(caught.value).removeprefix(str(path))


def texts(found: list[TextRow]) -> list[tuple[str, str]]:
    return [(row.text, row.label) for row in found]


# -- one token a line ------------------------------------------------------------------------------------------------

TAG_FIRST = {"fmt": "conll", "columns": ("tag", "token")}
TOKEN_FIRST = {"fmt": "conll", "columns": ("token", "tag")}


def test_an_item_of_tokens_ends_at_a_blank_line_and_the_last_one_needs_none(tmp_path):
    found = rows(tmp_path / "a", "O\twho\nB-X\tis\n\n\n\nI-X\tit", **TAG_FIRST)
    assert found == [TagRow([1, 2], ["who", "is"], ["O", "B-X"]), TagRow([6], ["it"], ["I-X"])]


def test_windows_line_ends_and_a_byte_order_mark_are_no_part_of_a_token(tmp_path):
    found = rows(tmp_path / "a", b"\xef\xbb\xbfa\tO\r\n\r\nb\tB-X\r\n", **TOKEN_FIRST)
    assert [(row.tokens, row.tags) for row in found] == [(["a"], ["O"]), (["b"], ["B-X"])]


def test_comment_lines_are_left_out_where_a_comment_sign_is_declared_and_lines_still_count(tmp_path):
    content = "#\tsource\n1\t#\tO\tO\n\n"
    found = rows(tmp_path / "a", content, "conll", columns=("index", "token", "tag", "inner"), comment="#")
    assert found == [TagRow([2], ["#"], ["O"])]


def test_a_token_prefix_is_taken_off_and_must_be_there(tmp_path):
    prefixed = {**TOKEN_FIRST, "token_prefix": "de:"}
    assert rows(tmp_path / "a", "de:de:x\tO\n", **prefixed)[0].tokens == ["de:x"]
    found = message(tmp_path / "a", "de:x\tO\nx\tO\n", **prefixed)
    assert found == ":2: token 'x' does not begin with 'de:' (token_prefix)."


def test_other_columns_than_token_and_tag_are_left_out(tmp_path):
    columns = ("token", "lemma", "pos", "chunk", "tag")
    assert rows(tmp_path / "a", "Das\tder\tART\tNC\tI-PER\n", "conll", columns=columns) == [
        TagRow([1], ["Das"], ["I-PER"])
    ]


def test_columns_may_be_separated_by_spaces(tmp_path):
    assert rows(tmp_path / "a", "a  O\n", **TOKEN_FIRST, separator="space") == [TagRow([1], ["a"], ["O"])]


def test_a_trailing_separator_is_no_column(tmp_path):
    assert rows(tmp_path / "a", "a\tO\t\n", **TOKEN_FIRST)[0].tags == ["O"]


@pytest.mark.parametrize(
    "content, expected",
    [
        ("O\tx\nbruce willis\n", ":2: 1 column, expected 2 (tag, token): 'bruce willis'"),
        ("O\tx\tO\n", ":1: 3 columns, expected 2 (tag, token): 'O\\tx\\tO'"),
        ("O\tx\n\nX-A\ty\n", ":3: tag 'X-A', expected O, B-TYPE or I-TYPE: 'X-A\\ty'"),
        ("B-\tx\n", ":1: tag 'B-', expected O, B-TYPE or I-TYPE: 'B-\\tx'"),
        ("o\tx\n", ":1: tag 'o', expected O, B-TYPE or I-TYPE: 'o\\tx'"),
        ("O\t\n", ":1: an empty token: 'O\\t'"),
    ],
)
def test_a_bad_token_line_is_told_with_its_place_and_what_is_allowed(tmp_path, content, expected):
    assert message(tmp_path / "a", content, **TAG_FIRST) == expected


def test_the_first_line_of_a_document_is_no_word_and_ends_an_item(tmp_path):
    content = "-DOCSTART- -X- O\n\na NN B-X\n-DOCSTART-\nb NN O\n"
    found = rows(tmp_path / "a", content, "conll", columns=("token", "pos", "tag"), separator="space")
    assert found == [TagRow([3], ["a"], ["B-X"]), TagRow([5], ["b"], ["O"])]


@pytest.mark.parametrize("tag", ["S-X", "E-X", "L-X", "U-X"])
def test_of_a_scheme_that_is_not_read_it_is_told_so(tmp_path, tag):
    expected = f":2: tag '{tag}', expected O, B-TYPE or I-TYPE; BIOES and BILOU are not read, convert them to IOB2: "
    assert message(tmp_path / "a", f"O\tx\n{tag}\ty\n", **TAG_FIRST).startswith(expected)


def test_an_inside_tag_without_a_beginning_is_no_error(tmp_path):
    assert rows(tmp_path / "a", "I-X\ta\nI-Y\tb\n", **TAG_FIRST)[0].tags == ["I-X", "I-Y"]


# -- bytes -----------------------------------------------------------------------------------------------------------


def test_a_gzipped_file_is_read_by_its_content_whatever_its_name(tmp_path):
    content = gzip.compress(b"O\tx\n")
    assert rows(tmp_path / "a.gz", content, **TAG_FIRST) == rows(tmp_path / "a.bio", content, **TAG_FIRST)
    assert message(tmp_path / "b.gz", "O\tx\n", **TAG_FIRST) == ": is not gzipped, though its name ends in .gz."


def test_a_cut_or_damaged_gzip_is_told_with_the_line_where_it_ends(tmp_path):
    content = gzip.compress(b"".join(b"O\t%d\n" % i for i in range(20_000)))
    assert "can't be read on: Compressed file ended" in message(tmp_path / "a.gz", content[:-4000], **TAG_FIRST)
    damaged = content[:2000] + bytes(500) + content[2500:]
    assert "can't be read on" in message(tmp_path / "b.gz", damaged, **TAG_FIRST)


def test_a_wrong_encoding_is_told_with_line_byte_and_offset(tmp_path):
    found = message(tmp_path / "a", b"O\tcaf\xc3\xa9\nO\tcaf\xe9\n", **TAG_FIRST)
    assert found == ":2: byte 0xe9 at offset 13 is not utf-8: invalid continuation byte."
    after_mark = message(tmp_path / "a", b"\xef\xbb\xbfO\tcaf\xe9\n", **TAG_FIRST)
    assert after_mark == ":1: byte 0xe9 at offset 8 is not utf-8: invalid continuation byte."


def test_a_nul_byte_is_no_text(tmp_path):
    assert message(tmp_path / "a", b"a\tO\n\0", **TOKEN_FIRST) == ":2: a NUL byte at offset 4: not text in utf-8."


def test_an_over_long_line_is_refused_before_it_fills_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(readers, "LONGEST", 1000)
    bomb = gzip.compress(b"O\tx\n" + b"x" * 10_000_000)
    assert message(tmp_path / "a.gz", bomb, **TAG_FIRST) == ":2: a line of more than 1,000 bytes."


def test_an_empty_file_holds_no_rows(tmp_path):
    assert rows(tmp_path / "a", "", **TAG_FIRST) == []
    assert rows(tmp_path / "a", "", "jsonl", columns=NAMED) == []
    assert rows(tmp_path / "a", "", "csv", columns=NAMED) == []
    assert rows(tmp_path / "a", "", "lines", label="x") == []


def test_a_file_that_is_not_there_is_the_users_to_mend(tmp_path):
    with pytest.raises(UserError, match=r"nowhere: can't be read: No such file"):
        reread(tmp_path / "nowhere", **TAG_FIRST)


# -- JSON lines ------------------------------------------------------------------------------------------------------


def test_json_fields_are_named_and_a_number_is_a_label(tmp_path):
    content = '{"raw": "a", "label": 20}\n\n{"label": "x", "raw": "b\\u2028c"}'
    found = rows(tmp_path / "a", content, "jsonl", columns={"text": "raw", "label": "label"})
    assert found == [TextRow(1, "a", "20"), TextRow(3, "b\u2028c", "x")]


def test_several_fields_are_joined_by_one_space(tmp_path):
    content = json.dumps({"headline": "A", "short_description": "b", "category": "X"})
    columns = {"text": "headline + short_description", "label": "category"}
    assert texts(rows(tmp_path / "a", content, "jsonl", columns=columns)) == [("A b", "X")]


@pytest.mark.parametrize(
    "line, expected",
    [
        ('{"text": "a"', ":2: not JSON: Expecting ',' delimiter at column 13: '{\"text\": \"a\"'"),
        ("[1]", ":2: list, expected an object with fields: '[1]'"),
        ('{"txt": "a", "label": "x"}', ":2: no field 'text'. Did you mean 'txt'? One of: txt, label."),
        ('{"text": "a", "lable": "x"}', ":2: no field 'label'. Did you mean 'lable'? One of: text, lable."),
        ('{"text": "a", "label": 0, "label": 1}', ":2: field 'label' stands there more than once."),
        ('{"text": null, "label": "x"}', ":2: text: None is NoneType, expected a text."),
        ('{"text": 12, "label": "x"}', ":2: text: 12 is int, expected a text."),
        ('{"text": "a", "label": true}', ":2: label: True is bool, expected a label's name or number."),
        ('{"text": "a", "label": 1.0}', ":2: label: 1.0 is float, expected a label's name or number."),
    ],
)
def test_a_bad_json_line_is_told_with_its_place_and_what_is_allowed(tmp_path, line, expected):
    content = '{"text": "a", "label": "x"}\n' + line + "\n"
    assert message(tmp_path / "a", content, "jsonl", columns=NAMED) == expected


def test_half_a_surrogate_pair_and_endless_nesting_are_the_users_to_mend(tmp_path):
    half = message(tmp_path / "a", '{"text": "\\ud83d", "label": "x"}', "jsonl", columns=NAMED)
    assert half.startswith(":1: text: holds half a surrogate pair")
    assert ":1: not JSON that can be read" in message(tmp_path / "a", "[" * 100_000, "jsonl", columns=NAMED)


# -- tables ----------------------------------------------------------------------------------------------------------


def test_a_quoted_csv_field_may_hold_commas_quotation_marks_and_line_ends(tmp_path):
    content = 'text,label\n"a, ""b""\nc",x\nd,y\n'
    assert rows(tmp_path / "a", content, "csv", columns=NAMED) == [TextRow(2, 'a, "b"\nc', "x"), TextRow(4, "d", "y")]


def test_csv_with_windows_line_ends_a_mark_and_no_final_line_end_is_read_alike(tmp_path):
    content = b"\xef\xbb\xbflabel,text\r\nx,a\r\n\r\ny,b"
    assert texts(rows(tmp_path / "a", content, "csv", columns=NAMED)) == [("a", "x"), ("b", "y")]


def test_tsv_without_quoting_takes_a_quotation_mark_as_a_character(tmp_path):
    content = 'sentence\tlabel\n"open \t1\nb "\t0\n'
    columns = {"text": "sentence", "label": "label"}
    found = rows(tmp_path / "a", content, "tsv", columns=columns, quoting=False)
    assert found == [TextRow(2, '"open ', "1"), TextRow(3, 'b "', "0")]


def test_a_table_without_header_has_its_columns_listed_in_order(tmp_path):
    columns = ("label", "id", "text")
    assert texts(rows(tmp_path / "a", "x,1,a\ny,2,b\n", "csv", columns=columns)) == [("a", "x"), ("b", "y")]


@pytest.mark.parametrize(
    "content, expected",
    [
        ("text,label\na,x\nb\n", ":3: 1 field, expected 2 (text, label): ['b']"),
        ("text,label\na,x,1\n", ":2: 3 fields, expected 2 (text, label): ['a', 'x', '1']"),
        ("text,class\na,x\n", ":2: no field 'label'. One of: text, class."),
        ("text,label,text\na,x,b\n", ":1: 'text' stands in the header more than once: columns 1, 3."),
        (
            'text,label\na,x\n"b,y\nc,z\n',
            ":3: not well-formed: unexpected end of data (is a quotation mark left open?)",
        ),
    ],
)
def test_a_bad_table_row_is_told_with_the_line_on_which_it_begins(tmp_path, content, expected):
    assert message(tmp_path / "a", content, "csv", columns=NAMED) == expected


def test_a_column_that_is_not_read_may_stand_there_twice(tmp_path):
    line = '{"text": "a", "label": "x", "more": 1, "more": 2, "inside": {"text": 1, "text": 2}}'
    assert texts(rows(tmp_path / "a", line, "jsonl", columns=NAMED)) == [("a", "x")]
    assert texts(rows(tmp_path / "a", "text,,label,\na,1,x,2\n", "csv", columns=NAMED)) == [("a", "x")]


def test_before_anything_is_declared_every_named_column_stands_there_once(tmp_path):
    path = tmp_path / "a"
    path.write_text("text,,label,\na,1,x,2\n")
    assert [found["text"] for found in readers.records(path, "csv")] == ["a"]
    path.write_text("review,stars,review\na,x,b\n")
    with pytest.raises(UserError, match="a:1: 'review' stands in the header more than once: columns 1, 3"):
        list(readers.records(path, "csv"))


def test_an_endless_csv_field_is_refused(tmp_path):
    content = 'text,label\n"' + "a\n" * 100_000
    assert ":2: not well-formed: field larger than field limit" in message(
        tmp_path / "a", content, "csv", columns=NAMED
    )


# -- files that are labels -------------------------------------------------------------------------------------------


def test_only_a_line_feed_ends_a_line_of_text(tmp_path):
    content = b"a \x85 b\nc\x0cd\r\n\ne"
    found = rows(tmp_path / "a", content, "lines", label="pos", encoding="windows-1252")
    assert texts(found) == [("a … b", "pos"), ("c\x0cd", "pos"), ("", "pos"), ("e", "pos")]
    assert texts(rows(tmp_path / "a", "a\u2028b\n", "lines", label="x")) == [("a\u2028b", "x")]


def archive(path: Path, members: list[tuple[str, bytes | None]], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            if content is None:
                info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
            info.size = len(content or b"")
            tar.addfile(info, io.BytesIO(content or b""))
    return path


def test_archive_members_are_read_in_the_archives_order(tmp_path):
    members = [("r/pos/2.txt", b"b"), ("./r/pos/1.txt", b"a\nx"), ("r/neg/3.txt", b"c"), ("r/pos/sub/4.txt", b"d")]
    path = archive(tmp_path / "a.tar.gz", members)
    assert reread(path, "tar", "pos", "r/pos/*.txt") == [
        TextRow("r/pos/2.txt", "b", "pos"),
        TextRow("r/pos/1.txt", "a\nx", "pos"),
    ]
    plain = archive(tmp_path / "a.tar", members, "w")
    assert texts(reread(plain, "tar", "neg", "r/neg/*.txt")) == [("c", "neg")]


def test_an_archive_is_never_unpacked(tmp_path, monkeypatch):
    path = archive(tmp_path / "a.tar.gz", [("../../outside/1.txt", b"x"), ("/absolute/1.txt", b"x"), ("r/1.txt", b"y")])
    before = sorted(tmp_path.rglob("*"))
    assert texts(reread(path, "tar", "a", "r/*.txt")) == [("y", "a")]
    assert texts(reread(path, "tar", "a", "../../outside/*")) == [("x", "a")]
    assert sorted(tmp_path.rglob("*")) == before


def bad_archive(path: Path, member: str = "r/*.txt") -> str:
    with pytest.raises(UserError) as caught:
        reread(path, "tar", "a", member)
    return str(caught.value).removeprefix(str(path))


def test_links_strange_bytes_and_archives_without_a_match_are_told(tmp_path, monkeypatch):
    link = archive(tmp_path / "a.tar.gz", [("r/1.txt", b"x"), ("r/2.txt", None)])
    assert bad_archive(link) == ":r/2.txt: a link or device, expected a regular file."
    latin = archive(tmp_path / "b.tar.gz", [("r/1.txt", b"caf\xe9 noir")])
    assert bad_archive(latin) == ":r/1.txt: byte 0xe9 at offset 3 is not utf-8: invalid continuation byte."
    assert bad_archive(latin, "s/*.txt") == ": no member matches 's/*.txt'."
    monkeypatch.setattr(readers, "LONGEST", 3)
    assert bad_archive(latin) == ":r/1.txt: 9 bytes; a text has at most 3."


def test_a_file_that_is_no_archive_or_is_cut_off_is_told(tmp_path):
    (tmp_path / "a.tar.gz").write_bytes(b"no archive at all")
    assert "not a tar archive that can be read to its end" in bad_archive(tmp_path / "a.tar.gz")
    whole = archive(tmp_path / "b.tar.gz", [(f"r/{i}.txt", bytes(range(32, 127)) * i) for i in range(1, 200)])
    whole.write_bytes(whole.read_bytes()[:-500])
    assert "not a tar archive that can be read to its end" in bad_archive(whole)
