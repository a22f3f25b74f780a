"""Words about silence: notices of what is paused, and what a channel shows nowhere when its digest is off."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.deliver import _CODES, Cause
from bot.feeds.identity import ALERT_AGE
from bot.slack import replies, unheard
from bot.slack.labels import LANGUAGES
from bot.slack.notices import notice
from storage.filters import Filter
from storage.models import Deliver, DeliveryKind, Followed
from storage.views import MuteView
from tests.fakes.blocks import check_message, seen
from tests.test_cards import COVERAGE, FUZZ, LOOK, MATCHES, NOON, TITLES, a_channel, a_delivery, a_match, a_subscription
from tests.test_replies import CHINESE, RULE, buttons

GONE = {"channel": "C0LEGAL", "name": "legal", "reason": "is_archived", "since": NOON.isoformat(), "rules": "2", "waiting": "1"}
DIGEST_ONLY = replace(RULE, id=18, deliver=Deliver.DIGEST)
EVERYTHING = replace(RULE, id=19, followed=Followed.ALL, firm=None)
OFF = a_channel(is_digest_on=False)
MUTE = MuteView(NOON + timedelta(days=7), "U0ASKER", a_match())


def told(facts: dict[str, str], language: str = "en") -> str:
    due = a_delivery(DeliveryKind.NOTICE, notice=facts, action=None, channel=a_channel(language=language))
    message = notice(due)
    check_message(message)
    return seen(message)


# --- notices ---


def test_the_owner_of_a_channel_reads_what_happened_what_waits_and_what_to_do() -> None:
    """Three lines."""
    said = told(GONE)
    assert said.splitlines()[:3] == [
        "*Notice* legal is paused since 19 Mar 2021, 12:00 Taipei: it is archived.",
        "2 rules stand, 1 message waits. Nothing is lost: what is found meanwhile comes, rolled up, when the channel is served again.",
        "Unarchive it; if Regwatch is not in it then, type `/invite @Regwatch` there.",
    ]


def test_the_same_in_chinese() -> None:
    """Reason, counts and remedy."""
    said = told(GONE, "zh-Hant")
    assert "legal 自 2021年3月19日 12:00（台北） 起暫停：已封存。" in said
    assert "2 條規則仍有效，1 則訊息待發。不會遺漏任何內容" in said
    assert "/invite @Regwatch" in said
    assert "Notice" not in said


REMEDIES = [
    ("is_archived", "it is archived", "Unarchive it", False),
    ("channel_deleted", "it was deleted", "Subscribe in another channel: `/regwatch subscribe tencent` there.", False),
    ("not_in_channel", "Regwatch was removed from it", "Type `/invite @Regwatch` there.", True),
    ("channel_not_found", "it was deleted, or Regwatch was removed", "Type `/invite @Regwatch` there.", True),
    (
        "restricted_action",
        "posting is restricted there",
        "Let an admin allow Regwatch to post there, then type `/regwatch digest on`",
        True,
    ),
    ("messages_tab_disabled", "direct messages to Regwatch are switched off", "Let an admin switch them on", True),
    ("some_new_word", "Slack says some", "then type `/regwatch digest on` there.", True),
]


@pytest.mark.parametrize(("why", "reason", "remedy", "is_endable"), REMEDIES, ids=[case[0] for case in REMEDIES])
def test_what_to_do_follows_from_what_happened(why: str, reason: str, remedy: str, is_endable: bool) -> None:
    """And how to end it, where anything can be typed."""
    said = told({**GONE, "reason": why})
    assert reason in said
    assert remedy in said
    assert ("`/regwatch unsubscribe all` there" in said) is is_endable


def test_every_refusal_that_pauses_a_channel_is_told_in_plain_words() -> None:
    """None of them as Slack's code alone."""
    for why in (code for code, cause in _CODES.items() if cause is Cause.CHANNEL):
        for language in LANGUAGES:
            assert why not in str(unheard.refusal(why, replace(LOOK, language=language)))


def test_the_operators_read_who_else_was_told() -> None:
    """And where; nobody is said to be nobody."""
    assert "legal is paused" in told({**GONE, "workspace": "T1", "told": "U0ASKER"})
    assert "Workspace `T1`. Told: <@U0ASKER>." in told({**GONE, "workspace": "T1", "told": "U0ASKER"})
    far = told({**GONE, "workspace": "T2", "told": "U01 U02"})
    assert "#legal (`C0LEGAL`) is paused" in far
    assert "Workspace `T2`. Told: `U01`, `U02`." in far
    assert "Workspace `T1`. Nobody else was told." in told({**GONE, "workspace": "T1", "told": ""})
    assert "Told" not in told(GONE)


