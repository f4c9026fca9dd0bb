"""CSV dialects: each is read rightly, or refused in one line that names the remedy."""

import gzip
import io
import sys

import numpy as np
import pytest

from reluplex_walk.cli.commands import main
from reluplex_walk.cli.options import options_of
from reluplex_walk.cli.output import BAD_INPUT
from reluplex_walk.cli.solving import solve
from reluplex_walk.cli.table import read_table

X, Y = [[1.5, 20.0], [2.5, -3.0], [0.25, 1000.0]], [7.0, 8.5, 9.0]
PLAIN = "a,b,y\n1.5,20,7\n2.5,-3,8.5\n0.25,1000,9\n"
GERMAN = "a;b;y\n1,5;20;7\n2,5;-3;8,5\n0,25;1000;9\n"
GROUPED = 'a,b,y\n1.5,20,7\n2.5,-3,8.5\n0.25,"1,000",9\n'
INDEXED = ",a,b,y\n0,1.5,20,7\n1,2.5,-3,8.5\n2,0.25,1000,9\n"
R_TABLE = '"a","b","y"\n"1",1.5,20,7\n"2",2.5,-3,8.5\n"3",0.25,1000,9\n'
GAPS = "a,b,y\n1.5,20,7\n2.5,{},5\n2.5,-3,8.5\n0.25,1000,9\n"


def rows_of(header="", cells="", y=""):
    """A third column besides those of PLAIN."""
    lines = zip(PLAIN.splitlines(), [header, *cells.split("|")], strict=True)
    return "".join(f"{cell},{line}\n" for line, cell in lines)


