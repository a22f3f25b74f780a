"""What people type, and what it means: hard cases first, then every verb, every key, and what no string can break."""

from __future__ import annotations

import pytest

from bot.slack.grammar import (
    LONGEST,
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
from storage.filters import Filter, Term
from storage.intents import DigestSetting
from storage.models import Broadcast, Deliver, Followed, Kind


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
YEAR = where(("since", "2021"), ("until", "2021"))

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
    ("a key may follow a full-width comma", "腾讯，小米，-kind：罚款", Actions("腾讯 小米", where(("-kind", "fine")))),
    ("a comma before no key is part of a name", "actions Foo,bar:12", Actions("Foo bar:12")),
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
    ("what has no width is no part of a word", "\u202akind\u200b:fine\u202c ten\u2060cent", Actions("tencent", FINE)),
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
    ("with the apostrophe of a telephone", "What’s new about McDonald’s", Actions("McDonald’s")),
    ("what happened to", "what happened to Tencent?", Actions("Tencent")),
    ("news about", "any news on ByteDance", Actions("ByteDance")),
    ("a firm whose name begins with News", "news corp", Actions("news corp")),
    ("in a year", "recent actions against Tencent in 2021", Actions("Tencent", YEAR)),
    ("a year beside another time is part of the name", "actions Made in 2021 since:30d", Actions("Made in 2021", where(("since", "30d")))),
    ("a quoted year is part of the name", 'actions "Made in 2021"', Actions("Made in 2021")),
    ("a quoted all is a firm", 'actions "all"', Actions("all")),
    ("a quoted number is a firm", 'actions "RW-1001"', Actions("RW-1001")),
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
    ("sources by another way of asking", "show me the sources", Sources()),
    ("an order about a source", "sources ARM US-SEC-Litigation", SourceOrder("arm", "us-sec-litigation")),
    ("a quoted order is a regulator", 'sources "hold"', Sources("hold")),
    ("help for a verb", "help recent", Help("actions")),
    ("why", "why RW-1001", Why(1001)),
    ("firm", "firm NetEase Cloud Music", FirmInfo("NetEase Cloud Music")),
    ("a firm with a comma in its name", "firm Alibaba, Inc.", FirmInfo("Alibaba Inc.")),
    # figures
    ("how much was, with a year", "How much was Tencent fined in 2021?", Totals("Tencent", filter=YEAR)),
    ("how much has been", "how much has ant group been fined so far since:2020", Totals("ant group", filter=where(("since", "2020")))),
    ("how much, of something else", "how much is that", Actions("how much is that")),
    ("how much, of nobody", "how much was fined", Actions("how much was fined")),
    ("a firm called Total", "total", Actions("total", instead="totals")),
    ("totals", "totals tencent", Totals("tencent")),
    ("totals by year", "totals Tencent by year since:2020", Totals("Tencent", "year", where(("since", "2020")))),
    ("totals by kinds", "totals of tencent by kinds", Totals("tencent", "kind")),
    ("totals by its key", "totals tencent by：regulator", Totals("tencent", "regulator")),
    ("totals of a firm with by in its name", 'totals "Stand by Me" by year', Totals("Stand by Me", "year")),
    ("totals of all", "totals all by year", Totals(None, "year")),
    ("totals of a filter", "totals country:CN by kind", Totals(None, "kind", where(("country", "CN")))),
    ("totals of a firm called All", 'totals "all"', Totals("all")),
    ("time line", "timeline 阿里巴巴 -kind:speech", Timeline("阿里巴巴", where(("-kind", "speech")))),
    ("time line of", "show timeline of tencent", Timeline("tencent")),
    ("time line of all", "timeline all", Timeline(None)),
    # full text
    ("search", "search 數據 安全", Search("數據 安全")),
    ("search for a phrase", "search for “data security” law，kind:fine page:2", Search('"data security" law', FINE, 2)),
    ("a phrase in corner brackets", "search「不正当竞争」腾讯", Search('"不正当竞争" 腾讯')),
    ("a colon that is no filter", "search 12:30", Search('"12:30"')),
    ("a stray quote is no word", 'search 「"」 a”b', Search("ab")),
    ("the word for", 'search "for"', Search('"for"')),
    ("search for, after a filter", "search kind:fine for law", Search("law", FINE)),
    # silence
    ("mute a firm", "mute tencent for 7d", Mute("tencent", span="7d")),
    ("mute for a week", "mute Tencent Music for a week", Mute("Tencent Music", span="7d")),
    ("mute for hours", "mute tencent for 12 hours", Mute("tencent", span="12h")),
    ("mute without for", "mute 騰訊 3天", Mute("騰訊", span="3d")),
    ("mute for weeks", "mute tencent for 2w", Mute("tencent", span="14d")),
    ("mute for a month", "mute tencent for 1 month", Mute("tencent", span="30d")),
    ("mute by keys", "mute tencent for:7d", Mute("tencent", span="7d")),
    ("mute until, by its key", "mute tencent until: 2021/4/1", Mute("tencent", span="2021-04-01")),
    ("mute a case", "mute rw 1001 for 12h", Mute(action_id=1001, span="12h")),
    ("mute the channel", "mute this channel until 2021-04-01", Mute(span="2021-04-01")),
    ("mute everything", "mute everything for 1h", Mute(span="1h")),
    ("mute a firm called Channel", 'mute "channel" for 7d', Mute("channel", span="7d")),
    ("mute a firm with for in its name", 'mute "Bank for Cooperation" for 7d', Mute("Bank for Cooperation", span="7d")),
    ("mute a firm called like a number", 'mute "RW-1001" for 7d', Mute("RW-1001", span="7d")),
    ("the last for counts", "mute bank for cooperation for 7d", Mute("bank for cooperation", span="7d")),
    ("unmute a firm", "unmute tencent", Mute("tencent", is_off=True)),
    ("unmute a case", "unmute RW-1001", Mute(action_id=1001, is_off=True)),
    ("unmute the channel", "unmute channel", Mute(is_off=True)),
    # orders and forms
    ("backfill", "backfill tencent since:2020-01-01", Backfill("tencent", "2020-01-01")),
    ("backfill a source, to see", "backfill us-sec-litigation --dry-run", Backfill("us-sec-litigation", is_dry_run=True)),
    ("backfill, in two words", "backfill tencent dry run since:2020", Backfill("tencent", "2020", is_dry_run=True)),
    ("a firm called Run", "backfill run", Backfill("run")),
    ("export", "export tencent", Export("tencent")),
    ("export since, as", "export 腾讯 since:2021-03 as JSON", Export("腾讯", "2021-03", "json")),
    ("export as, by its key", "export tencent as:csv", Export("tencent")),
    ("export the channel", "export this channel as json", Export(None, None, "json")),
    ("export a firm with as in its name", 'export "Such as It Is" as json', Export("Such as It Is", None, "json")),
    ("settings", "settings", ShowSettings()),
    ("settings, asked for", "show the settings", ShowSettings()),
]


