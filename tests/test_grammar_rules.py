"""What no text can break: the grammar is total, and every command written as text is the same command again."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.slack.grammar import (
    LONGEST,
    VERBS,
    ActionDetail,
    Actions,
    Backfill,
    Command,
    Digest,
    Export,
    FirmInfo,
    Help,
    Mute,
    Search,
    ShowSettings,
    SourceOrder,
    Sources,
    Subscribe,
    SubscribeList,
    Target,
    Timeline,
    Totals,
    Unsubscribe,
    UserError,
    Why,
    parse,
    unparse,
)
from bot.slack.grammar.words import QUOTES, unslack
from storage.filters import FILTER_KEYS, Filter, Term
from storage.intents import DigestSetting
from storage.models import Broadcast, Deliver, Followed, Kind, Role, Status

_SYNTAX = '"“”「」『』:：,，-–<>&;#@!|=+ 　\t\n$¥.0123456789kindrgulatosce腾讯騰𠮷\u202e\u200b\x00\ud800'
_WORDS = [
    *(f"{verb} " for verb in VERBS),
    *("all", "channel", "RW-1001 ", "for ", "until ", "7d", "2021-04-01", "a week", "by ", "year", "as ", "json", "in 2021", "dry-run"),
    *("since:", "kind:fine", "-role:", "knd:fine", "how much was ", " fined", "show me the ", "arm ", "us-sec", "page:2", "limit:3"),
]
TYPED = st.text(st.one_of(st.characters(), st.sampled_from(_SYNTAX)))
"""Anything: controls, halves of characters, bidi marks, quotes in all scripts."""
COMMANDS = st.lists(st.one_of(st.sampled_from(_WORDS), st.sampled_from(_WORDS), TYPED), max_size=8).map("".join)
"""Much like commands."""


@given(st.one_of(TYPED, COMMANDS))
def test_no_string_raises(text: str) -> None:
    """Total: a command or an error with words, and a suggestion that is a command or asks further."""
    found = parse(text)
    if isinstance(found, UserError):
        assert found.text
        assert "{" not in found.template.replace("{}", "")
        if found.suggestion is not None:
            parse(found.suggestion)


@given(st.one_of(TYPED, COMMANDS))
def test_what_was_understood_is_written_back(text: str) -> None:
    """Buttons carry commands as text: nothing is lost on the way, whatever stood in the names."""
    found = parse(text)
    if not isinstance(found, UserError):
        plain = replace(found, instead=None) if isinstance(found, Actions) else found
        assert parse(unparse(plain)) == plain


_TERMS = {
    "kind": st.sampled_from([kind.value for kind in Kind]),
    "regulator": st.sampled_from(["csrc", "cn-cac", "网信办", "Financial Conduct Authority", "a,b"]),
    "country": st.sampled_from(["CN", "GB", "US-NY", "INT"]),
    "status": st.sampled_from([status.value for status in Status]),
    "role": st.sampled_from([role.value for role in Role]),
    "severity": st.builds("{}{}".format, st.sampled_from(["", ">", "<", ">=", "<="]), st.sampled_from(["fine", "ban", "talks"])),
    "currency": st.sampled_from(["USD", "CNY"]),
    "min": st.builds("{}{}".format, st.sampled_from(["USD", "CNY"]), st.integers(1, 10**12)),
    "since": st.one_of(st.integers(0, 99_999).map("{}d".format), st.dates().map(str), st.sampled_from(["2021", "2021-03"])),
    "until": st.one_of(st.integers(0, 99_999).map("{}d".format), st.dates().map(str), st.sampled_from(["2021", "2021-03"])),
    "lang": st.sampled_from(["en", "zh", "zh-Hans"]),
    "limit": st.integers(1, 20).map(str),
}


@st.composite
def filters(draw: st.DrawFn, without: str = "") -> Filter:
    """Any canonical filter: at most one term for a key and its sign, in the order of the keys."""
    terms = []
    for key in FILTER_KEYS:
        for is_negated in (False, True):
            if key != without and draw(st.booleans()) and not (key == "limit" and is_negated):
                most = 1 if key == "limit" else 3
                values = draw(st.lists(_TERMS[key], min_size=1, max_size=most, unique=True))
                terms.append(Term(key, tuple(values), is_negated))
    return Filter(tuple(terms))


def _is_name(text: str) -> bool:
    return bool(text) and text == " ".join(text.split()) and unslack(text) == text and not set(text) & QUOTES


_TRICKY = [
    "all",
    "channel",
    "RW-1001",
    "list",
    "7d",
    "by year",
    "for 7d",
    "Total",
    "Yahoo!",
    "what?",
    "-x",
    "a:b",
    "dry-run",
    "arm",
    "#17",
    "到",
]
NAMES = st.one_of(
    st.sampled_from(_TRICKY),
    st.text(st.characters(exclude_categories=["Cc", "Zs", "Zl", "Zp"]) | st.just(" "), max_size=30).filter(_is_name),
)
"""What a firm may be called: any text without quotes, which no name is told apart by."""

FIRMS = st.builds(Target, st.just(Followed.FIRM), NAMES)
_REGULATORS = st.builds(Target, st.just(Followed.REGULATOR), _TERMS["regulator"])
TARGETS = st.one_of(
    st.lists(FIRMS, min_size=1, max_size=4, unique=True),
    st.lists(_REGULATORS, min_size=1, max_size=3, unique=True),
).map(tuple)
NUMBERS = st.integers(0, 999_999_999)
SPANS = st.one_of(st.integers(1, 8_760).map("{}h".format), st.integers(1, 365).map("{}d".format), st.dates().map(str))
SINCE = st.none() | _TERMS["since"]
SOURCE_IDS = st.from_regex(r"[a-z0-9]+(-[a-z0-9]+){0,3}", fullmatch=True)
SETTINGS = st.builds(
    DigestSetting,
    is_on=st.none() | st.booleans(),
    at=st.just("08:30"),
    zone=st.none() | st.sampled_from(["Asia/Taipei", "UTC", "Etc/GMT+8", "America/Argentina/Buenos_Aires"]),
    days=st.none() | st.sampled_from(["daily", "weekdays"]),
    sends_empty=st.none() | st.booleans(),
)
ALL_COMMANDS: dict[str, st.SearchStrategy[Command]] = {
    "help": st.builds(Help, st.none() | st.sampled_from(VERBS)),
    "actions": st.builds(Actions, st.none() | NAMES, filters(), st.integers(1, 9_999)),
    "action": st.builds(ActionDetail, NUMBERS),
    "firm": st.builds(FirmInfo, NAMES),
    "totals": st.builds(Totals, st.none() | NAMES, st.sampled_from(["", "year", "regulator", "kind"]), filters("limit")),
    "timeline": st.builds(Timeline, st.none() | NAMES, filters("limit")),
    "search": st.builds(
        Search,
        st.sampled_from(["tencent", '"data security" law', "數據 安全", '"12:30"', '"for"', "law for data", "-x"]),
        filters(),
        st.integers(1, 99),
    ),
    "subscribe": st.builds(
        Subscribe,
        st.lists(FIRMS, min_size=1, max_size=4, unique=True).map(tuple),
        filters("limit"),
        st.none() | st.sampled_from(Broadcast),
        st.none() | st.sampled_from(Deliver),
    ),
    "subscribe to everything": st.builds(Subscribe, st.just((Target(Followed.ALL),)), filters("limit")),
    "subscribe list": st.just(SubscribeList()),
    "unsubscribe": st.one_of(
        st.builds(Unsubscribe, ids=st.lists(NUMBERS, min_size=1, max_size=4, unique=True).map(tuple)),
        st.builds(Unsubscribe, targets=TARGETS),
        st.just(Unsubscribe(is_everything=True)),
    ),
    "mute": st.one_of(st.builds(Mute, NAMES, span=SPANS), st.builds(Mute, action_id=NUMBERS, span=SPANS), st.builds(Mute, span=SPANS)),
    "unmute": st.one_of(st.builds(Mute, NAMES, is_off=st.just(True)), st.builds(Mute, action_id=NUMBERS, is_off=st.just(True))),
    "digest": st.one_of(st.builds(Digest, st.sampled_from(["show", "now", "preview"])), st.builds(Digest, st.just("set"), SETTINGS)),
    "sources": st.builds(Sources, st.none() | NAMES),
    "an order": st.builds(SourceOrder, st.sampled_from(["arm", "hold", "check"]), SOURCE_IDS),
    "why": st.builds(Why, NUMBERS, st.none() | st.sampled_from(["C1", "legal", "合规"])),
    "backfill": st.builds(Backfill, NAMES, SINCE, st.booleans()),
    "export": st.builds(Export, st.none() | NAMES, SINCE, st.sampled_from(["csv", "json"])),
    "settings": st.just(ShowSettings()),
}


def test_every_verb_has_its_commands_here() -> None:
    """A verb that is not drawn is not proved."""
    assert set(VERBS) <= set(ALL_COMMANDS)


@given(st.one_of(*ALL_COMMANDS.values()))
def test_every_command_can_be_written_and_read(command: Command) -> None:
    """What a button carries is what was meant, whatever the firm is called."""
    text = unparse(command)
    if len(text) <= LONGEST:
        assert parse(text) == command


@given(st.one_of(*ALL_COMMANDS.values()))
def test_what_is_written_keeps_its_meaning_in_other_clothes(command: Command) -> None:
    """Curly quotes, full-width spaces and colons, Slack's entities: the same command."""
    text = unparse(command)
    worn = text.replace(' "', "　“").replace('" ', "”　").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if len(worn) <= LONGEST:
        assert parse(worn) == command


@given(filters())
def test_a_filter_survives_being_written_down(filter_: Filter) -> None:
    """As the answer shows it, so it can be typed; and the Store reads back what it stored."""
    found = parse(f"actions tencent {filter_}")
    assert isinstance(found, Actions)
    assert found.filter == filter_