# Name: (content, options).  All hold X and Y.
READ = {
    "plain": (PLAIN, ""),
    "CRLF": (PLAIN.replace("\n", "\r\n"), ""),
    "CR": (PLAIN.replace("\n", "\r"), ""),
    "no end of line": (PLAIN.rstrip(), ""),
    "byte order mark": (b"\xef\xbb\xbf" + PLAIN.encode(), ""),
    "byte order mark, header in quotes": (b"\xef\xbb\xbf" + R_TABLE.encode(), "--features a,b"),
    "UTF-16": (PLAIN.encode("utf-16"), ""),
    "UTF-32": (PLAIN.encode("utf-32"), ""),
    "UTF-16 without a mark": (PLAIN.encode("utf-16-le"), "--encoding utf-16-le"),
    "latin-1": (PLAIN.replace("b,y", "größe,y").encode("latin-1"), "--encoding latin-1"),
    "semicolons": (PLAIN.replace(",", ";"), "--sep ;"),
    "semicolons by name": (PLAIN.replace(",", ";"), "--sep semicolon"),
    "Excel's sep line": ("sep=;\r\n" + PLAIN.replace(",", ";"), ""),
    "tabs": (PLAIN.replace(",", "\t"), "--sep tab"),
    "pipes": (PLAIN.replace(",", " | "), "--sep |"),
    "blanks": ("  " + PLAIN.replace(",", "   ").replace("\n", " \t\n"), "--sep space"),
    "European Excel": (GERMAN, "--sep ; --decimal ,"),
    "decimal commas in quotes": (
        'a,b,y\n"1,5",20,7\n"2,5",-3,"8,5"\n"0,25",1000,9\n',
        "--decimal ,",
    ),
    "thousands": (GROUPED, "--thousands ,"),
    "European thousands": (GERMAN.replace("1000", "1.000"), "--sep ; --decimal , --thousands ."),
    "narrow blanks in thousands": (PLAIN.replace("1000", "1\u202f000"), "--thousands space"),
    "Swiss thousands": (PLAIN.replace("1000", "1'000"), "--thousands '"),
    "blanks about cells": (PLAIN.replace(",", " , "), ""),
    "all in quotes": ("".join(f'"{c}"' if c not in ",\n" else c for c in ["a"]) + PLAIN[1:], ""),
    "quotes after blanks": (PLAIN.replace("2.5,-3", '"2.5", "-3"'), ""),
    "a comma in a name": (PLAIN.replace("a,b", '"a, cm",b'), ""),
    "embedded line end in a name": (PLAIN.replace("a,b", '"a\nin cm",b'), ""),
    "embedded line end in a dropped column": (rows_of("text", '"x\ny"|"p, q"|r'), "--drop text"),
    "empty lines": ("\n\n" + PLAIN.replace("\n", "\n\n") + "\n", ""),
    "lines of separators": (PLAIN + ",,\n,,\n", ""),
    "comments": (
        "# made by hand\n" + PLAIN.replace("2.5,-3", "# no, 2\n2.5,-3"),
        "--comment #",
    ),
    "a header that is a comment": ("# " + PLAIN, ""),
    "separators at the end": (PLAIN.replace("\n", ",\n"), ""),
    "exponents, signs, bare points": (
        "a,b,y\n+15e-1,2E1,7.\n2.5,\u22123,8.5\n.25,1e+3,9\n",
        "",
    ),
    "no header": (PLAIN.partition("\n")[2], "--no-header --target 3"),
    "pandas' index": (INDEXED, "--drop Unnamed: 0"),
    "R's row names": (R_TABLE, "--drop Unnamed: 0"),
    "inputs by name, in their order": (
        "y,b,z,a\n7,20,x,1.5\n8.5,-3,x,2.5\n9,1000,x,0.25\n",
        "--features a,b",
    ),
    "dates left out": (rows_of("when", "2020-01-01|2020-01-02|2020-01-03"), "--drop when"),
    "missing values left out": (GAPS.format(""), "--missing drop"),
    "NA": (GAPS.format("NA"), "--missing drop"),
    "nan": (GAPS.format("NaN"), "--missing drop"),
    "question marks": (GAPS.format(" ? "), "--missing drop"),
    "dashes": (GAPS.format("-"), "--missing drop"),
    "missing where it does not matter": (rows_of("text", "NA|?|"), "--drop text"),
    "gzip": (gzip.compress(PLAIN.encode()), ""),
    "codes left out": (rows_of("zip", "02000|02001|10115"), "--drop zip"),
    "digits after zeros that are meant": (PLAIN.replace("20", "020"), "--features a,b"),
    "dates in digits left out": (rows_of("t", "20200131|20200201|20200202"), "--drop t"),
    "zeros of no code": (PLAIN.replace("0.25", "00.25"), ""),
    "two columns of one name, left out": (rows_of("t,t", "1,2|1,2|1,2"), "--drop t"),
}

