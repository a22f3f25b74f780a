"""The forms that open in Slack, and what people put into them. Pure.

`xxx_form(...)` draws a view for views.open; `read_xxx(view)` reads the view that comes back, and gives either what was asked
for or `Errors`, a sentence for each block that is wrong, as `response_action: errors` takes them. `bot.slack.fields` draws and
reads the single fields, and carries what a form must remember: its channel, the action, the language of its errors.
Names that people type are not looked up here, for this room knows no register: regulators come back as typed.

A form never loses what it cannot show: the terms of a rule that have no field travel with it and come back unchanged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

import bot.slack.fields as fields
import bot.slack.text as t
from bot.slack.blocks import Block, Look, Message, context, section
from bot.slack.cards import head_line, match_label
from bot.slack.fields import View
from bot.slack.grammar import ActionDetail, parse
from bot.slack.labels import LANGUAGES, say
from bot.slack.replies import broadcast_words, counted, followed_name, place_name, remembered, rule_words, who_words
from bot.slack.text import escape, join, mrkdwn
from storage.filters import Filter, Term
from storage.intents import ChannelSetting, DigestSetting
from storage.models import Broadcast, Deliver, Kind, Role, Strength
from storage.tenancy import Verdict, WhoMayChange
from storage.views import CardView, ChannelView, FirmMatch, SubscriptionView

Errors = dict[str, str]
"""block_id -> what is wrong there, and what to put in instead."""

LONGEST_REASON = 300
LONGEST_NAME = 120
LONGEST_LINE = 1_500
MOST_NAMES = 12

_FIRM_ID = re.compile(r"[\w.&+'-]{1,150}")


def _kind_labels(look: Look) -> dict[str, str]:
    return {kind.value: _capital(t.words(kind, language=look.language)) for kind in Kind}


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


# --- subscribe ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SubscribeForm:
    """What is to be followed, where and how. With a `subscription_id` it is that rule that changes, and no firm is named.

    Regulators in the filter are as typed. `broadcast` None: the channel's.
    """

    channel_id: str
    firm_ids: tuple[str, ...]
    filter: Filter
    broadcast: Broadcast | None
    deliver: Deliver
    subscription_id: int | None = None


def subscribe_form(
    look: Look, *, channel_id: str | None = None, firm: FirmMatch | None = None, rule: SubscriptionView | None = None
) -> View:
    """The form of a new subscription or, with `rule`, of one that is to change: what it follows, and where, is fixed then.

    Raises ValueError for a rule with so many terms that a form cannot carry them; the command can.
    """
    filter_ = rule.filter if rule else Filter((Term("role", (Role.TARGET.value, Role.GROUP.value)),))
    shown, kept = _fields_of(filter_)
    metadata = fields.pack(
        channel=channel_id,
        rule=rule.id if rule else None,
        kept=str(kept),
        language=look.language,
    )
    # "any" can be chosen again, for not every client can clear a choice
    severities = {"any": look.say("Any")} | {
        f">={kind.value}": look.say("{} or severer").format(_capital(t.words(kind, language=look.language)))
        for kind in Kind
        if kind.severity
    }
    roles = {role.value: _capital(t.words(role, language=look.language)) for role in Role}
    blocks = [
        *(
            _whom(look, channel_id, firm)
            if rule is None
            else [section(mrkdwn("{}\n{}", followed_name(rule, look), rule_words(rule, look)))]
        ),
        fields.field(
            "kinds",
            look.say("Kinds of action"),
            fields.choices(_kind_labels(look), shown["kind"], look.say("Every kind")),
            hint=look.say("Nothing chosen: every kind."),
            is_optional=True,
        ),
        fields.field(
            "severity",
            look.say("How severe"),
            fields.choice("static_select", severities, next(iter(shown["severity"]), "any")),
            hint=look.say("Approvals, appeals and other kinds without severity do not pass it."),
            is_optional=True,
        ),
        fields.field(
            "role",
            look.say("Role of the firm"),
            fields.choices(roles, shown["role"], look.say("Target or group")),
            hint=look.say("Group: a subsidiary or affiliate of the firm is the target. Nothing chosen: target and group."),
            is_optional=True,
        ),
        fields.field(
            "regulators",
            look.say("Only by these regulators"),
            fields.line(t.clean(", ".join(shown["regulator"])), most=LONGEST_LINE, placeholder="CAC, SAMR, us-sec"),
            hint=look.say("Names or ids, with commas between. Empty: all regulators."),
            is_optional=True,
        ),
        fields.field(
            "deliver",
            look.say("Where it is told"),
            fields.choice("radio_buttons", _delivers(look), (rule.deliver if rule else Deliver.BOTH).value),
        ),
        fields.field(
            "broadcast",
            look.say("Developments of a case"),
            fields.choice("radio_buttons", _broadcasts(look), rule.broadcast.value if rule else "channel"),
            hint=look.say("Each case has one card, and what comes later stands in its thread."),
        ),
    ]
    if kept.terms:
        blocks.append(context(look.mrkdwn("Kept as it is, for no field shows it: {}", t.code(str(kept)))))
    title = look.say("Change a rule") if rule else look.say("Follow firms")
    return fields.modal(look, "regwatch.subscribe", title, look.say("Save") if rule else look.say("Subscribe"), blocks, metadata)


def _whom(look: Look, channel_id: str | None, firm: FirmMatch | None) -> list[Block]:
    """Which channel, and which firms."""
    conversations: Block = {"type": "conversations_select", "filter": {"include": ["public", "private", "im"]}}
    conversations |= {"initial_conversation": channel_id} if channel_id else {"default_to_current_conversation": True}
    firms: Block = {"type": "multi_external_select", "action_id": "regwatch.firms", "min_query_length": 2, "max_selected_items": 20}
    firms["placeholder"] = fields.words(look.say("A name, a brand or a ticker, in any script"), 150)
    if firm is not None:
        firms["initial_options"] = [fields.option(firm.firm_id, match_label(firm))]
    return [
        fields.field("channel", look.say("Channel"), conversations, hint=look.say("Regwatch must be a member of it: /invite @Regwatch.")),
        fields.field(
            "firms", look.say("Firms"), firms, hint=look.say("Type two characters or more. Its brands and subsidiaries are included.")
        ),
    ]


def _fields_of(filter_: Filter) -> tuple[dict[str, tuple[str, ...]], Filter]:
    """The values that the form has fields for, and the terms that it has none for."""
    shown: dict[str, list[str]] = {"kind": [], "severity": [], "role": [], "regulator": []}
    kept = []
    for term in filter_.terms:
        is_one_bound = term.key != "severity" or (len(term.values) == 1 and term.values[0].startswith(">=") and not shown["severity"])
        # a comma in a name would part it in two, and a line has its length
        line = ", ".join([*shown["regulator"], *term.values])
        is_unwritable = term.key == "regulator" and ("," in "".join(term.values) or fields.units(line) > LONGEST_LINE)
        if term.is_negated or term.key not in shown or not is_one_bound or is_unwritable:
            kept.append(term)
        else:
            shown[term.key] += term.values
    return {key: tuple(values) for key, values in shown.items()}, Filter(tuple(kept))


def _delivers(look: Look) -> dict[str, str]:
    return {
        Deliver.BOTH.value: look.say("At once, and in the digest"),
        Deliver.NOW.value: look.say("At once only"),
        Deliver.DIGEST.value: look.say("In the digest only"),
    }


def _broadcasts(look: Look) -> dict[str, str]:
    return {"channel": look.say("As the settings of the channel say"), **{value.value: broadcast_words(value, look) for value in Broadcast}}


def read_subscribe(view: Mapping[str, Any]) -> SubscribeForm | Errors:
    """What the form asks for; an error where the channel or the firm is missing."""
    known, language = fields.unpack(view), fields.language_of(view)
    rule = known.get("rule")
    channel_id = str(known.get("channel", "")) if rule else fields.chosen(view, "channel")
    firm_ids = tuple(value for value in fields.several(view, "firms") if _FIRM_ID.fullmatch(value))
    errors = {}
    if not rule and not channel_id:
        errors["channel"] = say(language, "Choose the channel that is to be told.")
    if not rule and not firm_ids:
        errors["firms"] = say(language, "Choose a firm: type two characters of its name.")
    if errors:
        return errors
    regulators = [name for part in re.split(r"[,，、;；]", fields.typed(view, "regulators")) if (name := part.strip(' "“”'))]
    severity = fields.chosen(view, "severity")
    terms = [
        Term("kind", fields.several(view, "kinds")),
        Term("severity", (severity,) if severity.startswith(">=") else ()),
        Term("role", fields.several(view, "role") or (Role.TARGET.value, Role.GROUP.value)),
        Term("regulator", tuple(dict.fromkeys(regulators))),
    ]
    kept = Filter.parse(str(known.get("kept", "")))
    broadcast = fields.chosen(view, "broadcast")
    return SubscribeForm(
        channel_id,
        firm_ids,
        Filter((*(term for term in terms if term.values), *kept.terms)),
        Broadcast(broadcast) if broadcast in set(Broadcast) else None,
        Deliver(fields.chosen(view, "deliver") or Deliver.BOTH),
        int(rule) if rule else None,
    )


def unsubscribe_form(look: Look, *, channel: ChannelView, rule: SubscriptionView) -> View:
    """Asks before a rule is ended; `fields.unpack(view)` of what comes back names the `channel` and the `rule`."""
    said = look.mrkdwn("{} will hear no more of {}.", place_name(channel, look), followed_name(rule, look))
    rest = look.mrkdwn("No alerts and no lines in the digest. What was posted stays, and the trail keeps who ended it.")
    blocks = [section(join("\n", [said, look.mrkdwn("Rule: {}.", rule_words(rule, look)), rest]))]
    metadata = fields.pack(channel=channel.slack_id, rule=rule.id, language=look.language)
    return fields.modal(look, "regwatch.unsubscribe", look.say("Unsubscribe?"), look.say("Unsubscribe"), blocks, metadata)


# --- settings -------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SettingsForm:
    """A channel's settings, all of them, and its digest's. `channel_id` is Slack's."""

    channel_id: str
    setting: ChannelSetting
    digest: DigestSetting


