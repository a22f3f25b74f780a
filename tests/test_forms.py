"""Forms: what they show, that nothing is lost on the way through one, and what is said of a mistake."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack import fields, forms
from bot.slack.cards import Look
from bot.slack.forms import FirmForm, SettingsForm, SubscribeForm, Tried, VerdictForm
from bot.slack.labels import LANGUAGES
from storage.filters import Filter, Term
from storage.intents import ChannelSetting, DigestSetting
from storage.models import Broadcast, Deliver, Followed, Kind, Role, Strength
from storage.tenancy import Verdict, WhoMayChange
from storage.views import CardView
from tests.fakes.blocks import check_view
from tests.test_cards import (
    ACTIONS,
    BY,
    CHANNELS,
    FUZZ,
    LOOK,
    LOOKS,
    MATCHES,
    NOON,
    RULES,
    SUBSCRIPTIONS,
    TIMES,
    TITLES,
    a_channel,
    a_firm,
    a_match,
    a_subscription,
    an_action,
    tuples,
)

CARD = CardView(a_channel(), an_action(), watched=frozenset({"tencent"}), ts="1616126400.000100")
UNKNOWN = CardView(a_channel(), an_action(firms=(a_firm("Foo Bar Ltd", is_known=False), a_firm("某某科技有限公司", is_known=False))))
LANGUAGE = st.sampled_from(list(LANGUAGES))


def submitted(view: dict[str, Any], **values: Any) -> dict[str, Any]:
    """The view as Slack sends it back: what stood in it, or `values` by block; None empties a field."""
    state: dict[str, dict[str, Any]] = {}
    for block in view["blocks"]:
        if block["type"] != "input":
            continue
        name, element = block["block_id"], block["element"]
        kind = element["type"]
        if kind == "plain_text_input":
            value = {"value": values.get(name, element.get("initial_value"))}
        elif kind == "timepicker":
            value = {"selected_time": values.get(name, element.get("initial_time"))}
        elif kind == "conversations_select":
            value = {"selected_conversation": values.get(name, element.get("initial_conversation"))}
        elif kind.startswith("multi_"):
            given = [option["value"] for option in element.get("initial_options", ())]
            value = {"selected_options": [{"value": one} for one in values.get(name, given)]}
        else:
            given = values.get(name, (element.get("initial_option") or {}).get("value"))
            value = {"selected_option": {"value": given} if given else None}
        state[name] = {element["action_id"]: {"type": kind, **value}}
    return {**view, "state": {"values": state}}


def words_of(view: dict[str, Any]) -> str:
    return json.dumps(view, ensure_ascii=False)


# --- subscribe ---


def test_a_new_subscription() -> None:
    """Its channel and firm stand in it already; what is not chosen is the default of the command."""
    view = forms.subscribe_form(LOOK, channel_id="C0LEGAL", firm=a_match())
    check_view(view)
    assert forms.read_subscribe(submitted(view)) == SubscribeForm(
        "C0LEGAL", ("alibaba",), Filter((Term("role", ("target", "group")),)), None, Deliver.BOTH
    )


def test_all_that_a_subscription_may_say() -> None:
    """Several firms, kinds, a severity, roles, regulators as typed."""
    view = forms.subscribe_form(LOOK, channel_id="C0LEGAL")
    back = submitted(
        view,
        channel="C1",
        firms=["tencent", "alibaba"],
        kinds=["fine", "ban"],
        severity=">=fine",
        role=["mentioned"],
        regulators="CAC，“SAMR”; 证监会、 ,us-sec",
        deliver="digest",
        broadcast="never",
    )
    found = forms.read_subscribe(back)
    assert isinstance(found, SubscribeForm)
    assert found == SubscribeForm("C1", ("tencent", "alibaba"), found.filter, Broadcast.NEVER, Deliver.DIGEST)
    assert str(found.filter) == "kind:fine,ban severity:>=fine role:mentioned regulator:CAC,SAMR,证监会,us-sec"


@pytest.mark.parametrize(
    ("values", "blocks"),
    [
        ({"channel": None, "firms": []}, {"channel", "firms"}),
        ({"channel": "C1", "firms": []}, {"firms"}),
        ({"channel": "C1", "firms": ["<!channel>", " "]}, {"firms"}),
    ],
    ids=["neither channel nor firm", "no firm", "what is no firm's id is none"],
)
def test_a_subscription_of_nothing_is_an_error(values: dict[str, Any], blocks: set[str]) -> None:
    """Beside the field, with what to do."""
    found = forms.read_subscribe(submitted(forms.subscribe_form(LOOK), **values))
    assert isinstance(found, dict)
    assert set(found) == blocks


def test_errors_are_in_the_language_of_the_form() -> None:
    """The listener that reads the form knows no look; the form remembers it."""
    view = forms.subscribe_form(replace(LOOK, language="zh-Hans"))
    assert forms.read_subscribe(submitted(view)) == {
        "channel": "请选择要通报的频道。",
        "firms": "请选择公司：输入其名称中的两个字。",
    }


def test_a_rule_that_nobody_touches_stays_as_it_is() -> None:
    """The terms without a field of their own, and those excluded, travel with the form."""
    for text in (
        "kind:fine,investigation role:target,group country:CN,HK status:proposed min:USD1000000 -kind:speech",
        "severity:<=fine,>=ban role:target",
        "severity:>=talks -severity:>=ban role:group,venue since:2021-03 lang:zh",
        "role:target,group regulator:cn-cac,us-sec -regulator:gb-fca",
        "-role:mentioned role:target,group",
    ):
        rule = a_subscription(Filter.parse(text), broadcast=Broadcast.ALL, deliver=Deliver.NOW)
        view = forms.subscribe_form(LOOK, channel_id="C0LEGAL", rule=rule)
        check_view(view)
        found = forms.read_subscribe(submitted(view))
        assert isinstance(found, SubscribeForm)
        assert set(found.filter.terms) == set(rule.filter.terms), text
        assert found == SubscribeForm("C0LEGAL", (), found.filter, Broadcast.ALL, Deliver.NOW, rule.id)


def test_what_has_no_field_is_shown_as_kept() -> None:
    """So that nobody believes the rule to be wider than it is."""
    rule = a_subscription(Filter.parse("kind:fine role:target country:CN"))
    assert "Kept as it is, for no field shows it: `country:CN`" in words_of(forms.subscribe_form(LOOK, rule=rule))


def test_a_rule_of_a_regulator_or_of_everything_can_be_changed() -> None:
    """It names no firm, and none is asked for."""
    rule = a_subscription(Filter.parse("role:target,group"), firm=None, followed=Followed.ALL)
    view = forms.subscribe_form(LOOK, channel_id="C0LEGAL", rule=rule)
    assert "*everything*" in words_of(view)
    found = forms.read_subscribe(submitted(view, kinds=["ban"]))
    assert isinstance(found, SubscribeForm)
    assert (found.firm_ids, found.subscription_id, str(found.filter)) == ((), 17, "kind:ban role:target,group")


def test_more_regulators_than_a_field_holds_are_kept() -> None:
    """They are not cut: a rule that lost some would alert for all."""
    many = tuple(f"regulator-with-a-long-name-{number}" for number in range(60))
    rule = a_subscription(Filter((Term("regulator", many), Term("role", ("target",)))))
    view = forms.subscribe_form(LOOK, rule=rule)
    found = forms.read_subscribe(submitted(view))
    assert isinstance(found, SubscribeForm)
    assert set(found.filter.terms) == set(rule.filter.terms)


def test_a_rule_that_no_form_can_carry_says_so() -> None:
    """Better than one that loses a part of it."""
    rule = a_subscription(Filter((Term("regulator", tuple(f"regulator-{number}" for number in range(400)), is_negated=True),)))
    with pytest.raises(ValueError, match="a form carries 3000 characters"):
        forms.subscribe_form(LOOK, rule=rule)


def test_ending_a_rule_is_asked_about() -> None:
    """With the rule in words; what comes back names it."""
    view = forms.unsubscribe_form(LOOK, channel=a_channel(), rule=a_subscription(Filter.parse("kind:fine role:target")))
    check_view(view)
    assert "will hear no more of *Alibaba Group*" in words_of(view)
    assert fields.unpack(view) == {"channel": "C0LEGAL", "rule": 17, "language": "en"}


# --- settings ---


def test_settings_that_nobody_touches_stay_as_they_are() -> None:
    """All of them are in the form."""
    channel = a_channel(
        quiet_from="22:00", quiet_to="07:00", broadcast=Broadcast.ALL, who_may_change=WhoMayChange.ADMINS, language="zh-Hant"
    )
    view = forms.settings_form(LOOK, channel)
    check_view(view)
    assert forms.read_settings(submitted(view)) == SettingsForm(
        "C0LEGAL",
        ChannelSetting("Asia/Taipei", "zh-Hant", ("22:00", "07:00"), Broadcast.ALL, WhoMayChange.ADMINS),
        DigestSetting(is_on=True, at="08:30", days="weekdays", sends_empty=True),
    )


SETTINGS: list[tuple[str, dict[str, Any], dict[str, str] | SettingsForm]] = [
    ("a quiet hour without its end", {"quiet_from": "22:00"}, {"quiet_to": "Give both quiet hours, or neither."}),
    ("a quiet hour without its start", {"quiet_to": "07:00"}, {"quiet_from": "Give both quiet hours, or neither."}),
    ("no hour of the digest", {"digest_at": None}, {"digest_at": "Give the hour of the digest, such as 08:30."}),
    ("no zone", {"zone": None}, {"zone": "Choose a time zone: type a city, such as Taipei."}),
    (
        "all changed",
        {
            "zone": "Europe/London",
            "language": "zh-Hans",
            "quiet_from": "23:00",
            "quiet_to": "06:30",
            "digest": "off",
            "digest_at": "09:15",
            "digest_days": "daily",
            "digest_empty": "skip",
            "broadcast": "never",
            "who": "members",
        },
        SettingsForm(
            "C0LEGAL",
            ChannelSetting("Europe/London", "zh-Hans", ("23:00", "06:30"), Broadcast.NEVER, WhoMayChange.MEMBERS),
            DigestSetting(is_on=False, at="09:15", days="daily", sends_empty=False),
        ),
    ),
    (
        "quiet hours of no length are none",
        {"quiet_from": "07:00", "quiet_to": "07:00"},
        SettingsForm(
            "C0LEGAL",
            ChannelSetting("Asia/Taipei", "en", ("", ""), Broadcast.ESCALATION, WhoMayChange.EVERYONE),
            DigestSetting(is_on=True, at="08:30", days="weekdays", sends_empty=True),
        ),
    ),
    (
        "quiet hours taken away",
        {"quiet_from": None, "quiet_to": None},
        SettingsForm(
            "C0LEGAL",
            ChannelSetting("Asia/Taipei", "en", ("", ""), Broadcast.ESCALATION, WhoMayChange.EVERYONE),
            DigestSetting(is_on=True, at="08:30", days="weekdays", sends_empty=True),
        ),
    ),
]


@pytest.mark.parametrize(("values", "found"), [case[1:] for case in SETTINGS], ids=[case[0] for case in SETTINGS])
def test_settings(values: dict[str, Any], found: dict[str, str] | SettingsForm) -> None:
    """What is read, or what is said of a mistake."""
    assert forms.read_settings(submitted(forms.settings_form(LOOK, a_channel()), **values)) == found


# --- verdicts ---


def test_a_wrong_firm() -> None:
    """The watched one is offered first and chosen; the reason is one line."""
    view = forms.verdict_form(LOOK, Verdict.WRONG_FIRM, CARD)
    check_view(view)
    assert "what names the firm by the same name alone is not posted" in words_of(view)
    assert forms.read_verdict(submitted(view, reason=" another\nTencent ")) == VerdictForm(
        "C0LEGAL", 1001, Verdict.WRONG_FIRM, firm_id="tencent", reason="another Tencent", ts="1616126400.000100"
    )
    assert forms.read_verdict(submitted(view, firm=None)) == {"firm": "Choose the firm that is not meant."}


def test_a_wrong_firm_where_none_is_of_the_register() -> None:
    """Nothing to choose, so nothing to submit."""
    view = forms.verdict_form(LOOK, Verdict.WRONG_FIRM, UNKNOWN)
    check_view(view)
    assert "submit" not in view
    assert "names no firm of the register" in words_of(view)


DUPLICATES: list[tuple[str, str | None, int | str]] = [
    ("as it is written on a card", "RW-1002", 1002),
    ("in full width", "ｒｗ－１００２", 1002),
    ("the digits alone", " 1002 ", 1002),
    ("with a hash", "#rw 1002", 1002),
    ("nothing", None, "Type the number of the other action, such as RW-1001."),
    ("a firm", "tencent", "Type the number of the other action, such as RW-1001."),
    ("a number that no action has", "RW-99999999999", "Type the number of the other action, such as RW-1001."),
    ("itself", "RW-1001", "That is this action itself. Type the number of the other one."),
]


@pytest.mark.parametrize(("typed", "found"), [case[1:] for case in DUPLICATES], ids=[case[0] for case in DUPLICATES])
def test_of_what_it_is_a_duplicate(typed: str | None, found: int | str) -> None:
    """Read as a command reads it."""
    view = forms.verdict_form(LOOK, Verdict.DUPLICATE, CARD)
    read = forms.read_verdict(submitted(view, of=typed))
    if isinstance(found, int):
        assert read == VerdictForm("C0LEGAL", 1001, Verdict.DUPLICATE, of_action_id=found, ts="1616126400.000100")
    else:
        assert read == {"of": found}


def test_a_reason_of_at_most_300_characters() -> None:
    """The field allows no more, and a client that does not obey is cut."""
    view = forms.verdict_form(LOOK, Verdict.NOT_RELEVANT, replace(CARD, ts=None))
    found = forms.read_verdict(submitted(view, reason="𠮷" * 400))
    assert isinstance(found, VerdictForm)
    assert found.ts is None
    assert len(found.reason.encode("utf-16-le")) // 2 <= 300


@pytest.mark.parametrize("metadata", ["", "{", "[]", '{"action":1}'], ids=["nothing", "no JSON", "no object", "half of it"])
def test_a_view_that_is_no_form_of_ours(metadata: str) -> None:
    """A bug, and named as one."""
    with pytest.raises(ValueError, match="no form of a verdict"):
        forms.read_verdict({"private_metadata": metadata})
    with pytest.raises(ValueError, match="no form of a firm"):
        forms.read_firm({"private_metadata": metadata.replace("action", "x")})


# --- a new firm ---


def test_a_firm_is_tried_and_then_added() -> None:
    """The first step asks, the second shows what it would have matched, and what comes back is confirmed."""
    view = forms.firm_form(LOOK, UNKNOWN)
    check_view(view)
    form = forms.read_firm(submitted(view, name="1", names="甲\r\n 甲科技 \n甲\n\n", country="cn", strength="weak"))
    assert form == FirmForm("C0LEGAL", 1001, "某某科技有限公司", ("甲", "甲科技"), "CN", Strength.WEAK)
    tried = forms.firm_form(LOOK, UNKNOWN, tried=Tried(form, 7, 5, 1, [("A <title>", NOON, "He said 甲.")]))
    check_view(tried)
    assert "It would have matched 7 stored documents: 5 as target, 1 as group." in words_of(tried)
    assert forms.read_firm(submitted(tried)) == replace(form, is_confirmed=True)


def test_a_firm_with_the_least_that_is_needed() -> None:
    """The only name is chosen already; country and other names may be unknown."""
    card = replace(UNKNOWN, action=an_action(firms=(a_firm("Foo Bar Ltd", is_known=False), a_firm("Tencent"))))
    form = forms.read_firm(submitted(forms.firm_form(LOOK, card)))
    assert form == FirmForm("C0LEGAL", 1001, "Foo Bar Ltd")
    assert isinstance(form, FirmForm)
    tried = forms.firm_form(LOOK, card, tried=Tried(form, 0, 0, 0))
    assert "It would have matched 0 stored documents." in words_of(tried)
    assert forms.read_firm(submitted(tried)) == replace(form, is_confirmed=True)


def test_a_name_longer_than_an_option_is_not_cut() -> None:
    """What is added is the name, not the label of a choice."""
    long = "The Very Long Name of a Company for the Trading of Goods and the Rendering of Services Limited"
    card = replace(UNKNOWN, action=an_action(firms=(a_firm(long, is_known=False),)))
    form = forms.read_firm(submitted(forms.firm_form(LOOK, card)))
    assert isinstance(form, FirmForm)
    assert form.name == long


@pytest.mark.parametrize(
    ("values", "block"),
    [
        ({"name": None}, "name"),
        ({"name": "9"}, "name"),
        ({"country": "中國"}, "country"),
        ({"country": "c"}, "country"),
        ({"names": "\n".join(f"name {number}" for number in range(13))}, "names"),
        ({"names": "x" * 121}, "names"),
    ],
    ids=["no name", "a choice that was not offered", "a country in words", "half of a code", "too many names", "too long a name"],
)
def test_a_firm_that_cannot_be_tried(values: dict[str, Any], block: str) -> None:
    """The field that is wrong is named."""
    found = forms.read_firm(submitted(forms.firm_form(LOOK, UNKNOWN), **{"name": "0"} | values))
    assert isinstance(found, dict)
    assert set(found) == {block}


def test_a_name_that_is_typed_wins_over_the_one_chosen() -> None:
    """The text may have a short one."""
    form = forms.read_firm(submitted(forms.firm_form(LOOK, UNKNOWN), name="0", written="Foo Bar Holdings Limited"))
    assert isinstance(form, FirmForm)
    assert form.name == "Foo Bar Holdings Limited"


def test_a_card_whose_firms_are_all_known() -> None:
    """Somebody was quicker."""
    view = forms.firm_form(LOOK, CARD)
    check_view(view)
    assert "submit" not in view
    assert "is in the register already" in words_of(view)


def test_hundreds_of_unknown_names_fit() -> None:
    """As many as the form can carry."""
    for length, least in ((12, 90), (60, 30), (120, 15)):
        firms = tuple(a_firm(f"某{'某' * (length - 4)}{number:03}", is_known=False) for number in range(400))
        view = forms.firm_form(LOOK, replace(UNKNOWN, action=an_action(firms=firms)))
        check_view(view)
        assert len(fields.unpack(view)["unknown"]) >= least


# --- all of them ---


def test_the_limits_of_titles_hold_in_all_languages() -> None:
    """24 characters, and none of them is cut."""
    rule = a_subscription(Filter.parse("role:target"))
    for language in LANGUAGES:
        look = Look(language=language)
        views = [
            forms.subscribe_form(look),
            forms.subscribe_form(look, rule=rule),
            forms.unsubscribe_form(look, channel=a_channel(), rule=rule),
            forms.settings_form(look, a_channel()),
            *(forms.verdict_form(look, verdict, card) for verdict in Verdict for card in (CARD, UNKNOWN)),
            forms.firm_form(look, CARD),
            forms.firm_form(look, UNKNOWN),
            forms.waiting_form(look, look.say("Add a firm")),
        ]
        for view in views:
            check_view(view)
            for part in ("title", "submit", "close"):
                assert "…" not in view.get(part, {"text": ""})["text"]
            for block in (block for block in view["blocks"] if block["type"] == "input"):
                assert "…" not in block["label"]["text"] + block.get("hint", {"text": ""})["text"]
                for option in block["element"].get("options", ()):
                    assert option["text"]["text"].isprintable()


def test_every_kind_can_be_chosen_in_all_languages() -> None:
    """No two of one label."""
    for language in LANGUAGES:
        view = forms.subscribe_form(Look(language=language))
        block = next(block for block in view["blocks"] if block.get("block_id") == "kinds")
        labels = [option["text"]["text"] for option in block["element"]["options"]]
        assert len(set(labels)) == len(Kind)
        role = next(block for block in view["blocks"] if block.get("block_id") == "role")
        assert len(role["element"]["options"]) == len(Role)


OURS = st.builds(replace, CHANNELS, slack_id=st.sampled_from(["C0LEGAL", "D0ASKER"]))
CARDS = st.builds(CardView, OURS, ACTIONS, watched=st.just(frozenset({"tencent"})), ts=st.none() | st.just("1.2"))
FORMS = st.builds(
    FirmForm,
    st.just("C0LEGAL"),
    st.integers(1, 10**9 - 1),
    TITLES.map(lambda text: text[:120]),
    tuples(TITLES.map(lambda text: text[:120]), 3),
    st.just("CN"),
    st.sampled_from(Strength),
)
CHANNEL_VIEWS = st.builds(
    replace,
    CHANNELS,
    quiet_from=st.sampled_from([None, "22:00"]),
    quiet_to=st.sampled_from([None, "07:00"]),
    broadcast=st.sampled_from(Broadcast),
    who_may_change=st.sampled_from(WhoMayChange),
    language=LANGUAGE,
)


@st.composite
def views(draw: st.DrawFn) -> dict[str, Any]:
    """Any form, from views full of strangers' text."""
    look = replace(draw(LOOKS), language=draw(LANGUAGE))
    match draw(st.integers(0, 6)):
        case 0:
            return forms.subscribe_form(look, channel_id="C0LEGAL", firm=draw(st.none() | MATCHES))
        case 1:
            return forms.subscribe_form(look, channel_id="C0LEGAL", rule=draw(SUBSCRIPTIONS))
        case 2:
            return forms.unsubscribe_form(look, channel=draw(CHANNELS), rule=draw(SUBSCRIPTIONS))
        case 3:
            return forms.settings_form(look, draw(CHANNEL_VIEWS))
        case 4:
            return forms.verdict_form(look, draw(st.sampled_from(Verdict)), draw(CARDS))
        case 5:
            return forms.firm_form(look, draw(CARDS))
        case _:
            samples = draw(st.lists(st.tuples(TITLES, TIMES, TITLES), max_size=7))
            return forms.firm_form(look, draw(CARDS), tried=Tried(draw(FORMS), 7, 5, 1, samples))


