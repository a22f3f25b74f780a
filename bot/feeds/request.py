"""What a row of the catalogue asks for: method, address, headers and body, and what of it a redirect may keep. Pure.

The columns `method`, `request_params`, `request_headers` and `client_policy` are read here: `catalog` reads them
once, so that a row which cannot be asked stops the start, and `fetch` sends what comes out. An address is read
once too, by the library that sends the request, so that no spelling means one thing here and another there.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import quote

from yarl import URL

import bot
from storage.records import SourceRow

PAGE_KINDS = ("html-list", "link-pattern")
"""Kinds of source whose answer is an HTML page."""

_FEED = "application/atom+xml, application/rss+xml, application/rdf+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5"
_PAGE = "text/html, application/xhtml+xml, application/pdf;q=0.9, */*;q=0.5"
_ACCEPT = {
    "json": "application/json, text/json;q=0.9, */*;q=0.5",
    "csv": "text/csv, text/plain;q=0.9, */*;q=0.5",
    **dict.fromkeys(PAGE_KINDS, _PAGE),
}
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# the connection's own, or what would change how an answer is read
_NOT_OURS = (
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "accept-encoding",
    "content-type",
    "if-none-match",
    "if-modified-since",
)


@dataclass(frozen=True, slots=True)
class Ask:
    """One request, as it stands before or after a redirect."""

    url: URL
    home: URL  # the source's own address: what only its host may know is sent to its host alone
    headers: Mapping[str, str]  # for every host
    own: Mapping[str, str] = field(default_factory=dict)  # for the home's host alone, over the others
    form: tuple[str, bytes] | None = None  # content type and body of a POST; None: a GET
    wants: Literal["data", "page", "robots"] = "data"  # data: feeds, JSON and the like, where an HTML page is no answer
    asks_robots: bool = True  # False: a person asks, not a robot

    @property
    def method(self) -> str:
        """GET or POST."""
        return "POST" if self.form else "GET"

    def headers_now(self) -> dict[str, str]:
        """What is sent to the host of `url`."""
        sent = _over(self.headers, self.own if is_same_site(self.home, self.url) else {})
        if self.form:
            sent["Content-Type"] = self.form[0]
        return sent

    def redirected(self, status: int, target: URL) -> Ask | None:
        """The request that follows a redirect; None where it would carry a body to another host.

        303, and by custom 301 and 302, turn a POST into a GET without a body; 307 and 308 keep both.
        """
        if self.form is None or status not in (307, 308):
            return replace(self, url=target, form=None)
        return replace(self, url=target) if is_same_site(self.url, target) else None


def _over(headers: Mapping[str, str], others: Mapping[str, str]) -> dict[str, str]:
    """Both, the others in the place of those of the same name in any case."""
    names = {name.lower() for name in others}
    return {name: value for name, value in headers.items() if name.lower() not in names} | dict(others)


def is_same_site(one: URL, other: URL) -> bool:
    """Whether both go to one host and port; http to https on the ordinary ports is the same, but not back."""
    if one.host != other.host or (one.scheme == "https" and other.scheme == "http"):
        return False
    return one.port == other.port or (one.is_default_port() and other.is_default_port())


def web_address(address: str, base: URL | None = None) -> URL | None:
    """The address as a web address, its host in plain ASCII and without fragment; None when it is none.

    `base` is what a relative one is relative to. IDNA is applied: full-width and circled digits are digits.
    """
    try:
        # surrogates are bytes of a header that were no UTF-8
        url = URL(address.strip().encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
        url = (base.join(url) if base else url).with_fragment(None)
        host = url.raw_host or ""
        if not re.fullmatch(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?", host, re.IGNORECASE):
            ipaddress.IPv6Address(host.partition("%")[0])
    except ValueError:
        return None
    return url if url.scheme in ("http", "https") and url.port else None


def source_request(row: SourceRow, contact: str | None, validators: Mapping[str, str]) -> Ask | None:
    """What a poll of the source asks for; None when its address is no web address. Raises ValueError as `read_params` does.

    Validators are not sent with a POST, which cannot be conditional.
    """
    params = read_params(row.definition.get("method", "GET"), row.definition.get("request_params", ""))
    query, form = (params, None) if isinstance(params, str) else ("", params)
    home = web_address(row.url)
    if home is not None and query:
        home = web_address(f"{home}{'&' if home.raw_query_string else '?'}{query}")
    if home is None:
        return None
    own = {**_special(row, home), **({} if form else validators)}
    headers = {**agent(row, contact), "Accept": _ACCEPT.get(row.kind, _FEED)}
    return Ask(home, home, headers, own, form, "page" if row.kind in PAGE_KINDS else "data")


def page_request(url: str, row: SourceRow, contact: str | None) -> Ask | None:
    """What following a notice's link asks for; the source's special headers go along on its own host only."""
    target, home = web_address(url), web_address(row.url)
    if target is None or home is None:
        return None
    return Ask(target, home, {**agent(row, contact), "Accept": _PAGE}, _special(row, home), None, "page")


def given_request(url: str, contact: str | None) -> Ask | None:
    """What an address that a person gave asks for."""
    target = web_address(url)
    return None if target is None else Ask(target, target, {**agent(None, contact), "Accept": _FEED}, asks_robots=False)


def robots_request(url: URL, contact: str | None) -> Ask:
    """What is asked of a host before anything else is."""
    target = url.origin().with_path("/robots.txt")
    return Ask(target, target, {**agent(None, contact), "Accept": "text/plain, */*;q=0.5"}, wants="robots", asks_robots=False)


def agent(row: SourceRow | None, contact: str | None) -> dict[str, str]:
    """The declared User-Agent, which is honest also where it begins like a browser's."""
    if row is not None and row.definition.get("client_policy") == "browser-like":
        return {"User-Agent": f"Mozilla/5.0 (compatible; Regwatch/{bot.__version__}{f'; +{contact}' if contact else ''})"}
    return {"User-Agent": f"Regwatch/{bot.__version__}{f' (+{contact})' if contact else ''}"}