@pytest.mark.parametrize(("typed", "meant"), [case[1:] for case in MEANINGS], ids=[f"{case[0]} ({at})" for at, case in enumerate(MEANINGS)])
def test_what_is_typed_means(typed: str, meant: Command) -> None:
    """Each text is one command, and that command written back is the same again."""
    assert parse(typed) == meant
    if getattr(meant, "instead", None) is None:
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
    (
        "a mistyped verb with an option of its own",
        "subcribe tencent deliver:now",
        "There is no command “subcribe”",
        "subscribe tencent deliver:now",
    ),
    ("totals by what is no group", "totals tencent by month kind:fine", "not by “month”", "totals tencent by year kind:fine"),
    ("totals by a mistyped group", "totals tencent by knd", "not by “knd”", "totals tencent by kind"),
    ("totals by nothing", "totals tencent by", "counts by year, regulator or kind", "totals tencent by year"),
    ("totals of nobody", "totals by kind", "Totals of whom?", "totals all by kind"),
    ("mute for no time", "mute tencent", "For how long?", "mute tencent for 7d"),
    ("mute until a day of the week", "mute tencent until monday", "neither takes “monday”", "mute tencent for 7d"),
    ("mute for a day", "mute tencent for 2021-04-01", "`until` takes a day", "mute tencent until 2021-04-01"),
    ("mute until a span", "mute tencent until 2 weeks", "`for` takes 12h, 7d or 2w", "mute tencent for 14d"),
    ("mute for minutes or months", "mute tencent for 3m", "neither takes “3m”", "mute tencent for 7d"),
    ("mute for ever", "mute tencent for 9000h", "up to a year", "mute tencent for 7d"),
    ("mute for no days", "mute tencent for 0d", "up to a year", "mute tencent for 7d"),
    ("mute a firm with for in its name, bare", "mute bank for cooperation", "goes in quotes", "mute bank for 7d"),
    ("mute another channel", "mute <#C1|legal> until 2021-04-01", "the channel that it is typed in", "mute channel until 2021-04-01"),
    ("unmute another channel", "unmute #legal", "the channel that it is typed in", "unmute channel"),
    ("unmute all", "unmute all", "a firm and an action have their own", "unmute channel"),
    ("a mistyped order", "sources amr us-sec-litigation", "Did you mean arm ?", "sources arm us-sec-litigation"),
    ("an order about no source", "sources arm", "takes the id of one source", "sources"),
    ("an order about two", "sources hold a b", "takes the id of one source", "sources"),
    ("export as something else", "export tencent as xml", "writes csv or json, not “xml”", "export tencent as csv"),
    ("export as a mistyped format", "export tencent as jsn since:2021", "not “jsn”", "export tencent as json since:2021"),
    ("export as nothing", "export tencent as", "writes csv or json", "export tencent as csv"),
    ("export nothing", "export", "Export what?", "export channel"),
    ("export another channel", "export <#C1|legal> since:2021 as json", "is typed in", "export channel since:2021 as json"),
    ("settings with words", "settings zone Asia/Taipei", "it opens a form", "settings"),
    ("backfill with a mistyped key", "backfill tencent snce:2020", "Did you mean since:2020 ?", "backfill tencent since:2020"),
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
    ("a limit in a rule", "subscribe tencent limit:3", "`limit:` is for lists"),
    ("a limit of sums", "totals tencent limit:3", "`limit:` is for lists"),
    ("a limit of a time line", "timeline tencent limit:3", "`limit:` is for lists"),
    ("a mistyped verb whose rest is wrong too", "firma kind:hug", "No kind “hug”"),
    ("a time line of nobody", "timeline", "The time line of whom?"),
    ("search for nothing", "search kind:fine", "Search for what?"),
    ("search for and no word", "search for kind:fine", "Search for what?"),
    ("search for a quote", 'search ""', "Search for what?"),
    ("mute alone", "mute", "Mute what?"),
    ("mute until", "mute until", "Mute what?"),
    ("mute nothing until", "mute until 2021-04-01", "Mute what?"),
    ("mute nothing for ever", "mute for ever", "neither takes “ever”"),
    ("mute an empty name", 'mute "" for 7d', "Mute what?"),
    ("mute a filter", "mute kind:fine for 7d", "`mute` takes no filter `kind:`"),
    ("mute for a quoted span", 'mute tencent for "7d"', "neither takes “7d”"),
    ("unmute alone", "unmute", "Unmute what?"),
    ("backfill alone", "backfill since:2020", "Backfill what?"),
    ("backfill with a filter", "backfill tencent kind:fine", "`help backfill` shows what it takes"),
    ("export since two days", "export tencent since:2021,2020", "takes one `since:`"),
    ("export without a day", "export tencent -since:2021", "takes one `since:`"),
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
    ("action alone", "action", "Which action?"),
    ("why alone", "why", "Why which action?"),
    ("why a firm", "why tencent", "Why which action?"),
    ("a number beyond all databases", "RW-99999999999999", "There is no action"),
    ("a time that is none", "digest at 25:00", "`digest` does not know “25:00”"),
    ("a time of no half day", "digest at 13pm", "`digest` does not know “13pm”"),
    ("help for nothing we know", "help yodel", "There is no command “yodel”"),
    ("far too long", "x" * (LONGEST * 5), "too long"),
    ("too long", "x" * (LONGEST + 1), "too long"),
    ("three thousand characters of entities", "&amp;" * 3_000, "too long"),
    ("three thousand characters", "kind:fine " * 300, "1,500 characters at most"),
]