@FUZZ
@given(views())
def test_no_form_breaks_a_limit_or_gives_a_stranger_power(view: dict[str, Any]) -> None:
    """Over every form, in all languages."""
    check_view(view)


@FUZZ
@given(views(), st.dictionaries(st.sampled_from(["of", "reason", "names", "written", "country", "regulators"]), BY | TITLES))
def test_whatever_comes_back_is_read(view: dict[str, Any], typed: dict[str, str]) -> None:
    """A form, or errors that name its own blocks."""
    read = {"regwatch.subscribe": forms.read_subscribe, "regwatch.settings": forms.read_settings}
    read |= {"regwatch.verdict": forms.read_verdict, "regwatch.firm": forms.read_firm}
    if view["callback_id"] in read and "submit" in view:
        found = read[view["callback_id"]](submitted(view, **typed))
        if isinstance(found, dict):
            assert set(found) <= {block.get("block_id") for block in view["blocks"]}


@FUZZ
@given(st.sampled_from([case[1] for case in RULES]), st.sampled_from(Broadcast), st.sampled_from(Deliver))
def test_a_rule_comes_back_as_it_was(text: str, broadcast: Broadcast, deliver: Deliver) -> None:
    """Untouched: the same terms, or the default role where the rule had none."""
    rule = a_subscription(Filter.parse(text), broadcast=broadcast, deliver=deliver)
    found = forms.read_subscribe(submitted(forms.subscribe_form(LOOK, rule=rule)))
    assert isinstance(found, SubscribeForm)
    own = {term.key for term in rule.filter.terms if not term.is_negated}
    default = () if "role" in own else (Term("role", ("target", "group")),)
    assert {(term.key, term.is_negated, value) for term in found.filter.terms for value in term.values} == {
        (term.key, term.is_negated, value) for term in (*rule.filter.terms, *default) for value in term.values
    }
    assert (found.broadcast, found.deliver) == (broadcast, deliver)


@given(st.dictionaries(st.sampled_from(["channel", "action", "ts"]), st.text(st.characters(codec="utf-8"), max_size=60) | st.integers()))
def test_what_is_packed_is_unpacked(values: dict[str, Any]) -> None:
    """But for what is empty."""
    assert fields.unpack({"private_metadata": fields.pack(**values)}) == {name: value for name, value in values.items() if value != ""}
