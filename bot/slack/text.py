"""Text on its way into a Slack message: cleaned, cut, escaped, dated, labelled. Pure.

Titles, quotes and names come from strangers' feeds, so nothing of them may reach Slack as markup. The type
`Mrkdwn` marks what is safe in a mrkdwn field; only the functions of this room make it, and the blocks of
`bot.slack.cards` take nothing else. A plain `str` is a stranger's until `escape()` has seen it.
Rules: https://docs.slack.dev/messaging/formatting-message-text
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from bot.slack.grammar.filters import KIND_WORDS
from bot.slack.labels import say
from bot.slack.terms import Term, city, country, spoken, term
from storage.filters import Filter
from storage.models import AmountScope, Broadcast, Deliver, Followed, Health, Kind, Precision, Role, Status
from storage.records import PartialDate
from storage.views import AmountView, Coverage, SourceProblem, SubscriptionView

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_JOINER = "\u2060"  # word joiner: no width, no line break
_MARKERS = re.compile(r"[*_~`]")
_PLACE = re.compile(r"\{(\d*)\}")
_HAN = re.compile("[\u3000-\u303f\u3400-\u9fff\uff00-\uffef\U00020000-\U0003ffff]")
# a token of Slack's, or what we marked; a stranger's marker stands between word joiners, and is only a character
_MARKED = re.compile(
    r"<[^<>]*>|(?P<marked>(?<!\u2060)(?P<mark>[*`])(?!\u2060)(?:(?!(?P=mark))[^\n]|(?<=\u2060)(?P=mark))+(?<!\u2060)(?P=mark)(?!\u2060))"
)
_EMOJI = re.compile(r":(?=[\w+'-]+:)")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_SAFE_IN_URL = "%/:?#[]@!$&'()*+,;=-._~"
_LONGEST_URL = 2_000


class Mrkdwn(str):
    """Text that is safe in a mrkdwn field: our own words, or a stranger's, escaped."""

    __slots__ = ()


# --- strangers' text ------------------------------------------------------------------------------------------------


def clean(text: str) -> str:
    """One line in NFC: no controls, no bidi overrides, no zero-width characters, no lone surrogates.

    NFC and not NFKC, which would change Chinese characters that regulators chose on purpose.
    """
    if text.isascii() and text.isprintable():  # most texts, and the rest of this is slow
        return re.sub(r" +", " ", text).strip()
    kept = []
    for char in unicodedata.normalize("NFC", text):
        category = unicodedata.category(char)
        if category in ("Zs", "Zl", "Zp") or char in "\t\n\v\f\r":
            kept.append(" ")
        elif category not in ("Cc", "Cf", "Cs"):
            kept.append(char)
    return re.sub(r" +", " ", "".join(kept)).strip()


def cut(text: str, limit: int) -> str:
    """At most `limit` characters however Slack counts them (code points or UTF-16 units), an ellipsis for what is gone."""
    if _units(text) <= limit:
        return text
    kept, used = [], 1
    for char in text:
        used += _units(char)
        if used > limit:
            break
        kept.append(char)
    return "".join(kept).rstrip() + "…"


def _units(text: str) -> int:
    return len(text) if text.isascii() else len(text) + sum(char > "\uffff" for char in text)


def plain(text: str, limit: int = 300) -> str:
    """A stranger's text for a plain_text element, where nothing is parsed. Never empty: Slack refuses that."""
    return cut(clean(text), limit) or "-"


def escape(text: str, limit: int = 300) -> Mrkdwn:
    """A stranger's text for a mrkdwn field: cleaned, cut, and without any power.

    `& < >` become entities. `* _ ~` and the backtick have no escape in Slack, so word joiners on both sides
    keep them from opening or closing anything; the same breaks `:emoji:` and a leading `>`.
    """
    out = "".join(_ENTITIES.get(char, char) for char in cut(clean(text), limit))
    out = _MARKERS.sub(lambda marker: f"{_JOINER}{marker[0]}{_JOINER}", out)
    out = _EMOJI.sub(f":{_JOINER}", out)
    return Mrkdwn(f"{_JOINER}{out}" if out.startswith("&gt;") else out)


