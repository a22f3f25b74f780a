"""Answers of 200 that are not what was asked for: blank, a challenge, a denial, a maintenance page, some other page.

Pure: bytes in, a state of the source and words for its operator out. They are failures, never "no news".
"""

from __future__ import annotations

import re

from bot.feeds.reading import plain
from storage.models import Health

_DENIAL = re.compile(
    r"access (?:to this page )?(?:is |has been )?(?:denied|blocked|restricted)|request (?:access|unsuccessful|rejected|blocked)|"
    r"attention required|just a moment|checking your browser|challenge validation|verify (?:that )?you are (?:a )?human|"
    r"are you a robot|not a robot|captcha|unusual traffic|automated (?:access|requests?|queries)|too many requests|"
    r"rate threshold|security check|\bforbidden\b|not authori[sz]ed|(?:have|has|been) (?:been )?blocked|"
    r"requested url was rejected|support id|ddos|cloudflare|incapsula|akamai|maintenance|temporarily unavailable|"
    r"service unavailable|apology|we apologi[sz]e|enable (?:javascript|cookies)|"
    r"访问被拒绝|拒绝访问|禁止访问|安全验证|人机验证|验证码|请求被拦截|系统维护|維護中|存取被拒|アクセスが拒否|メンテナンス",
    re.IGNORECASE,
)
_CHALLENGE = (
    b"_cf_chl_opt",
    b"cf-browser-verification",
    b"_Incapsula_Resource",
    b"/_sec/cp_challenge",
    b"captcha-delivery.com",
    b"px-captcha",
    b"awswaf",
)
# what no notice says of itself
_REFUSED = re.compile(
    r"access (?:to this page )?(?:is |has been )?denied|request (?:unsuccessful|rejected|access)|attention required|just a moment|"
    r"checking your browser|challenge validation|verify (?:that )?you are (?:a )?human|are you a robot|not a robot|unusual traffic|"
    r"requested url was rejected|rate threshold|you have been blocked|访问被拒绝|拒绝访问|人机验证|请求被拦截|存取被拒|アクセスが拒否",
    re.IGNORECASE,
)
_NOT_THERE = re.compile(
    r"^\W*(?:error\W*)?404\b\W*(?:$|error|not found|page)|\berror 404\b|"
    r"^not found\b|\b(?:page|file|document|resource)\b.{0,40}\b(?:not found|does not exist)|"
    r"页面不存在|页面找不到|找不到页面|頁面不存在|找不到頁面|找不到網頁|ページが見つかりません",
    re.IGNORECASE,
)
_SKIPPED = re.compile(rb"<\?.*?\?>\s*|<!--.*?-->\s*", re.DOTALL)
_HIDDEN = re.compile(r"<(script|style|head)\b", re.IGNORECASE)
_SNIFFED = 256 * 1024
_SHORT = 1500  # characters that a reader sees; a refusal has fewer
_BARE = 400
_BLANK = b"\xef\xbb\xbf \t\r\n\0"
_EMPTY = (Health.EMPTY, "the answer has no content; look at the address in a browser")


def page_refusal(body: bytes, wanted: str = "feed") -> tuple[Health, str] | None:
    """What an answer of 200 says when it is blank or an HTML page where data were due; None when it may be what is `wanted`.

    A challenge, denial or maintenance page is `blocked`, any other page `changed_layout`, no content `empty`.
    """
    if not body.strip(_BLANK):
        return _EMPTY
    head = body[:_SNIFFED].lstrip(_BLANK)
    start = 0
    while skipped := _SKIPPED.match(head, start):
        start = skipped.end()
    head = head[start:]
    if not re.match(rb"<!doctype\s+html|<(?:html|head|body|title|script|meta|h1|p|div|center)\b", head, re.IGNORECASE):
        return None
    if re.search(rb"<(?:rss|feed|rdf:rdf|channel)[\s>]", head, re.IGNORECASE):
        # some wrap a feed in a page; feedparser may find it
        return None
    return _page(head, wanted)