def settings_form(look: Look, channel: ChannelView) -> View:
    """The form of a channel's settings, as they stand."""
    zones: Block = {"type": "external_select", "action_id": "regwatch.zones", "min_query_length": 2}
    zones |= {"placeholder": fields.words("Asia/Taipei", 150), "initial_option": fields.option(channel.time_zone, channel.time_zone)}
    days = {"weekdays": look.say("On weekdays"), "daily": look.say("Every day")}
    empty = {"send": look.say("Send it: silence is proved"), "skip": look.say("Leave it out")}
    who = {value.value: who_words(value, look) for value in WhoMayChange}
    broadcasts = {value.value: broadcast_words(value, look) for value in Broadcast}
    blocks = [
        fields.field("zone", look.say("Time zone"), zones, hint=look.say("Of the digest, the quiet hours and the dates. Type a city.")),
        fields.field(
            "language",
            look.say("Language"),
            fields.choice("static_select", LANGUAGES, channel.language),
            hint=look.say("Of our own words. Quotes, titles and names stay as they are."),
        ),
        fields.field("quiet_from", look.say("Quiet hours from"), fields.clock(channel.quiet_from), is_optional=True),
        fields.field(
            "quiet_to",
            look.say("Quiet hours to"),
            fields.clock(channel.quiet_to),
            hint=look.say("Alerts wait until then and come together. Both empty, or both the same: no quiet hours."),
            is_optional=True,
        ),
        fields.field(
            "digest",
            look.say("Daily digest"),
            fields.choice("radio_buttons", {"on": look.say("On"), "off": look.say("Off")}, "on" if channel.is_digest_on else "off"),
        ),
        fields.field("digest_at", look.say("Digest at"), fields.clock(channel.digest_at)),
        fields.field("digest_days", look.say("On which days"), fields.choice("static_select", days, channel.digest_days)),
        fields.field(
            "digest_empty",
            look.say("When there is nothing to tell"),
            fields.choice("static_select", empty, "send" if channel.sends_empty_digest else "skip"),
        ),
        fields.field(
            "broadcast",
            look.say("Developments of a case"),
            fields.choice("radio_buttons", broadcasts, channel.broadcast.value),
            hint=look.say("For all subscriptions of this channel, and for those to come."),
        ),
        fields.field("who", look.say("Who may change it"), fields.choice("static_select", who, channel.who_may_change.value)),
    ]
    metadata = fields.pack(channel=channel.slack_id, language=look.language)
    return fields.modal(look, "regwatch.settings", look.say("Settings"), look.say("Save"), blocks, metadata)