def mrkdwn(template: str, *values: str | int | Decimal | date) -> Mrkdwn:
    """The template, which is our own, with each `{}` filled: `Mrkdwn` as it is, anything else escaped.

    A translation may name its places, `{1} ... {0}`, to take the values in another order.
    """
    parts = _PLACE.split(template)  # text, number, text, number, ..., text
    places = [int(number) if number else at for at, number in enumerate(parts[1::2])]
    if sorted(places) != list(range(len(values))):
        raise ValueError(f"{len(values)} values for {len(places)} places in {template!r}")
    out = [parts[0]]
    for place, part in zip(places, parts[2::2], strict=True):
        value = values[place]
        out += [value if isinstance(value, Mrkdwn) else _spaced(str(value)), part]
    return Mrkdwn("".join(out))


def _spaced(text: str) -> str:
    """Escaped, with the space at either end that our own words may have."""
    safe = escape(text)
    return f"{' ' if text[:1] == ' ' else ''}{safe}{' ' if safe and text[-1:] == ' ' else ''}"


def join(separator: str, parts: Iterable[Mrkdwn]) -> Mrkdwn:
    """Safe parts with our own separator between those that are not empty."""
    return Mrkdwn(separator.join(part for part in parts if part))


def sentences(parts: Iterable[Mrkdwn], *, language: str = "en") -> Mrkdwn:
    """One after the other, with a space between where the language has one."""
    return join(" " if language == "en" else "", parts)


def bold(text: str | Mrkdwn) -> Mrkdwn:
    """In bold; nothing for an empty text, whose two stars would be shown."""
    safe = text if isinstance(text, Mrkdwn) else escape(text)
    return Mrkdwn(f"*{safe}*") if safe else Mrkdwn("")


def struck(text: Mrkdwn) -> Mrkdwn:
    """Struck through: one line of it."""
    return Mrkdwn(f"~{text}~") if text else text


def code(text: str) -> Mrkdwn:
    """A command or an id, set as code. A backtick would end it, so it becomes an apostrophe."""
    safe = "".join(_ENTITIES.get(char, char) for char in cut(clean(text.replace("`", "'")), 300))
    return Mrkdwn(f"`{safe}`") if safe else Mrkdwn("")


def spaced(text: Mrkdwn) -> Mrkdwn:
    """With a space where what we marked touches Chinese: Slack takes a marker only at the edge of a word."""

    def apart(found: re.Match[str]) -> str:
        if found["marked"] is None:
            return found[0]
        before, after = text[found.start() - 1 : found.start()], text[found.end() : found.end() + 1]
        return f"{' ' if _HAN.match(before) else ''}{found[0]}{' ' if _HAN.match(after) else ''}"

    return Mrkdwn(_MARKED.sub(apart, text))


def fitted(text: Mrkdwn, limit: int) -> Mrkdwn:
    """At most `limit` characters, cut between tokens and entities, never inside one."""
    if _units(text) <= limit:
        return text
    kept, used = [], 1
    for piece in re.findall(r"<[^<>]*>|&\w+;|.|\n", text):
        used += _units(piece)
        if used > limit:
            break
        kept.append(piece)
    return Mrkdwn("".join(kept) + "…")


def listed(names: Sequence[Mrkdwn], budget: int = 1_200, *, language: str = "en") -> Mrkdwn:
    """Names with commas between, as many as fit, and how many more there are."""
    kept: list[Mrkdwn] = []
    used = 0
    for name in names:
        used += _units(name) + 2
        if used > budget:
            break
        kept.append(name)
    more = len(names) - len(kept)
    if more and not kept:
        return mrkdwn(say(language, "{} names"), more)
    shown = Mrkdwn(("、" if language != "en" else ", ").join(kept))
    return mrkdwn(say(language, "{} and {} more"), shown, more) if more else shown


# --- links, people, places ----------------------------------------------------------------------------------------------


def safe_url(url: str) -> str | None:
    """The address, percent-encoded, when it is a plain http or https one; else None.

    An address with a user name in it is none: `https://bank.example@evil.example` deceives the reader.
    """
    url = clean(url)
    try:
        parts = urlsplit(url)
        host, is_plain = parts.hostname, parts.scheme.lower() in ("http", "https") and "@" not in parts.netloc
        ascii_host = (host or "").encode("idna").decode("ascii")
        port = parts.port
    except (ValueError, UnicodeError):
        return None
    if not is_plain or not re.fullmatch(r"[A-Za-z0-9.:_-]+", ascii_host):
        return None
    place = f"[{ascii_host}]" if ":" in ascii_host else ascii_host
    rest = quote(url.split("://", 1)[-1][len(parts.netloc) :], safe=_SAFE_IN_URL)
    out = f"{parts.scheme.lower()}://{place}{f':{port}' if port else ''}{rest}"
    return out if len(out) <= _LONGEST_URL else None