def _special(row: SourceRow, home: URL) -> dict[str, str]:
    """The headers that only this source's host is to see."""
    policy = row.definition.get("client_policy", "")
    special = {}
    if policy == "accept-language":
        special["Accept-Language"] = f"{row.language},en;q=0.5" if row.language else "en"
    if policy == "referer":
        special["Referer"] = str(home.origin()) + "/"
    return _over(special, read_headers(row.definition.get("request_headers", "")))


# --- the columns ---------------------------------------------------------------------------------------------------------


def read_params(method: str, text: str) -> str | tuple[str, bytes]:
    """The column `request_params`: a query string (empty when there is none), or content type and body of a POST.

    `form:` is followed by a form that is percent-encoded already, `json:` by a JSON text, `query:` by
    `name=value` pairs in plain text, whose value may be JSON. Raises ValueError with words for anything else.
    """
    prefix, colon, value = text.partition(":")
    if not text:
        if method == "POST":
            raise ValueError("a POST needs form:... or json:...")
        return ""
    if prefix not in ("form", "json", "query") or not colon:
        raise ValueError(f"{text[:40]!r} begins with none of form:, json:, query:")
    if prefix == "query":
        if method == "POST":
            raise ValueError("a POST takes form: or json:; what belongs into its address stands in url")
        return "&".join(f"{quote(name, safe='')}={quote(_plain_value(name, one), safe='')}" for name, one in _pairs(value))
    if method != "POST":
        raise ValueError(f"{prefix}: is the body of a POST, and the method is {method}")
    if prefix == "json":
        _demand_json(value, "it")
        return "application/json", value.encode()
    for name, one in _pairs(value):
        if bad := re.search(r"[^!-~]|%(?![0-9A-Fa-f]{2})", f"{name}={one}"):
            raise ValueError(f"{bad[0]!r} in {name!r} is not percent-encoded")
    return "application/x-www-form-urlencoded", value.encode()


def _pairs(text: str) -> list[tuple[str, str]]:
    pairs = []
    for part in text.split("&"):
        name, equals, value = part.partition("=")
        if not name or not equals:
            raise ValueError(f"{part[:40]!r} is no name=value pair")
        pairs.append((name, value))
    return pairs


def _plain_value(name: str, value: str) -> str:
    if value[:1] in ("{", "["):
        _demand_json(value, repr(name))
    return value


def _demand_json(text: str, what: str) -> None:
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{what} is no JSON: {error}") from error


def read_headers(text: str) -> dict[str, str]:
    """The column `request_headers`: one `Name: value` a line. Raises ValueError with words."""
    found = {}
    for line in filter(str.strip, text.splitlines()):
        name, colon, value = line.partition(":")
        name, value = name.strip(), value.strip()
        if not colon or not _TOKEN.fullmatch(name):
            raise ValueError(f"{line[:40]!r} is no header; write Name: value")
        if name.lower() in _NOT_OURS:
            raise ValueError(f"{name} is not a row's to set")
        if not value or not value.isprintable() or not value.isascii():
            raise ValueError(f"{name} needs a value of printable ASCII characters")
        found[name] = value
    return found