# Name: (content, options, words of the message: what is wrong, and the remedy).
REFUSED = {
    "semicolons": (PLAIN.replace(",", ";"), "", ["--sep ';'"]),
    "tabs": (PLAIN.replace(",", "\t"), "", ["--sep tab"]),
    "pipes": (PLAIN.replace(",", "|"), "", ["--sep '|'"]),
    "blanks": (PLAIN.replace(",", "   "), "", ["--sep space"]),
    "commas, but semicolons asked for": (PLAIN, "--sep ;", ["--sep ','"]),
    "European Excel": (GERMAN, "", ["--sep ';'"]),
    "European Excel, half right": (GERMAN, "--sep ;", ["line 2", "'a'", "'1,5'", "--decimal ,"]),
    "decimal points, commas asked for": (PLAIN, "--decimal ,", ["'1.5'", "--decimal ."]),
    "latin-1": ("größe,y\n1,2\n".encode("latin-1"), "", ["line 1", "--encoding latin-1"]),
    "Windows": ("preis €,y\n1,2\n".encode("cp1252"), "", ["line 1", "--encoding cp1252"]),
    "UTF-16 without a mark": (PLAIN.encode("utf-16-le"), "", ["--encoding utf-16-le"]),
    "UTF-16, big end, beyond ASCII": ("é,ü\n".encode("utf-16-be") * 9, "", ["utf-16-be"]),
    "no such encoding": (PLAIN, "--encoding utf-9", ["--encoding", "utf-9", "latin-1"]),
    "wrong encoding": (PLAIN, "--encoding utf-32", ["utf-32", "--encoding"]),
    "Excel": (b"PK\x03\x04rest", "", ["Excel", "CSV"]),
    "damaged gzip": (gzip.compress(PLAIN.encode())[:-9], "", ["damaged gzip"]),
    "binary": (bytes(range(32)) * 9, "", ["control character"]),
    "empty": ("", "", ["is empty"]),
    "blank lines alone": ("\n \n", "", ["is empty"]),
    "header alone": ("a,b,y\n", "", ["no rows"]),
    "no header": (PLAIN.partition("\n")[2], "", ["no column 'y'", "--no-header"]),
    "comments": ("# made by hand\n" + PLAIN, "", ["--comment '#'"]),
    "a comment in between": (PLAIN + "# the end\n", "", ["line 5", "--comment '#'"]),
    "a row too short": (PLAIN + "1,2\n", "", ["line 5", "expected 3 cells, found 2"]),
    "a row too long": (PLAIN + "1,2,3,4\n", "", ["line 5", "expected 3 cells, found 4"]),
    "quotes left open": (PLAIN + '"1,2,3\n4,5,6\n', "", ["line 5", "not closed"]),
    "pandas' index": (INDEXED, "", ["'Unnamed: 0'", "--drop 'Unnamed: 0'", "--features"]),
    "R's row names": (R_TABLE, "", ["'Unnamed: 0'", "--drop 'Unnamed: 0'", "--features"]),
    "R's car names": (
        "a,y\nMazda,1,2\nFord,3,4\n",
        "",
        ["'Unnamed: 0'", "names the rows", "--drop"],
    ),
    "an id": (rows_of("ID", "1|2|3"), "", ["'ID'", "--drop ID", "--features"]),
    "an identifier": (rows_of("PassengerId", "17|4|96"), "", ["names the rows", "--drop"]),
    "rownames": (rows_of("rownames", "1|2|3"), "", ["numbers the rows", "--drop rownames"]),
    "a column without a name": (rows_of("", "4|4|5"), "", ["has no name", "--drop"]),
    "wrong target": (PLAIN.replace(",y", ",price"), "--target prise", ["mean 'price'"]),
    "target in other letters": (PLAIN, "--target Y", ["mean 'y'"]),
    "unknown column": (PLAIN, "--drop bb", ["--drop", "'bb'", "mean 'b'"]),
    "target twice": (PLAIN, "--target y,y", ["--target", "twice"]),
    "target dropped": (PLAIN, "--drop y", ["--drop", "the target"]),
    "drop and features": (PLAIN, "--drop a --features b", ["--drop", "both"]),
    "a column twice": (rows_of("a", "1|2|3"), "", ["'a' is there twice", "--drop a"]),
    "nothing but the target": ("y\n1\n2\n", "", ["no column besides 'y'"]),
    "categories": (rows_of("sex", "f|m|f"), "", ["line 2", "'f'", "--onehot sex", "--drop sex"]),
    "dates": (rows_of("when", "1.2.2020|2.2.2020|3.2.2020"), "", ["a date", "--drop when"]),
    "ISO dates": (
        rows_of("t", "2020-01-01T10:00:00Z|2020-01-02|2020-01-03"),
        "",
        ["a date", "--drop t"],
    ),
    "months": (rows_of("t", "Jan 2020|Feb 2020|Mar 2020"), "", ["a date", "--drop t"]),
    "times": (rows_of("t", "10:30|11:00|12:00"), "", ["a time", "--drop t"]),
    "percentages": (rows_of("p", "12%|5.5 %|7%"), "", ["percentage", "%", "--drop p"]),
    "dollars": (rows_of("p", "$12|$13|$1.50"), "", ["money", "--drop p"]),
    "euros": (rows_of("p", "12 €|13 €|14 €"), "", ["money", "--drop p"]),
    "units": (rows_of("p", "12 kg|13 kg|14 kg"), "", ["unit", "--drop p"]),
    "thousands": (GROUPED, "", ["line 4", "'1,000'", "--thousands ,"]),
    "groups that are none": (GROUPED.replace("1,000", "10,00"), "--thousands ,", ["'10,00'"]),
    "points and commas": (rows_of("p", '"1.234,5"|1|2'), "", ["--decimal , --thousands ."]),
    "one thing for two": (PLAIN, "--thousands .", ["--thousands", "--decimal"]),
    "missing": (GAPS.format(""), "", ["line 3", "'b'", "1 of 4", "--missing drop"]),
    "NA": (GAPS.format("NA"), "", ["line 3", "'NA'", "--missing drop"]),
    "question marks": (GAPS.format("?"), "", ["line 3", "'?'", "--missing drop"]),
    "missing everywhere": (rows_of("p", "NA|NA|NA"), "--missing drop", ["'p'", "--drop p"]),
    "infinite": (GAPS.format("-inf"), "", ["line 3", "not finite"]),
    "a word among numbers": (PLAIN + "1,four,5\n", "", ["line 5", "'b'", "'four'", "mend"]),
    "underscores": (PLAIN.replace("1000", "1_000"), "", ["'1_000'", "--thousands _"]),
    "huge integers": (
        rows_of("n", "12345678901234567891|5|6"),
        "",
        ["more digits", "--drop n"],
    ),
    "huge numbers": (GAPS.format("1e200"), "", ["line 3", "1e+100"]),
    "codes": (
        rows_of("zip", "10115|02000|80331"),
        "",
        ["line 3", "'02000'", "--drop zip", "--onehot zip", "--features zip,a,b"],
    ),
    "codes where rows are left out": (
        "zip,a,y\n1,,3\n2,2,3\n02000,3,4\n",
        "--missing drop",
        ["line 4", "'02000'", "--drop zip"],
    ),
    "dates in digits": (
        rows_of("t", "20200131|19000101|21001231"),
        "",
        ["'t'", "holds dates", "20200131", "--drop t"],
    ),
    "labels": (
        "a,y\n1,no\n2,yes\n3,no\n",
        "",
        ["line 2", "'no'", "--labels no,yes", "--loss hinge"],
    ),
    "three labels": ("a,y\n1,x\n2,y\n3,z\n", "--labels x,y", ["'z'", "x, y, z"]),
    "one label": (PLAIN, "--labels x", ["--labels", "no,yes"]),
    "many values one-hot": (rows_of("c", "p|q|r"), "--onehot c", ["--onehot", "3", "--drop c"]),
    "long separator": (PLAIN, "--sep ;;", ["--sep", "one character"]),
}  # fmt: skip