def link(url: str, label: str) -> Mrkdwn:
    """A link with a label; the label alone when the address is not one that may be linked."""
    address = safe_url(url)
    words = escape(label).replace("|", "¦") or "link"
    return Mrkdwn(f"<{address.replace('&', '&amp;')}|{words}>") if address else Mrkdwn(words)


def person(user_id: str) -> Mrkdwn:
    """Who did something: a Slack user as a mention, anyone else (the command line) by name."""
    return Mrkdwn(f"<@{user_id}>") if re.fullmatch(r"[UW][A-Z0-9]{2,20}", user_id) else mrkdwn("@{}", user_id)


def place(slack_id: str, name: str, *, language: str = "en") -> Mrkdwn:
    """A channel by its Slack link, else by name."""
    if re.fullmatch(r"[CG][A-Z0-9]{2,20}", slack_id):
        # Slack puts in the name that it knows; the label is for those who read the text without Slack
        return Mrkdwn(f"<#{slack_id}|{name}>" if re.fullmatch(r"[\w.-]{1,80}", name) else f"<#{slack_id}>")
    return Mrkdwn(say(language, "this conversation")) if slack_id.startswith("D") else mrkdwn("#{}", name or slack_id)


# --- dates ----------------------------------------------------------------------------------------------------------------


def day(value: date, *, year: bool = True, language: str = "en") -> str:
    """18 Mar 2021, 2021年3月18日."""
    if language == "en":
        return f"{value.day} {MONTHS[value.month - 1]}" + (f" {value.year}" if year else "")
    return (f"{value.year}年" if year else "") + f"{value.month}月{value.day}日"


def weekday(value: date, *, language: str = "en") -> str:
    """Sat, 週六."""
    return say(language, DAYS[value.weekday()])


def partial(value: PartialDate, *, language: str = "en") -> str:
    """2021, Mar 2021 or 18 Mar 2021: as exact as it is known."""
    if value.precision is Precision.YEAR:
        return str(value.value.year) if language == "en" else f"{value.value.year}年"
    if value.precision is Precision.MONTH:
        month = value.value.month
        return f"{MONTHS[month - 1]} {value.value.year}" if language == "en" else f"{value.value.year}年{month}月"
    return day(value.value, language=language)


def local(at: datetime, zone: str) -> datetime:
    """The time on the wall in a zone; the same instant unmoved at the very ends of the calendar."""
    try:
        return at.astimezone(ZoneInfo(zone))
    except OverflowError:
        return at


def moment(at: datetime, zone: str, *, language: str = "en") -> str:
    """19 Mar 2021, 12:00 Taipei; 2021年3月19日 12:00（台北）."""
    here = local(at, zone)
    return say(language, "{}, {} {}").format(day(here.date(), language=language), f"{here:%H:%M}", city(zone, language))


def instant(at: datetime, zone: str, *, language: str = "en") -> Mrkdwn:
    """A moment that Slack shows in each reader's own zone; in the channel's where it cannot."""
    words = mrkdwn("{}", moment(at, zone, language=language)).replace("|", "¦")
    stamp = int(at.timestamp())
    return Mrkdwn(f"<!date^{stamp}^{{date_short}}, {{time}}|{words}>") if stamp > 0 else Mrkdwn(words)


def since(at: datetime, zone: str, now: datetime | None, *, language: str = "en") -> str:
    """Sat 21:10 within the week, else 13 Mar 21:10 (with the year when it is another one)."""
    here = local(at, zone)
    named, clock = weekday(here.date(), language=language), f"{here:%H:%M}"
    if now is None:
        return f"{named} {day(here.date(), language=language)}{', ' if language == 'en' else ' '}{clock}"
    if abs((now - at).days) < 6:
        return f"{named} {clock}"
    return f"{day(here.date(), year=here.year != local(now, zone).year, language=language)} {clock}"


