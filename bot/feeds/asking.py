"""A source's answer: what stands at its address, or one step behind it where the page only says from where it loads its list.

Pages of China's common publishing platform (MIIT, SAMR, many provinces) hold a script with two attributes, the
address of a unit and the parameters of the page; the unit answers JSON with the HTML of the list. A row says so by
`unit:` before its list_path.
"""

from __future__ import annotations

import ast
import html
import re
from dataclasses import replace
from urllib.parse import urlencode, urljoin

from bot.feeds import Failed, Fetched, FetchResult, Web
from storage.models import Health
from storage.records import SourceRow

UNIT = "unit:"
_TAG = re.compile(rb"<(?:script|div)\b[^>]{0,4000}\bquerydata\s*=[^>]{0,4000}>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"\b(url|querydata)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
_SNIFFED = 1024 * 1024


async def answer_of(web: Web, row: SourceRow, *, etag: str | None = None, last_modified: str | None = None) -> FetchResult:
    """The source's body, or that it is unchanged, or why there is none; raises nothing expected.

    The validators of a page are not those of the list behind it, so a list that is one step away comes without any.
    """
    if not row.definition.get("list_path", "").startswith(UNIT):
        return await web.fetch(row, etag=etag, last_modified=last_modified)
    got = await web.fetch(row)
    if not isinstance(got, Fetched):
        return got
    address = unit_address(got.body, got.url)
    if address is None:
        text = "the page does not say any more from where it loads its list; look at it in a browser"
        return Failed(Health.CHANGED_LAYOUT, text, got.status, None, got.seconds)
    unit = await web.page(address, row)
    if isinstance(unit, Failed):
        return unit
    return replace(unit, etag=None, last_modified=None, is_redirected=got.is_redirected, seconds=got.seconds + unit.seconds)


def unit_address(body: bytes, url: str) -> str | None:
    """Where the page's list is served; None when the page does not say. `url` is the page's own address."""
    for tag in _TAG.finditer(body, 0, _SNIFFED):
        told = {name.lower(): one or other for name, one, other in _ATTRIBUTE.findall(tag[0].decode("utf-8", "replace"))}
        try:
            parameters = ast.literal_eval(html.unescape(told["querydata"]))
        except (KeyError, ValueError, SyntaxError, MemoryError, RecursionError):
            continue
        if told.get("url") and isinstance(parameters, dict) and all(isinstance(one, str) for pair in parameters.items() for one in pair):
            return f"{urljoin(url, html.unescape(told['url']))}?{urlencode(parameters)}"
    return None