def arguments(options):
    """The words of `options`; a word that is no option goes with the one before it."""
    words = []
    for word in options.split(" "):
        if word and (word.startswith("--") or not words or words[-1].startswith("--")):
            words.append(word)
        elif word:
            words[-1] += f" {word}"
    return [*words, *([] if "--target" in words else ["--target", "y"])]


def table_of(path, options):
    """What `solve` reads."""
    given = solve.make_context("solve", [str(path), *arguments(options)]).params
    return read_table(given["data"], given["target"], options_of(given))


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("name", READ)
def test_read(name, tmp_path):
    content, options = READ[name]
    table = table_of(write(tmp_path / "table.csv", content), options)
    np.testing.assert_array_equal(table.X, X)
    np.testing.assert_array_equal(table.y[:, 0], Y)
    assert table.left_out == (1 if "--missing" in options else 0)


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    content, options, words = REFUSED[name]
    write(tmp_path / "table.csv", content)
    assert main(["solve", "table.csv", *arguments(options)]) == BAD_INPUT
    output = capsys.readouterr()
    (line,) = output.err.splitlines()
    assert line.startswith("reluplex-walk: error: ")
    assert [word for word in words if word not in line] == [], line
    assert len(line) < 330
    assert output.out == ""
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]


def test_fifty_variants():
    assert len(READ) + len(REFUSED) >= 50


