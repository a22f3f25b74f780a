"""What people type, and what it means: hard cases first, then every verb, every key, and what no string can break."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.grammar import (
    LONGEST,
    ActionDetail,
    Actions,
    Command,
    Digest,
    FirmInfo,
    Help,
    Sources,
    Subscribe,
    SubscribeList,
    Target,
    Unsubscribe,
    UserError,
    Why,
    parse,
    unparse,
)
from storage.filters import FILTER_KEYS, Filter, Term
from storage.intents import DigestSetting
from storage.models import Broadcast, Deliver, Followed, Kind, Role, Status


def where(*terms: tuple[str, str] | tuple[str, tuple[str, ...]]) -> Filter:
    """A filter from ("kind", "fine") pairs; "-kind" excludes."""
    return Filter(
        tuple(Term(key.lstrip("-"), (values,) if isinstance(values, str) else values, key.startswith("-")) for key, values in terms)
    )


def firm(name: str) -> Target:
    return Target(Followed.FIRM, name)


def regulator(name: str) -> Target:
    return Target(Followed.REGULATOR, name)


FINE = where(("kind", "fine"))

MEANINGS: list[tuple[str, str, Command]] = [
    # hygiene
    ("curly quotes are quotes", "actions “NetEase Cloud Music” kind:fine", Actions("NetEase Cloud Music", FINE)),
    ("German and French quotes are quotes", "actions „NetEase‟ «kind»", Actions("NetEase kind")),
    ("a quote opened one way may be closed another", 'actions ”Ant Group" kind:fine', Actions("Ant Group", FINE)),
    ("corner brackets need no spaces", "actions「蚂蚁集团」kind：罚款", Actions("蚂蚁集团", FINE)),
    ("double corner brackets too", "recent actions against 『螞蟻集團』", Actions("螞蟻集團")),
    (
        "full-width colon, comma and space are syntax",
        "actions　腾讯　kind：罚款，约谈",
        Actions("腾讯", where(("kind", ("fine", "talks")))),
    ),
    ("the enumeration comma separates values", "腾讯 kind:罚款、約談", Actions("腾讯", where(("kind", ("fine", "talks"))))),
    ("full-width letters are read in syntax", "ａｃｔｉｏｎｓ tencent ｋｉｎｄ:ＦＩＮＥ", Actions("tencent", FINE)),
    ("a stray quote is no part of a name", "actions O”Neill", Actions("ONeill")),
    ("names keep their characters", "actions ㈱テスト", Actions("㈱テスト")),
    ("a long dash before a key is a minus", "tencent –kind:fine", Actions("tencent", where(("-kind", "fine")))),
    ("Slack's entities are read back", "tencent severity:&gt;=fine", Actions("tencent", where(("severity", ">=fine")))),
    ("an ampersand in a name is one", "actions S&amp;P", Actions("S&P")),
    ("a name that Slack made a link is a name", "actions <http://JD.com|JD.com>", Actions("JD.com")),
    ("a channel keeps its id", "why RW-1001 <#C1|legal>", Why(1001, "C1")),
    ("a channel by name keeps its name", "why RW-1001 #legal", Why(1001, "legal")),
    ("a person in the text is text", "actions <@U1|name>", Actions("@U1")),
    ("tabs and line breaks are spaces", "actions\ttencent\n kind:fine", Actions("tencent", FINE)),
    ("a quoted key is part of a name", 'actions "kind:fine"', Actions("kind:fine")),
    ("a quoted verb is a firm", '"help"', Actions("help")),
    ("a comma in quotes does not separate", 'subscribe "Alibaba, Inc."', Subscribe((firm("Alibaba, Inc."),))),
    # asking
    ("nothing is help", "", Help()),
    ("spaces are nothing", "  　 ", Help()),
    ("a firm alone", "tencent", Actions("tencent")),
    ("several words alone", "NetEase Cloud Music", Actions("NetEase Cloud Music")),
    ("actions", "actions tencent", Actions("tencent")),
    ("recent actions against", "recent actions against Tencent", Actions("Tencent")),
    ("recent", "recent tencent", Actions("tencent")),
    ("against", "against tencent", Actions("tencent")),
    ("show", "show tencent", Actions("tencent")),
    ("show me the latest actions on", "Show me the latest actions on TikTok since:2020", Actions("TikTok", where(("since", "2020")))),
    ("what about", "what about 腾讯？", Actions("腾讯")),
    ("what's new about", "what's new about Tencent?", Actions("Tencent")),
    ("verbs in any case", "ACTIONS Tencent", Actions("Tencent")),
    ("a ticker", "actions 0700.HK", Actions("0700.HK")),
    ("a ticker with a dollar", "$TCEHY", Actions("$TCEHY")),
    ("all", "actions all since:30d", Actions(None, where(("since", "30d")))),
    ("a filter alone asks about all", "actions regulator:csrc", Actions(None, where(("regulator", "csrc")))),
    ("filters may stand before the firm", "actions kind:fine tencent", Actions("tencent", FINE)),
    ("a page", "actions tencent page:2", Actions("tencent", page=2)),
    ("what looks like a time is part of a name", "actions studio 12:30", Actions("studio 12:30")),
    ("a firm whose name begins like a verb", "list of works", Actions("list of works")),
    # one action
    ("a number alone", "RW-1001", ActionDetail(1001)),
    ("in any spelling", "#rw 1001", ActionDetail(1001)),
    ("with a full-width dash", "action rw－1001", ActionDetail(1001)),
    ("action and digits", "action 1001", ActionDetail(1001)),
    ("show and a number", "show RW-1001", ActionDetail(1001)),
    # following
    ("subscribe", "subscribe tencent", Subscribe((firm("tencent"),))),
    ("subscribe to", "subscribe to tencent", Subscribe((firm("tencent"),))),
    ("an empty name is none", 'subscribe "", tencent', Subscribe((firm("tencent"),))),
    ("a shout is text", "actions <!here> <!subteam^S1|@team>", Actions("@here @team")),
    ("several firms", "subscribe tencent, 阿里巴巴，小米", Subscribe((firm("tencent"), firm("阿里巴巴"), firm("小米")))),
    ("a firm twice is one", "subscribe tencent, tencent", Subscribe((firm("tencent"),))),
    ("a regulator with no firm before it is followed", "subscribe regulator:csrc,cac", Subscribe((regulator("csrc"), regulator("cac")))),
    ("after a firm it is a filter", "subscribe tencent regulator:csrc", Subscribe((firm("tencent"),), where(("regulator", "csrc")))),
    ("all", "subscribe all severity:>=fine", Subscribe((Target(Followed.ALL),), where(("severity", ">=fine")))),
    (
        "options",
        "subscribe tencent broadcast:never deliver:digest",
        Subscribe((firm("tencent"),), broadcast=Broadcast.NEVER, deliver=Deliver.DIGEST),
    ),
    (
        "the whole rule",
        "subscribe 阿里巴巴 kind:fine,investigation,suspension -role:mentioned",
        Subscribe((firm("阿里巴巴"),), where(("kind", ("fine", "investigation", "suspension")), ("-role", "mentioned"))),
    ),
    ("the list", "subscribe list", SubscribeList()),
    ("the list by its own name", "subscriptions", SubscribeList()),
    ("the list in short", "list", SubscribeList()),
    ("subscribe alone", "subscribe", SubscribeList()),
    ("a firm called List", 'subscribe "list"', Subscribe((firm("list"),))),
    ("unsubscribe", "unsubscribe tencent", Unsubscribe(targets=(firm("tencent"),))),
    ("by number", "unsubscribe #17", Unsubscribe(ids=(17,))),
    ("by numbers", "unsubscribe #17, 18", Unsubscribe(ids=(17, 18))),
    ("from a regulator", "unsubscribe regulator:csrc", Unsubscribe(targets=(regulator("csrc"),))),
    ("from everything", "unsubscribe from all", Unsubscribe(is_everything=True)),
    # digest, sources, help
    ("digest alone shows it", "digest", Digest("show")),
    ("digest off", "digest off", Digest("set", DigestSetting(is_on=False))),
    ("digest now", "digest now", Digest("now")),
    ("digest preview", "digest preview", Digest("preview")),
    (
        "digest at",
        "digest at 8:30 Asia/Taipei daily empty:skip",
        Digest("set", DigestSetting(at="08:30", zone="Asia/Taipei", days="daily", sends_empty=False)),
    ),
    ("digest at, with full-width digits", "digest at ０８：３０", Digest("set", DigestSetting(at="08:30"))),
    ("noon and midnight", "digest at 12:05am", Digest("set", DigestSetting(at="00:05"))),
    ("an afternoon", "digest at 6pm weekdays", Digest("set", DigestSetting(at="18:00", days="weekdays"))),
    ("sources", "sources", Sources()),
    ("sources of one", "sources 证监会", Sources("证监会")),
    ("sources of one by its key", "sources regulator:csrc", Sources("csrc")),
    ("help for a verb", "help recent", Help("actions")),
    ("why", "why RW-1001", Why(1001)),
    ("firm", "firm NetEase Cloud Music", FirmInfo("NetEase Cloud Music")),
]


@pytest.mark.parametrize(("typed", "meant"), [case[1:] for case in MEANINGS], ids=[f"{case[0]} ({at})" for at, case in enumerate(MEANINGS)])
def test_what_is_typed_means(typed: str, meant: Command) -> None:
    """Each text is one command, and that command written back is the same again."""
    assert parse(typed) == meant
    assert parse(unparse(meant)) == meant


VALUES: list[tuple[str, str, str | tuple[str, ...]]] = [
    ("kind", "fines", "fine"),
    ("kind", "Summons", "talks"),
    ("kind", "proposed-penalty", "proposed_penalty"),
    ("kind", '"statement of objections"', "proposed_penalty"),
    ("kind", "責令整改", "rectification"),
    ("kind", "fine,fine,罚款", "fine"),
    ("severity", "fine+", ">=fine"),
    ("severity", "≥罚款", ">=fine"),
    ("severity", "=fine", "fine"),
    ("severity", "<=talks", "<=talks"),
    ("role", "TARGET,group", ("target", "group")),
    ("status", '"in force"', "in_force"),
    ("country", "cn,UK,中国", ("CN", "GB")),
    ("country", "us-ny", "US-NY"),
    ("lang", "ZH-hans", "zh-Hans"),
    ("lang", "chinese", "zh"),
    ("currency", "rmb", "CNY"),
    ("min", "USD1m", "USD1000000"),
    ("min", "US$1,000,000", "USD1000000"),
    ("min", "1m USD", "USD1000000"),
    ("min", "1.5bn EUR", "EUR1500000000"),
    ("min", "€2.5m", "EUR2500000"),
    ("min", "500万 人民币", "CNY5000000"),
    ("min", "HK$3亿", "HKD300000000"),
    ("min", "USD0.50", "USD0.5"),
    ("min", "USD1,000,EUR2m", ("USD1000", "EUR2000000")),
    ("since", "90D", "90d"),
    ("since", "12w", "84d"),
    ("since", "3m", "90d"),
    ("since", "2年", "730d"),
    ("since", "2021", "2021"),
    ("since", "2021/3", "2021-03"),
    ("since", "2021年3月1日", "2021-03-01"),
    ("until", "2021.3.1", "2021-03-01"),
    ("since", "yesterday", "1d"),
    ("limit", "07", "7"),
    ("regulator", '"Cyberspace Administration of China"', "Cyberspace Administration of China"),
    ("regulator", "网信办", "网信办"),
]


@pytest.mark.parametrize(("key", "typed", "canonical"), VALUES, ids=[f"{key}:{typed}" for key, typed, _ in VALUES])
def test_values_become_canonical(key: str, typed: str, canonical: str | tuple[str, ...]) -> None:
    """However it is written, a rule is kept in one form, and the Store reads that form."""
    meant = where((key, canonical))
    assert parse(f"actions tencent {key}:{typed}") == Actions("tencent", meant)
    assert Filter.parse(str(meant)) == meant


def test_the_same_key_twice_is_one_term() -> None:
    """Values of one key are alternatives, wherever they stand."""
    assert parse("tencent kind:fine since:30d kind:talks") == Actions("tencent", where(("kind", ("fine", "talks")), ("since", "30d")))


def test_a_value_may_follow_its_colon_or_comma_after_a_space() -> None:
    """People write lists as in a sentence."""
    assert parse("tencent kind: fine, talks") == Actions("tencent", where(("kind", ("fine", "talks"))))


SUGGESTIONS: list[tuple[str, str, str, str]] = [
    (
        "a mistyped key",
        "actions bytedance knd:fine since：30d",
        "No filter “knd”. Did you mean kind:fine ?",
        "actions bytedance kind:fine since：30d",
    ),
    ("a mistyped key with a minus", "actions tencent -rol:group", "Did you mean -role:group ?", "actions tencent -role:group"),
    ("a mistyped value", "tencent kind:fnie,talks", "Did you mean fine ?", "tencent kind:fine,talks"),
    ("a mistyped value after a minus", "tencent -kind:fnie", "Did you mean fine ?", "tencent -kind:fine"),
    ("a mistyped value after its colon and a space", "tencent kind: fnie", "Did you mean fine ?", "tencent kind:fine"),
    ("a mistyped value in a sentence", "tencent kind:talks, fnie since:30d", "Did you mean fine ?", "tencent kind:talks,fine since:30d"),
    (
        "a mistyped key beside an amount in two words",
        "tencent min:1m USD snce:30d",
        "Did you mean since:30d ?",
        "tencent min:1m USD since:30d",
    ),
    ("a mistyped severity", "tencent severity:>=fnie", "Did you mean severity:>=fine ?", "tencent severity:>=fine"),
    ("a severity of what has none", "tencent severity:>=approval", "stands beside the scale", "tencent kind:approval"),
    ("a mistyped option", "subscribe tencent deliver:digset", "Did you mean deliver:digest ?", "subscribe tencent deliver:digest"),
    ("a dollar of no country", "tencent min:$1m", "“$” may be several currencies", "tencent min:USD1m"),
    ("a yen or a yuan", "tencent min:¥5亿", "“¥” may be several currencies", "tencent min:CNY5亿"),
    ("an amount without currency", "tencent min:1000", "An amount needs its currency", "tencent min:USD1000"),
    ("action and a firm", "action tencent", "`actions` asks about a firm", "actions tencent"),
    ("help with a mistyped verb", "help subscrbe", "There is no command “subscrbe”", "help subscribe"),
    ("a mistyped word of the digest", "digest weekdyas", "Did you mean weekdays ?", "digest weekdays"),
    ("a verb of a later version", "timeline tencent", "`timeline` is not in this version yet", "actions tencent"),
    ("unsubscribe alone", "unsubscribe", "Unsubscribe from what?", "subscribe list"),
    ("why with two channels", "why RW-1001 #a #b", "at most one channel", "why RW-1001"),
]


@pytest.mark.parametrize(("typed", "words", "suggestion"), [case[1:] for case in SUGGESTIONS], ids=[case[0] for case in SUGGESTIONS])
def test_a_near_miss_is_offered_never_taken(typed: str, words: str, suggestion: str) -> None:
    """The error says what is wrong; the suggestion is a whole command that works."""
    error = parse(typed)
    assert isinstance(error, UserError)
    assert words in error.text
    assert error.suggestion == suggestion
    assert not isinstance(parse(suggestion), UserError)


ERRORS: list[tuple[str, str, str]] = [
    ("an unclosed quote", 'actions "tencent kind:fine', "is not closed"),
    ("an unclosed corner bracket", "actions 「腾讯", "is not closed"),
    ("an unknown key", "tencent colour:red", "No filter “colour”"),
    ("an unknown kind", "tencent kind:hug", "There are: speech, guidance"),
    ("a key without a value", "tencent kind:", "`kind:` needs a value"),
    ("a day that does not exist", "tencent since:2021-02-30", "does not take “2021-02-30”"),
    ("a number without a unit", "tencent since:30", "does not take “30”"),
    ("a country by a wrong name", "tencent country:atlantis", "Two letters"),
    ("an unknown currency", "tencent min:XXX5", "No currency “xxx”"),
    ("two currencies", "tencent min:USD5EUR", "`min:` does not take"),
    ("an amount with a strange comma", "tencent min:USD1,2", "`min:` does not take"),
    ("a monstrous amount", f"tencent min:USD{'9' * 60}", "too long"),
    ("a limit of zero", "tencent limit:0", "from 1 to 20"),
    ("a limit too large", "tencent limit:21", "from 1 to 20"),
    ("two limits", "tencent limit:1,2", "`limit:` takes one number"),
    ("a limit that excludes", "tencent -limit:1", "`limit:` takes one number"),
    ("a limit in a rule", "subscribe tencent limit:3", "`limit:` is for questions"),
    ("a page of zero", "tencent page:0", "`page:` takes a number"),
    ("an option of another verb", "actions tencent deliver:now", "`deliver:` belongs to `subscribe`"),
    ("a choice that is none", "subscribe tencent broadcast:maybe", "never, escalation, all"),
    ("a severity of nothing", "tencent severity:<>", "`severity:` does not take"),
    ("a severity of no kind", "tencent severity:>=hug", "No kind “hug”"),
    ("a language that is none", "tencent lang:klingonese", "Such as lang:zh"),
    ("a currency that is none", "tencent currency:dollar", "Three letters"),
    ("a regulator of nothing but quotes", 'tencent regulator:「"」', "`regulator:` does not take"),
    ("no number", "tencent min:lots", "`min:` does not take “lots”"),
    ("a unit that is none", "tencent min:5x", "No currency “x”"),
    ("actions of nobody", "recent actions against", "Actions against whom?"),
    ("subscribe to nothing", "subscribe kind:fine", "Subscribe to what?"),
    ("subscribe without a regulator", "subscribe -regulator:csrc", "Subscribe to what?"),
    ("firm without a name", "firm", "Which firm?"),
    ("firm with a filter", "firm tencent foo:bar", "No filter “foo”"),
    ("unsubscribe with a filter", "unsubscribe tencent kind:fine", "`unsubscribe` takes no filter `kind:`"),
    ("sources with a filter", "sources kind:fine", "`sources` takes no filter"),
    ("sources that an admin would arm", "sources arm us-sec", "`sources arm` is not in this version yet"),
    ("action alone", "action", "Which action?"),
    ("why alone", "why", "Why which action?"),
    ("why a firm", "why tencent", "Why which action?"),
    ("a number beyond all databases", "RW-99999999999999", "There is no action"),
    ("a time that is none", "digest at 25:00", "`digest` does not know “25:00”"),
    ("a time of no half day", "digest at 13pm", "`digest` does not know “13pm”"),
    ("help for a later verb", "help totals", "`totals` is not in this version yet"),
    ("help for nothing we know", "help yodel", "There is no command “yodel”"),
    ("mute", "mute tencent for 7d", "`mute` is not in this version yet: `subscribe <firm> deliver:digest`"),
    ("settings", "settings", "`settings` is not in this version yet"),
    ("far too long", "x" * (LONGEST * 5), "too long"),
    ("too long", "x" * (LONGEST + 1), "too long"),
]


@pytest.mark.parametrize(("typed", "words"), [case[1:] for case in ERRORS], ids=[case[0] for case in ERRORS])
def test_an_error_names_its_cause(typed: str, words: str) -> None:
    """And what to type instead, in the same words as the help."""
    error = parse(typed)
    assert isinstance(error, UserError)
    assert words in error.text


@pytest.mark.parametrize("verb", ["totals", "timeline", "search", "mute", "unmute", "backfill", "export", "settings"])
def test_a_later_verb_is_never_a_firm(verb: str) -> None:
    """It says that it is not there yet, and what is."""
    error = parse(f"{verb} tencent")
    assert isinstance(error, UserError)
    assert "not in this version yet" in error.text


@pytest.mark.parametrize(
    ("typed", "instead"),
    [("subcribe tencent", "subscribe tencent"), ("sbuscribe tencent kind:fine", "subscribe tencent kind:fine"), ("sourcse", "sources")],
)
def test_an_unknown_verb_is_tried_as_a_firm(typed: str, instead: str) -> None:
    """The verb it may have meant goes along, for the case that there is no such firm."""
    command = parse(typed)
    assert isinstance(command, Actions)
    assert command.instead == instead


def test_every_kind_is_found_by_its_names() -> None:
    """By its value in any spelling, and by the Chinese label that cards show, in either script."""
    from bot.slack.grammar.filters import KIND_WORDS

    for kind in Kind:
        for spelling in (kind.value, kind.value.upper(), f'"{kind.value.replace("_", " ")}"', *(f'"{word}"' for word in KIND_WORDS[kind])):
            assert parse(f"tencent kind:{spelling}") == Actions("tencent", where(("kind", kind.value))), spelling


TYPED = st.text(st.one_of(st.characters(), st.sampled_from('"“”「」『』:：,，-–<>&;#@!|=+ 　\t\n$¥.0123456789kindrgulatosce腾讯騰')))


@given(st.one_of(TYPED, TYPED.map(lambda text: f"actions {text}"), TYPED.map(lambda text: f"subscribe x {text}")))
def test_no_string_raises(text: str) -> None:
    """Total: a command or an error with words, and a suggestion that parses."""
    found = parse(text)
    if isinstance(found, UserError):
        assert found.text
        if found.suggestion is not None:
            parse(found.suggestion)


@given(TYPED)
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
def filters(draw: st.DrawFn) -> Filter:
    """Any canonical filter: at most one term for a key and its sign, in the order of the keys."""
    terms = []
    for key in FILTER_KEYS:
        for is_negated in (False, True):
            if draw(st.booleans()) and not (key == "limit" and is_negated):
                most = 1 if key == "limit" else 3
                values = draw(st.lists(_TERMS[key], min_size=1, max_size=most, unique=True))
                terms.append(Term(key, tuple(values), is_negated))
    return Filter(tuple(terms))


@given(filters())
def test_a_filter_survives_being_written_down(filter_: Filter) -> None:
    """As the answer shows it, so it can be typed; and the Store reads back what it stored."""
    found = parse(f"actions tencent {filter_}")
    assert isinstance(found, Actions)
    assert found.filter == filter_