def published(at: datetime, precision: Precision | None, zone: str, beside: date | None = None, *, language: str = "en") -> Mrkdwn:
    """When a document came out, never more exact than known; without the year when `beside` names the same one.

    A day is a day where it was published: it is stored as UTC midnight of that day, and not moved into the reader's zone.
    """
    if precision is Precision.MINUTE:
        return instant(at, zone, language=language)
    if precision in (Precision.YEAR, Precision.MONTH):
        return mrkdwn("{}", partial(PartialDate(at.date(), precision), language=language))
    return mrkdwn("{}", day(at.date(), year=beside is None or beside.year != at.year, language=language))


# --- labels -----------------------------------------------------------------------------------------------------------------

_ROLE_WORDS = {
    Role.TARGET: "{} is the target",
    Role.COMPLAINANT: "{} complains",
    Role.COUNTERPARTY: "{} is the other side of a deal",
    Role.VENUE: "{} is the venue",
    Role.IMPERSONATED: "{} is impersonated",
    Role.REGULATOR: "{} acts",
    Role.MENTIONED: "{} is mentioned",
}


def words(value: Term, *, language: str = "en") -> str:
    """proposed penalty, 擬處罰: what a kind, a status, a role or another value of an enum is called."""
    return term(value, language)


def kind_label(kind: Kind, *, language: str = "en") -> str:
    """TALKS 约谈; 約談 in Chinese."""
    return f"{words(kind).upper()} {KIND_WORDS[kind][0]}" if language == "en" else words(kind, language=language)


def either(values: Sequence[str], *, language: str = "en") -> str:
    """fine, investigation or suspension."""
    if len(values) < 2:
        return "".join(values)
    return ("、" if language != "en" else ", ").join(values[:-1]) + say(language, " or ") + values[-1]


def amount(value: AmountView, *, language: str = "en") -> Mrkdwn:
    """As printed, and what kind of sum it is."""
    template = say(language, "{} ({}, for each firm)" if value.scope is AmountScope.EACH else "{} ({})")
    return mrkdwn(template, escape(value.surface, 80), words(value.kind, language=language))


def span(filter_: Filter, *, language: str = "en") -> str:
    """The time that a question asks for: in 90 days, since 2021-03."""
    found = [
        say(language, "in {} days").format(value[:-1]) if value.endswith("d") else say(language, "since {}").format(value)
        for value in filter_.values("since")
    ]
    found += [
        say(language, "older than {} days").format(value[:-1]) if value.endswith("d") else say(language, "until {}").format(value)
        for value in filter_.values("until")
    ]
    return say(language, ", ").join(found) or say(language, "on record")


def rule(followed: Followed, filter_: Filter, *, language: str = "en") -> str:
    """A filter in words, the way a person would say it."""
    who = say(language, "it" if followed is Followed.FIRM else "a firm")
    parts = []
    for key, template in _SAY.items():
        wanted = filter_.values(key)
        unwanted = [value for term in filter_.terms if term.key == key and term.is_negated for value in term.values]
        if key == "role":
            parts += _roles(wanted, unwanted, who, language, is_firm=followed is Followed.FIRM)
            continue

        def told(values: Sequence[str], key: str = key, template: str = template) -> str:
            return say(language, template).format(either([_value(key, value, language) for value in values], language=language))

        if wanted:
            parts.append(told(wanted))
        elif key == "kind":
            parts.append(say(language, "every kind of action"))
        if unwanted:
            parts.append(say(language, "not {}").format(told(unwanted)))
    return say(language, ", ").join(parts)


_SAY = {
    "kind": "{}",
    "severity": "{}",
    "role": "",
    "regulator": "by {}",
    "country": "by regulators of {}",
    "status": "{} in status",
    "min": "of at least {} (an amount in another currency, or none, passes)",
    "currency": "with an amount in {}",
    "since": "dated {}",
    "until": "dated {}",
    "lang": "told in {}",
}