def read_settings(view: Mapping[str, Any]) -> SettingsForm | Errors:
    """The settings; an error where only one of the quiet hours is given, or no zone, or no hour of the digest."""
    known, language = fields.unpack(view), fields.language_of(view)
    quiet = (fields.chosen(view, "quiet_from"), fields.chosen(view, "quiet_to"))
    errors = {}
    if bool(quiet[0]) != bool(quiet[1]):
        missing = "quiet_to" if quiet[0] else "quiet_from"
        errors[missing] = say(language, "Give both quiet hours, or neither.")
    elif quiet[0] == quiet[1]:
        quiet = ("", "")  # hours that end when they begin are none; not every client can clear a time
    at = fields.chosen(view, "digest_at")
    if not at:
        errors["digest_at"] = say(language, "Give the hour of the digest, such as 08:30.")
    if not fields.chosen(view, "zone"):
        errors["zone"] = say(language, "Choose a time zone: type a city, such as Taipei.")
    if errors:
        return errors
    return SettingsForm(
        str(known.get("channel", "")),
        ChannelSetting(
            zone=fields.chosen(view, "zone"),
            language=fields.chosen(view, "language") or None,
            quiet=quiet,
            broadcast=Broadcast(fields.chosen(view, "broadcast")) if fields.chosen(view, "broadcast") else None,
            who_may_change=WhoMayChange(fields.chosen(view, "who")) if fields.chosen(view, "who") else None,
        ),
        DigestSetting(
            is_on=fields.chosen(view, "digest") != "off",
            at=at,
            days=fields.chosen(view, "digest_days") or None,
            sends_empty=fields.chosen(view, "digest_empty") != "skip",
        ),
    )