def page_decoy(body: bytes) -> tuple[Health, str] | None:
    """The same where a page was due: blank, a refusal, or a page that says it is not there; None when it may be the one.

    A notice may be about a captcha, the maintenance of a monopoly or a firm called Cloudflare, and guarded sites put
    their guard's script into every page. So only a page with next to no text is judged by every word and mark, a
    short one by the phrases that no notice uses, and a long one when its title begins with one of them.
    """
    if not body.strip(_BLANK):
        return _EMPTY
    head = body[:_SNIFFED].lstrip(_BLANK)
    if head.startswith(b"%PDF"):
        return None
    markup = _decoded(head)
    seen, title = _seen(markup), _titled(markup)
    is_long, is_bare = len(seen) >= _SHORT, len(seen) < _BARE
    told, called = f"{title}\n{seen}", f" titled {title!r}" if title else ""
    is_refused = _REFUSED.match(title) if is_long else _REFUSED.search(told)
    if is_refused or (is_bare and (_DENIAL.search(told) or any(mark in head for mark in _CHALLENGE))):
        return Health.BLOCKED, f"a refusal or maintenance page{called} came instead of the page; it is tried again tomorrow"
    if not is_long and _NOT_THERE.search(title or seen[:200]):
        return Health.CHANGED_LAYOUT, f"a page{called} that says it is not there came with status 200; find the new address"
    return None


def denial(body: bytes, wanted: str) -> tuple[Health, str] | None:
    """The words for a challenge, denial or maintenance page, where what came holds nothing that was `wanted`; None for anything else."""
    head = body[:_SNIFFED].lstrip(_BLANK)
    refusal = _page(head, wanted) if re.search(rb"<(?:html|head|body|title)\b", head, re.IGNORECASE) else _no_page(head, wanted)
    return refusal if refusal[0] is Health.BLOCKED else None


def not_a_feed(body: bytes) -> tuple[Health, str]:
    """What came, when no reader found a feed in it."""
    head = body[:_SNIFFED].lstrip(_BLANK)
    if re.search(rb"<(?:html|body)\b", head, re.IGNORECASE):
        return _page(head, "feed")
    if head[:1] in (b"{", b"["):
        return Health.CHANGED_LAYOUT, "JSON came instead of the feed, and it is no JSON Feed; find the feed's new address"
    return _no_page(head, "feed")


def _titled(markup: str) -> str:
    opened = re.search(r"<title[^<>]*>", markup, re.IGNORECASE)
    if opened is None:
        return ""
    rest = markup[opened.end() : opened.end() + 1000]
    return plain(re.split(r"</title", rest, maxsplit=1, flags=re.IGNORECASE)[0], keep_lines=False)[:120]


def _seen(markup: str) -> str:
    """The beginning of what a reader sees, or all of it when it is short.

    Linear, and without a tree: a hostile page opens a thousand scripts and closes none, or nests without end.
    """
    runs, length = [], 0
    for run in re.finditer(r">([^<>]+)", f">{_shown(markup)}"):
        if words := " ".join(run[1].replace("&nbsp;", " ").split()):
            runs.append(words)
            length += len(words) + 1
        if length > _SHORT:
            break
    return " ".join(runs)


def _shown(markup: str) -> str:
    """The markup without what stands in no window."""
    parts, at, never_closed = [], 0, set()
    for opened in _HIDDEN.finditer(markup):
        tag = opened[1].lower()
        if opened.start() < at or tag in never_closed:
            continue
        closed = re.compile(rf"</{tag}\s*>", re.IGNORECASE).search(markup, opened.end())
        if closed is None:
            never_closed.add(tag)
            continue
        parts.append(markup[at : opened.start()])
        at = closed.end()
    return " ".join((*parts, markup[at:]))


def _page(head: bytes, wanted: str) -> tuple[Health, str]:
    markup = _decoded(head)
    title = _titled(markup)
    seen = _seen(markup)
    # a long page may well speak of captchas or maintenance; a refusal is short, or says so in its title
    told = f"{title}\n{seen}" if len(seen) < _SHORT else title
    called = f" titled {title!r}" if title else ""
    if _DENIAL.search(told) or any(mark in head for mark in _CHALLENGE):
        return Health.BLOCKED, f"a refusal or maintenance page{called} came instead of the {wanted}; it is tried again tomorrow"
    return Health.CHANGED_LAYOUT, f"an HTML page{called} came instead of the {wanted}; find the {wanted}'s new address on it"


def _no_page(head: bytes, wanted: str) -> tuple[Health, str]:
    shown = plain(_decoded(head[:400]), keep_lines=False)[:80]
    if len(head) < 2000 and _DENIAL.search(shown):
        return Health.BLOCKED, f"a refusal came instead of the {wanted}: {shown!r}; it is tried again tomorrow"
    return Health.CHANGED_LAYOUT, f"what came is no {wanted}: it starts {shown!r}; find the {wanted}'s new address"


def _decoded(head: bytes) -> str:
    declared = re.search(rb"charset=[\"']?\s*([\w-]+)", head[:4096], re.IGNORECASE)
    name = declared[1].decode("ascii").lower() if declared else "utf-8"
    name = "gb18030" if name in ("gb2312", "gbk") else name
    try:
        return head.decode(name, "replace")
    except LookupError:
        return head.decode("utf-8", "replace")