def test_a_person_who_cannot_be_told() -> None:
    """Is named to the operators, as a person."""
    said = told({**GONE, "channel": "U0ASKER", "name": "", "reason": "is_inactive", "workspace": "T1", "told": ""})
    assert "*Notice* <@U0ASKER> cannot be told what becomes of their channels, since 19 Mar 2021, 12:00 Taipei: it is inactive." in said
    assert "*Notice* A direct message (`D0ASKER`) is paused" in told({**GONE, "channel": "D0ASKER"})


def test_a_workspace_that_left() -> None:
    """By name, else by id."""
    facts = {"workspace": "T1", "name": "Acme", "reason": "team_access_revoked", "since": NOON.isoformat(), "rules": "1", "waiting": "0"}
    said = told(facts)
    assert "Workspace *Acme* is served no more since 19 Mar 2021, 12:00 Taipei: the organisation took Regwatch out of it." in said
    assert "1 rule stands, 0 messages wait. Its people cannot be told there." in said
    assert "*T1*" in told({**facts, "name": ""})


@FUZZ
@given(st.fixed_dictionaries(dict.fromkeys((*GONE, "told", "workspace"), TITLES)), st.sampled_from(list(LANGUAGES)))
def test_no_name_or_word_of_a_stranger_breaks_a_notice(facts: dict[str, str], language: str) -> None:
    """Whatever is in it."""
    told(facts, language)
    told({**facts, "channel": ""}, language)


# --- where the digest is off ---

NOWHERE: list[tuple[str, list[Any], list[Any], int, list[str], list[str]]] = [
    (
        "a firm, nothing muted",
        [RULE],
        [],
        0,
        ["what is more than 14 days old when it is first seen; acts that name no firm; what will be muted."],
        ["digest alone", "kept"],
    ),
    ("rules for the digest alone, by name", [RULE, DIGEST_ONLY], [], 0, ["what is for the digest alone (*Alibaba Group* (阿里巴巴"], []),
    ("such a rule and no other", [DIGEST_ONLY], [], 0, ["9988.HK) #18); what is more than"], ["#17"]),
    ("what is muted now, by name", [RULE], [MUTE, replace(MUTE, firm=None)], 0, ["what is muted, now (Alibaba Group, everything) or"], []),
    ("what waited for the next digest", [RULE], [], 3, ["; 3 acts kept for the next digest."], []),
    ("one act of it", [RULE], [], 1, ["; 1 act kept for the next digest."], []),
    ("everything: no act without a firm is for its digest", [EVERYTHING], [], 0, ["first seen; what will be muted."], ["no firm"]),
]


@pytest.mark.parametrize(("rules", "mutes", "kept", "words", "without"), [case[1:] for case in NOWHERE], ids=[case[0] for case in NOWHERE])
@pytest.mark.parametrize("language", list(LANGUAGES))
def test_turning_the_digest_off_says_what_is_then_seen_nowhere(
    language: str, rules: list[Any], mutes: list[Any], kept: int, words: list[str], without: list[str]
) -> None:
    """Three lines at most, from the state of this channel, with the way back."""
    look = replace(LOOK, language=language)
    channel = replace(OFF, language=language)
    message = replies.digest_setting(channel, COVERAGE, look, by="U0ASKER", missed=replies.nowhere(rules, mutes, kept, look))
    check_message(message)
    first, *rest = message.blocks[0]["text"]["text"].splitlines()
    assert "<@U0ASKER>" in first
    assert len(rest) == 2
    assert "`/regwatch digest on`" in rest[1]
    assert ("`/regwatch actions alibaba`" in rest[1]) is (rules[0].firm is not None)
    assert not message.is_ephemeral
    assert "`" not in message.text
    if language == "en":
        assert "<@U0ASKER> turned the digest of" in first
        assert rest[0].startswith("Shown nowhere in this channel from now on: ")
        assert all(one in rest[0] for one in words)
        assert not any(one in rest[0] for one in without)
    else:
        assert "14" in rest[0]
        assert "nowhere" not in rest[0]
        assert (str(kept) in rest[0]) is bool(kept) or kept == 1


def test_a_channel_that_follows_nothing_misses_nothing() -> None:
    """So nothing is said of it."""
    message = replies.digest_setting(OFF, COVERAGE, LOOK, by="U0ASKER", missed=replies.nowhere([], [MUTE], 0, LOOK))
    assert message.blocks[0]["text"]["text"] == "<@U0ASKER> turned the digest of <#C0LEGAL|legal> off."


def test_what_is_old_is_what_the_reader_of_feeds_takes_for_old() -> None:
    """One number."""
    assert timedelta(days=unheard.LATE_DAYS) == ALERT_AGE