# --- verdicts -------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class VerdictForm:
    """A verdict on an action's card; `ts` is the post on which it was said, where there is one."""

    channel_id: str
    action_id: int
    verdict: Verdict
    firm_id: str | None = None
    of_action_id: int | None = None
    reason: str = ""
    ts: str | None = None


def verdict_form(look: Look, verdict: Verdict, card: CardView) -> View:
    """Asks which firm is wrong, or of which action it is a duplicate, and why; says what will be remembered.

    A card that names no firm of the register has no wrong one: the form says so, and cannot be submitted.
    """
    action = card.action
    blocks = [section(join("\n", [head_line(action, look), escape(action.title, 280)]))]
    submit = look.say("Strike the card")
    match verdict:
        case Verdict.WRONG_FIRM:
            title = look.say("Wrong firm")
            firms = _firms_of(card)
            if firms:
                watched = next((id_ for id_ in firms if id_ in card.watched), None)
                chosen = watched or (next(iter(firms)) if len(firms) == 1 else None)
                blocks.append(fields.field("firm", look.say("Which firm is not meant?"), fields.choice("static_select", firms, chosen)))
            else:
                submit = ""
                blocks.append(section(look.mrkdwn("It names no firm of the register, so none of them can be the wrong one.")))
        case Verdict.DUPLICATE:
            title = look.say("Duplicate")
            blocks.append(
                fields.field(
                    "of",
                    look.say("Of which action?"),
                    fields.line("", most=40, placeholder="RW-1001"),
                    hint=look.say("Its number stands on its card."),
                )
            )
        case _:
            title = look.say("Not relevant")
    if submit:
        reason = fields.line("", most=LONGEST_REASON, is_multiline=True)
        blocks.append(fields.field("reason", look.say("Why?"), reason, hint=look.say("Shown on the card, and kept."), is_optional=True))
        blocks.append(context(escape(remembered(verdict, look), 600), look.mrkdwn("The card is struck, not deleted.")))
    metadata = fields.pack(channel=card.channel.slack_id, action=action.id, verdict=verdict.value, ts=card.ts, language=look.language)
    return fields.modal(look, "regwatch.verdict", title, submit, blocks, metadata)


def _firms_of(card: CardView) -> dict[str, str]:
    """The firms of the register that the action names, those that are watched first; a brand beside its owner."""
    found: dict[str, str] = {}
    for firm in sorted(card.action.firms, key=lambda firm: firm.firm_id not in card.watched):
        if firm.firm_id is not None and len(found) < 100 and len(firm.firm_id) <= 150:
            told = firm.surface and t.clean(firm.surface) != t.clean(firm.name)
            found.setdefault(firm.firm_id, f"{firm.name} (“{firm.surface}”)" if told else firm.name)
    return found