@pytest.mark.parametrize(("typed", "words"), [case[1:] for case in ERRORS], ids=[case[0] for case in ERRORS])
def test_an_error_names_its_cause(typed: str, words: str) -> None:
    """And what to type instead, in the same words as the help."""
    error = parse(typed)
    assert isinstance(error, UserError)
    assert words in error.text


@pytest.mark.parametrize(
    ("typed", "instead"),
    [
        ("subcribe tencent", "subscribe tencent"),
        ("sbuscribe tencent kind:fine", "subscribe tencent kind:fine"),
        ("sourcse", "sources"),
        ("mtue tencent for 7d", "mute tencent for 7d"),
    ],
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


def test_an_error_can_be_said_in_another_language() -> None:
    """Its templates are translated; what was typed stays as it was."""
    error = parse("actions 腾讯 knd:fine")
    assert isinstance(error, UserError)
    assert error.label == "Run with kind:fine"
    assert (
        error.said({"No filter “{}”. Did you mean {} ?": "沒有篩選條件「{}」，是否指 {}？"}.__getitem__)
        == "沒有篩選條件「knd」，是否指 kind:fine？"
    )
    assert error.labelled({"Run with {}": "改用 {}"}.__getitem__) == "改用 kind:fine"
    assert UserError("Such is it.", suggestion="help").label == ""
