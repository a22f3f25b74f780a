"""What a row of the catalogue asks for, and what of it a redirect may keep."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

import bot
from bot.feeds.request import given_request, page_request, read_headers, read_params, robots_request, source_request, web_address
from storage.records import SourceRow


def source(url: str = "https://body.example/list", kind: str = "json", **definition: str) -> SourceRow:
    return SourceRow(id="xx-news", regulator_id="xx", url=url, kind=kind, language="fr", definition=definition)


# --- the columns -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "text", "expected"),
    [
        ("GET", "", ""),
        ("GET", 'query:paramJson={"pageNo":1,"pageSize":20}', "paramJson=%7B%22pageNo%22%3A1%2C%22pageSize%22%3A20%7D"),
        ("GET", "query:a=1&b=x y&c=中&d=", "a=1&b=x%20y&c=%E4%B8%AD&d="),
        ("POST", "form:a=1&fuhao=%3D&value=&ds={20B3}", ("application/x-www-form-urlencoded", b"a=1&fuhao=%3D&value=&ds={20B3}")),
        ("POST", "form:NewsTypes[]=a&NewsTypes[]=b", ("application/x-www-form-urlencoded", b"NewsTypes[]=a&NewsTypes[]=b")),
        ("POST", 'json:{"lang":"繁","n":[1]}', ("application/json", '{"lang":"繁","n":[1]}'.encode())),
    ],
)
def test_parameters_are_read_as_they_are_meant(method: str, text: str, expected: object) -> None:
    assert read_params(method, text) == expected


@pytest.mark.parametrize(
    ("method", "text", "words"),
    [
        pytest.param("POST", "", "a POST needs form:", id="a POST of nothing"),
        pytest.param("GET", "form:a=1", "the method is GET", id="a form with GET"),
        pytest.param("GET", "json:{}", "the method is GET", id="JSON with GET"),
        pytest.param("POST", "query:a=1", "stands in url", id="a query with POST"),
        pytest.param("GET", "a=1", "begins with none of", id="no prefix"),
        pytest.param("GET", "xml:<a/>", "begins with none of", id="a prefix nobody knows"),
        pytest.param("GET", "query", "begins with none of", id="a prefix without its colon"),
        pytest.param("GET", "query:", "'' is no name=value pair", id="nothing behind the prefix"),
        pytest.param("GET", "query:a=1&b", "'b' is no name=value pair", id="a name without a value"),
        pytest.param("GET", "query:=1", "'=1' is no name=value pair", id="a value without a name"),
        pytest.param("GET", 'query:a={"b":', "'a' is no JSON", id="JSON that is cut, in a query"),
        pytest.param("GET", 'query:a={"b":"x&y"}', "is no name=value pair", id="an ampersand within JSON"),
        pytest.param("POST", 'json:{"a":1', "it is no JSON", id="JSON that is cut"),
        pytest.param("POST", "json:" + "[" * 100_000, "it is no JSON", id="JSON without a bottom"),
        pytest.param("POST", "form:a=b c", "is not percent-encoded", id="a space in a form"),
        pytest.param("POST", "form:a=中", "is not percent-encoded", id="a character in a form"),
        pytest.param("POST", "form:a=100%", "is not percent-encoded", id="a lone percent sign in a form"),
        pytest.param("POST", "form:a=1\r\nX: y", "is not percent-encoded", id="a line break in a form"),
    ],
)
def test_parameters_that_cannot_be_meant_are_told(method: str, text: str, words: str) -> None:
    with pytest.raises(ValueError, match=r".") as error:
        read_params(method, text)
    assert words in str(error.value)


def test_headers_are_one_a_line() -> None:
    assert read_headers("") == {}
    assert read_headers("Referer: https://x.example/\n\n X-Requested-With :XMLHttpRequest ") == {
        "Referer": "https://x.example/",
        "X-Requested-With": "XMLHttpRequest",
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Referer", "is no header"),
        ("Two words: x", "is no header"),
        (": x", "is no header"),
        ("X-Empty:", "needs a value"),
        ("X-Bad: a\x00b", "needs a value"),
        ("X-Bad: 中", "needs a value"),
        *((f"{name}: x", "is not a row's to set") for name in ("Host", "content-length", "Transfer-Encoding", "Accept-Encoding")),
    ],
)
def test_headers_that_break_a_request_are_told(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_headers(text)


def test_every_row_of_the_shared_catalogue_can_be_asked(shared: Path) -> None:
    """And asks for what it says: forms and JSON byte for byte, queries by what the other side will read."""
    n_special = 0
    for row in csv.DictReader(io.StringIO((shared / "sources.csv").read_text(encoding="utf-8"))):
        ask = source_request(replace(source(row["url"], row["kind"]), definition=row), None, {})
        assert ask is not None, row["source_id"]
        assert ask.method == row["method"]
        prefix, _, value = row["request_params"].partition(":")
        n_special += bool(prefix)
        if prefix in ("form", "json"):
            assert ask.form is not None
            assert ask.form[1].decode() == value
        assert parse_qs(urlsplit(row["url"]).query).items() <= parse_qs(ask.url.raw_query_string).items()
        if prefix == "query":
            (pair,) = [one for one in parse_qsl(ask.url.raw_query_string) if one not in parse_qsl(urlsplit(row["url"]).query)]
            assert "=".join(pair) == value
            assert json.loads(pair[1])
    assert n_special == 16


# --- the request -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "accept"),
    [
        ("rss", "application/atom+xml, application/rss+xml,"),
        ("atom", "application/atom+xml, application/rss+xml,"),
        ("json", "application/json,"),
        ("csv", "text/csv,"),
        ("html-list", "text/html,"),
        ("link-pattern", "text/html,"),
    ],
)
def test_what_is_accepted_fits_the_kind(kind: str, accept: str) -> None:
    ask = source_request(source(kind=kind), None, {})
    assert ask is not None
    assert ask.headers_now()["Accept"].startswith(accept)
    assert ask.wants == ("page" if accept.startswith("text/html") else "data")


def test_a_query_is_added_to_the_one_that_the_address_has() -> None:
    for url, expected in (("https://body.example/a", "?b=1"), ("https://body.example/a?x=%E4%B8%AD#top", "?x=%E4%B8%AD&b=1")):
        ask = source_request(source(url, request_params="query:b=1"), None, {})
        assert ask is not None
        assert str(ask.url).endswith(f"/a{expected}")


def test_a_header_of_the_row_takes_the_place_of_ours_in_any_case() -> None:
    row = source(client_policy="referer", request_headers="referer: https://x.example/\naccept: text/x\nUSER-AGENT: Other/1")
    ask = source_request(row, None, {})
    assert ask is not None
    assert ask.headers_now() == {"referer": "https://x.example/", "accept": "text/x", "USER-AGENT": "Other/1"}


def test_a_post_is_not_conditional() -> None:
    ask = source_request(source(method="POST", request_params="json:{}"), None, {"If-None-Match": '"1"'})
    assert ask is not None
    assert ask.headers_now().keys() == {"User-Agent", "Accept", "Content-Type"}


@pytest.mark.parametrize(
    "make", [given_request, lambda url, _: source_request(source(url), None, {}), lambda url, _: page_request(url, source(), None)]
)
def test_what_is_no_web_address_is_no_request(make: object) -> None:
    assert make("ftp://body.example/", None) is None  # type: ignore[operator]
    assert page_request("https://body.example/", source("nonsense"), None) is None


def test_robots_txt_is_asked_for_at_the_top_of_the_host() -> None:
    url = web_address("https://body.example:8443/deep/path?x=1")
    assert url is not None
    ask = robots_request(url, "ops@watch.example")
    assert str(ask.url) == "https://body.example:8443/robots.txt"
    assert ask.headers_now()["User-Agent"] == f"Regwatch/{bot.__version__} (+ops@watch.example)"


@pytest.mark.parametrize(
    ("status", "target", "method"),
    [
        pytest.param(303, "https://other.example/", "GET", id="303 becomes a GET"),
        pytest.param(301, "https://other.example/", "GET", id="301 becomes a GET by custom"),
        pytest.param(302, "https://body.example/", "GET", id="302 becomes a GET by custom"),
        pytest.param(307, "https://body.example/new", "POST", id="307 stays a POST on its host"),
        pytest.param(308, "https://body.example/new", "POST", id="308 stays a POST on its host"),
        pytest.param(307, "https://other.example/", None, id="307 to another host is not followed"),
        pytest.param(308, "https://body.example:8443/", None, id="308 to another port is not followed"),
        pytest.param(308, "http://body.example/", None, id="308 to plain HTTP is not followed"),
    ],
)
def test_what_becomes_of_a_post_that_is_redirected(status: int, target: str, method: str | None) -> None:
    ask = source_request(source(method="POST", request_params="form:a=1", request_headers="X-Key: 1"), None, {})
    url = web_address(target)
    assert ask is not None
    assert url is not None
    after = ask.redirected(status, url)
    assert (after.method if after else None) == method
    if after is not None:
        assert ("Content-Type" in after.headers_now()) == (method == "POST")
        assert ("X-Key" in after.headers_now()) == (url.host == "body.example")


# --- addresses ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://Body.Example/a b?q=1#top", "https://body.example/a%20b?q=1"),
        ("HTTP://body.example/", "http://body.example/"),
        ("../new", "https://base.example/new"),
        ("//other.example/x", "https://other.example/x"),
        ("http:///127.0.0.1/", None),
        ("http://bücher.example/", "http://xn--bcher-kva.example/"),
        ("http://127.0.0.1%2f@x/", "http://127.0.0.1%2F@x/"),
        ("http://exa mple/", None),
        ("http://[::1]:80/", "http://[::1]/"),
        ("http://x:0/", None),
        ("mailto:a@b.example", None),
        ("http://..", None),
    ],
)
def test_an_address_is_read_once(address: str, expected: str | None) -> None:
    base = web_address("https://base.example/dir/page") if address.startswith((".", "//o")) else None
    url = web_address(address, base)
    assert (str(url) if url else None) == expected