def read_verdict(view: Mapping[str, Any]) -> VerdictForm | Errors:
    """The verdict; an error where the firm or the other action is missing. Raises ValueError for a view that is not such a form."""
    known, language = fields.unpack(view), fields.language_of(view)
    try:
        action_id, verdict, channel_id = int(known["action"]), Verdict(known["verdict"]), str(known["channel"])
    except KeyError as error:
        raise ValueError(f"no form of a verdict: {error} is missing") from error
    form = VerdictForm(channel_id, action_id, verdict, reason=t.cut(fields.typed(view, "reason"), LONGEST_REASON), ts=known.get("ts"))
    match verdict:
        case Verdict.WRONG_FIRM:
            firm_id = fields.chosen(view, "firm")
            return replace(form, firm_id=firm_id) if firm_id else {"firm": say(language, "Choose the firm that is not meant.")}
        case Verdict.DUPLICATE:
            typed = fields.typed(view, "of")
            of = _action_of(typed)
            if of is None:
                return {"of": say(language, "Type the number of the other action, such as RW-1001.")}
            if of == action_id:
                return {"of": say(language, "That is this action itself. Type the number of the other one.")}
            return replace(form, of_action_id=of)
    return form


def _action_of(typed: str) -> int | None:
    """1001 for RW-1001 in any of the ways that a command takes, or for the digits alone."""
    command = parse(f"RW-{typed}" if re.fullmatch(r"[0-9]{1,9}", typed) else typed)
    return command.action_id if isinstance(command, ActionDetail) else None


# --- a new firm -------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FirmForm:
    """A firm that is to be in the register: its main name, and others. `is_confirmed`: after it was seen what it matches."""

    channel_id: str
    action_id: int
    name: str
    names: tuple[str, ...] = ()
    country: str = ""  # in capitals; empty: not known
    strength: Strength = Strength.STRONG
    is_confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Tried:
    """What the names of a form would have matched in the stored documents: how many, and (title, when, sentence) of a few."""

    form: FirmForm
    documents: int
    as_target: int
    as_group: int
    samples: Sequence[tuple[str, datetime, str]] = ()


def firm_form(look: Look, card: CardView, *, tried: Tried | None = None) -> View:
    """First asks for the names of a firm that an action names and the register lacks; then, `tried`, shows what they match.

    An action without such a name has a form that says so and cannot be submitted.
    """
    names = _unknown(card)
    title = look.say("Add a firm")
    if tried is not None:
        return fields.modal(look, "regwatch.firm", title, look.say("Add it"), _tried_blocks(tried, look), _tried_metadata(tried.form, look))
    # an option's text is shorter than a name may be, so that the names themselves travel with the form
    metadata = fields.pack(channel=card.channel.slack_id, action=card.action.id, unknown=names, language=look.language)
    if not names:
        said = look.mrkdwn("Every firm that {} names is in the register already.", t.bold(card.action.ref))
        return fields.modal(look, "regwatch.firm", title, "", [section(said)], metadata)
    options = {str(place): name for place, name in enumerate(names)}
    strengths = {
        Strength.STRONG.value: look.say("Strong: nothing else is called so"),
        Strength.WEAK.value: look.say("Weak: only beside other signs of the firm"),
    }
    blocks = [
        section(join("\n", [head_line(card.action, look), escape(card.action.title, 280)])),
        fields.field("name", look.say("Which name?"), fields.choice("static_select", options, "0" if len(options) == 1 else None)),
        fields.field(
            "written",
            look.say("Its name in full"),
            fields.line("", most=LONGEST_NAME),
            hint=look.say("Empty: as it stands above."),
            is_optional=True,
        ),
        fields.field(
            "names",
            look.say("Other names"),
            fields.line("", most=1_000, is_multiline=True),
            hint=look.say("One a line: in Chinese, short, former. Twelve at most."),
            is_optional=True,
        ),
        fields.field(
            "country",
            look.say("Country"),
            fields.line("", most=2, placeholder="CN"),
            hint=look.say("Two letters, where it is known."),
            is_optional=True,
        ),
        fields.field("strength", look.say("How sure is the name?"), fields.choice("radio_buttons", strengths, Strength.STRONG.value)),
    ]
    return fields.modal(look, "regwatch.firm", title, look.say("Try it"), blocks, metadata)