def test_stdin(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(PLAIN.encode()))))
    assert table_of("-", "").X.tolist() == X


def test_one_hot(tmp_path):
    content = "colour,a,y\nred,1,1\nblue,2,2\nred,3,3\ngreen,4,4\n"
    table = table_of(write(tmp_path / "t.csv", content), "--onehot colour")
    assert table.recipe.features == ("colour=green", "colour=red", "a")
    assert table.X.tolist() == [[0, 1, 1], [0, 0, 2], [0, 1, 3], [1, 0, 4]]


def test_labels_and_several_targets(tmp_path):
    content = "a,p,q\n1,no,no\n2,yes,no\n3,no,yes\n"
    for options in ("--target p,q --labels no,yes", "--target p --target q --labels no,yes"):
        table = table_of(write(tmp_path / "t.csv", content), options)
        assert table.y.tolist() == [[-1, -1], [1, -1], [-1, 1]]
        assert table.recipe.targets == ("p", "q")


def test_codes_one_hot(tmp_path):
    content = "zip,a,y\n02000,1,1\n10115,2,2\n02000,3,3\n"
    table = table_of(write(tmp_path / "t.csv", content), "--onehot zip")
    assert table.recipe.features == ("zip=10115", "a")
    assert table.X.tolist() == [[0, 1], [1, 2], [0, 3]]


@pytest.mark.parametrize("odd", ["20200230", "18991231", "21010101", "20201301", "2020011"])
def test_digits_that_are_no_dates(odd, tmp_path):
    content = f"n,y\n20200131,1\n{odd},2\n20200201,3\n"
    assert table_of(write(tmp_path / "t.csv", content), "").X[1, 0] == float(odd)


@pytest.mark.parametrize(
    "content",
    [
        "time,y\n1,5\n2,6\n3,7\n",  # counts, but of something
        "x,y\n0,5\n1,6\n2,7\n",
        "year,y\n2001,5\n2002,6\n2003,7\n",
        "index,y\n101.5,5\n99.25,6\n98,7\n",  # of prices
        "id,y\n1,5\n1,6\n2,7\n",  # groups
        "a,y\n5,5\n5,6\n5,7\n",  # constant
    ],
)
def test_no_index(content, tmp_path):
    assert table_of(write(tmp_path / "t.csv", content), "").X.shape == (3, 1)


def test_parquet(tmp_path, capsys):
    parquet = pytest.importorskip("pyarrow.parquet")
    import pyarrow

    columns = {"a": [1.5, 2.5, 0.25], "b": [20, -3, 1000], "c": ["p", "q", None], "y": Y}
    path = tmp_path / "t.parquet"
    parquet.write_table(pyarrow.table(columns), path)
    table = table_of(path, "--drop c")
    np.testing.assert_array_equal(table.X, X)
    assert main(["solve", str(path), "--target", "y"]) == BAD_INPUT
    assert "row 3" in capsys.readouterr().err
    path.write_bytes(path.read_bytes()[:60])
    assert main(["solve", str(path), "--target", "y"]) == BAD_INPUT
    assert "damaged Parquet" in capsys.readouterr().err


def test_parquet_without_pyarrow(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    path = write(tmp_path / "t.parquet", b"PAR1....PAR1")
    assert main(["solve", str(path), "--target", "y"]) == BAD_INPUT
    assert 'pip install "reluplex_walk[parquet]"' in capsys.readouterr().err