def _value(key: str, value: str, language: str) -> str:
    match key:
        case "kind":
            return words(Kind(value), language=language) if value in set(Kind) else value
        case "status":
            return words(Status(value), language=language) if value in set(Status) else value
        case "country":
            return country(value, language)
        case "lang":
            return spoken(value, language)
        case "severity":
            bound = value.lstrip("<>=")
            said = {">=": "{} or severer", "<=": "{} or milder", ">": "severer than {}", "<": "milder than {}"}
            template = said.get(value.removesuffix(bound), "exactly as severe as {}")
            return say(language, template).format(_value("kind", bound, language))
        case "min":
            return f"{value[:3]} {Decimal(value[3:]):,f}"
        case "since" if value.endswith("d"):
            return say(language, "within the last {} days").format(value[:-1])
        case "until" if value.endswith("d"):
            return say(language, "more than {} days ago").format(value[:-1])
        case "since" | "until":
            return say(language, "since {}" if key == "since" else "until {}").format(value)
    return value


def _roles(wanted: Sequence[str], unwanted: Sequence[str], who: str, language: str, *, is_firm: bool) -> list[str]:
    def told(values: Sequence[str]) -> str:
        said = [say(language, _ROLE_WORDS[Role(value)]).format(who) for value in values if value != Role.GROUP]
        if Role.GROUP in values:
            alone = "a firm of its group is the target" if is_firm else "a firm of a group is the target"
            said.append(say(language, "its group is" if said else alone))
        return either(said, language=language)

    if wanted:
        return [say(language, "where {}").format(told([value for value in wanted if value not in unwanted]))]
    return [say(language, "not where {}").format(told(unwanted))] if unwanted else []


def delivery(subscription: SubscriptionView, *, language: str = "en") -> str:
    """How a subscription delivers, where that is not the default; else nothing."""
    said = {Deliver.NOW: "Alerts only, not in the digest.", Deliver.DIGEST: "In the digest only, no alerts."}.get(subscription.deliver, "")
    shown = {
        Broadcast.NEVER: "Developments stay in the thread.",
        Broadcast.ALL: "Every development is shown in the channel too.",
    }.get(subscription.broadcast, "")
    return sentences([Mrkdwn(say(language, part)) for part in (said, shown) if part], language=language)


def coverage_line(coverage: Coverage, zone: str, now: datetime | None, *, language: str = "en") -> Mrkdwn:
    """Proof of silence: "23 of 24 sources fresh; CSRC blocked since Sat 21:10"."""
    if not coverage.total:
        return Mrkdwn(say(language, "No source is polled for this: silence proves nothing"))
    whole = say(language, "{} of {} source fresh" if coverage.total == 1 else "{} of {} sources fresh")
    many_unread = sum(_is_unread(problem) for problem in coverage.problems) > 3
    told: Counter[tuple[str, Health | None, datetime | None]] = Counter()  # a regulator whose sources all fail in one way is named once
    for problem in coverage.problems:
        if not _is_unread(problem):
            told[problem.regulator, problem.health, problem.since and problem.since.replace(second=0, microsecond=0)] += 1
        elif not many_unread:
            told[problem.regulator, None, None] += 1
    shown = told.most_common()[:3] if len(told) > 3 else list(told.items())
    said = [_problem(*key, count, zone, now, language) for key, count in shown]
    more = sum(told.values()) - sum(count for _, count in shown)
    rest = [mrkdwn(say(language, "{} more"), more)] if more else []
    rest += [mrkdwn(say(language, "{} not read yet"), sum(map(_is_unread, coverage.problems)))] if many_unread else []
    return join(say(language, "; "), [mrkdwn(whole, coverage.fresh, coverage.total), join(say(language, ", "), [*said, *rest])])


def _is_unread(problem: SourceProblem) -> bool:
    """Nothing is wrong with it: nobody has looked yet."""
    return problem.since is None and problem.health is Health.OK


def _problem(
    regulator: str, health: Health | None, at: datetime | None, count: int, zone: str, now: datetime | None, language: str
) -> Mrkdwn:
    """CSRC blocked since Sat 21:10 (2 sources); without a health: not read yet."""
    state = words(health, language=language) if health else say(language, "not read yet")
    who = escape(regulator, 60)
    if at is None:
        line = mrkdwn("{} {}", who, state)
    else:
        line = mrkdwn(say(language, "{} {} since {}"), who, state, since(at, zone, now, language=language))
    return line if count == 1 else mrkdwn(say(language, "{} ({} sources)"), line, count)