def _unknown(card: CardView) -> list[str]:
    """The names outside the register, as many as a form can carry: targets first, as the action lists them."""
    found: list[str] = []
    for firm in sorted(card.action.firms, key=lambda firm: firm.role is not Role.TARGET):
        name = t.clean(firm.surface or firm.name)
        if firm.firm_id is None and name and name not in found and len(name) <= LONGEST_NAME and len(found) < 100:
            found.append(name)
            if fields.units(json.dumps(found, ensure_ascii=False)) > fields.LONGEST_METADATA - 500:
                return found[:-1]
    return found


def _tried_blocks(tried: Tried, look: Look) -> list[Block]:
    form = tried.form
    others = t.listed([escape(name, LONGEST_NAME) for name in form.names], 1_200, language=look.language)
    sure = look.mrkdwn("strong name") if form.strength is Strength.STRONG else look.mrkdwn("weak name")
    head = join(" · ", [t.bold(escape(form.name, LONGEST_NAME)), others, escape(form.country), sure])
    many = counted(tried.documents, "It would have matched {} stored document", "It would have matched {} stored documents", look)
    if tried.documents:
        many = mrkdwn("{}{}", many, look.mrkdwn(": {} as target, {} as group.", tried.as_target, tried.as_group))
    else:
        many = mrkdwn("{}.", many)
    lines = [
        mrkdwn("• {} · {}\n“{}”", escape(title or "-", 120), t.day(at.date(), language=look.language), escape(sentence, 240))
        for title, at, sentence in tried.samples[:5]
    ]
    shown = [section(join("\n", lines))] if lines else []
    note = look.mrkdwn("Wrong ones among them? Cancel, and try a longer name or a weak one. Once added, they are read again, silently.")
    return [section(join("\n", [head, many])), *shown, context(note)]


def _tried_metadata(form: FirmForm, look: Look) -> str:
    values = asdict(form)
    return fields.pack(channel=values.pop("channel_id"), action=values.pop("action_id"), language=look.language, tried=values)


def told(look: Look, title: str, message: Message) -> View:
    """A message as a modal, to be read and closed. Without its buttons: Slack gives their clicks there no way to be answered."""
    blocks = [block for block in message.blocks if block["type"] != "actions"]
    return fields.modal(look, "regwatch.told", title, "", blocks, fields.pack(language=look.language))


def waiting_form(look: Look, title: str) -> View:
    """What stands in a form's place while its work takes longer than Slack waits."""
    said = look.mrkdwn("Reading the stored documents. This takes a moment; you may close it, and nothing is saved then.")
    return fields.modal(look, "regwatch.waiting", title, "", [section(said)], fields.pack(language=look.language))


def read_firm(view: Mapping[str, Any]) -> FirmForm | Errors:
    """The firm to try or, from the second step, to add; an error where a name is missing or a country is none.

    Raises ValueError for a view that is not such a form.
    """
    known, language = fields.unpack(view), fields.language_of(view)
    try:
        channel_id, action_id = str(known["channel"]), int(known["action"])
    except KeyError as error:
        raise ValueError(f"no form of a firm: {error} is missing") from error
    if "tried" in known:
        tried = known["tried"]
        strength = Strength(tried["strength"])
        return FirmForm(channel_id, action_id, tried["name"], tuple(tried["names"]), tried["country"], strength, is_confirmed=True)
    unknown, picked = known.get("unknown", []), fields.chosen(view, "name")
    name = fields.typed(view, "written") or (unknown[int(picked)] if picked.isdecimal() and int(picked) < len(unknown) else "")
    country = fields.typed(view, "country").upper()
    names = tuple(line for line in fields.lines(view, "names") if line != name)
    errors = {}
    if not name:
        errors["name"] = say(language, "Choose the name that is to be in the register.")
    if country and not re.fullmatch("[A-Z]{2}", country):
        errors["country"] = say(language, "Two letters, such as CN or US; or leave it empty.")
    if len(names) > MOST_NAMES or any(len(line) > LONGEST_NAME for line in names):
        errors["names"] = say(language, "Twelve names at most, each of at most 120 characters.")
    if errors:
        return errors
    return FirmForm(channel_id, action_id, name, names, country, Strength(fields.chosen(view, "strength") or Strength.STRONG))