UNTOLD = "The digest is off, so what is for the digest alone is shown nowhere in this channel: "


@pytest.mark.parametrize(
    ("rules", "is_on", "is_said"),
    [([DIGEST_ONLY], False, True), ([RULE, DIGEST_ONLY], False, True), ([RULE], False, False), ([DIGEST_ONLY], True, False)],
    ids=["such a rule", "among others", "alerts and digest", "the digest is on"],
)
def test_a_rule_for_the_digest_alone_says_so_wherever_it_is_shown(rules: list[Any], is_on: bool, is_said: bool) -> None:
    """The list, the settings, the answer to a subscribe: as long as the digest is off."""
    channel = replace(OFF, is_digest_on=is_on)
    result = [replies.FollowResult("created", rule, channel, 0, (), False) for rule in rules]
    for message in (
        replies.subscriptions(rules, channel, COVERAGE, LOOK),
        replies.settings(channel, (), LOOK, views=rules),
        replies.followed(result, "U0ASKER", COVERAGE, LOOK),
    ):
        check_message(message)
        assert (UNTOLD in seen(message)) is is_said
    assert (
        not is_said
        or "#18. `/regwatch digest on` changes that." in seen(replies.subscriptions(rules, channel, COVERAGE, CHINESE))
        or ("#18。輸入 `/regwatch digest on` 可變更。" in seen(replies.subscriptions(rules, channel, COVERAGE, CHINESE)))
    )


def test_settings_that_turn_the_digest_off_say_it_too() -> None:
    """Beside what was changed."""
    message = replies.settings_changed(OFF, a_channel(), "U0ASKER", LOOK, missed=replies.nowhere([DIGEST_ONLY], [], 0, LOOK))
    assert "→ not sent\nShown nowhere in this channel from now on: what is for the digest alone" in seen(message)


@FUZZ
@given(st.lists(MATCHES, max_size=30), st.lists(MATCHES, max_size=30), st.integers(0, 10**6), st.sampled_from(list(LANGUAGES)))
def test_no_name_breaks_what_is_said_of_silence(followed: list[Any], silent: list[Any], kept: int, language: str) -> None:
    """Firms are named by strangers' lists."""
    look = replace(LOOK, language=language)
    rules = [a_subscription(Filter(), id=at, firm=firm, deliver=Deliver.DIGEST) for at, firm in enumerate(followed)]
    mutes = [replace(MUTE, firm=firm) for firm in silent]
    missed = replies.nowhere(rules, mutes, kept, look)
    check_message(replies.digest_setting(OFF, COVERAGE, look, by="U0ASKER", missed=missed))
    check_message(replies.settings_changed(OFF, a_channel(), "U0ASKER", look, missed=missed))


# --- the way back from an edit ---


def edited(*former: Any) -> dict[str, str]:
    results = [replies.FollowResult("edited", replace(RULE, id=rule.id), a_channel(), 0, (), False, rule) for rule in former]
    return buttons(replies.followed(results, "U0ASKER", COVERAGE, LOOK))


def test_an_edited_rule_can_be_what_it_was() -> None:
    """Its filter, its broadcast and its delivery, as text."""
    former = replace(RULE, filter=Filter.parse("kind:ban -role:mentioned"), deliver=Deliver.DIGEST)
    assert edited(former)["Undo"] == 'subscribe "alibaba" kind:ban -role:mentioned broadcast:escalation deliver:digest'
    assert "subscribe all" in edited(EVERYTHING)["Undo"]


def test_rules_that_were_edited_together_are_undone_together_where_one_command_can_say_it() -> None:
    """Else each has its form."""
    other = replace(RULE, id=18, firm=replace(a_match(), firm_id="tencent"))
    assert edited(RULE, other)["Undo"].startswith('subscribe "alibaba", "tencent" kind:fine,investigation ')
    assert "Undo" not in edited(RULE, replace(other, deliver=Deliver.NOW))


def test_a_rule_too_long_for_a_button_has_no_undo() -> None:
    """Slack takes 2,000 characters."""
    long = replace(RULE, filter=Filter.parse("regulator:" + ",".join(f"us-body-{at}" for at in range(300))))
    assert set(edited(long)) == {"Edit"}


def test_every_word_of_slack_that_is_explained_is_one_of_slacks(shared: Path) -> None:
    """By its own list of errors, or an event's name."""
    errors = json.loads((shared / "oracles" / "slack-methods" / "chat.postMessage.json").read_text(encoding="utf-8"))["errors"]
    assert set(unheard._REFUSALS) - set(errors) <= {"channel_deleted", "app_uninstalled", "team_access_revoked", *_CODES}
