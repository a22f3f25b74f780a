"""The replies to changes: who did what, what holds from now on, and the way back."""

from __future__ import annotations

import ast
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bot.slack
from bot.slack import replies
from bot.slack import text as t
from bot.slack.cards import Look, Message
from bot.slack.labels import LANGUAGES, say
from storage.filters import Filter
from storage.intents import ChannelKey, MuteIntent
from storage.models import AliasKind, Broadcast, Deliver, Followed, Health, Mode, Strength
from storage.tenancy import Verdict, WhoMayChange
from storage.views import AliasView, CardView, ChangeView, CorrectionResult, CorrectionView, FollowResult, MuteView, ReviewView
from tests.fakes.blocks import check_message, seen
from tests.test_cards import (
    ACTIONS,
    BY,
    CHANGE_VIEWS,
    CHANNELS,
    COVERAGE,
    COVERAGES,
    FIRM_VIEWS,
    FUZZ,
    LOOK,
    LOOKS,
    MATCHES,
    NOON,
    SOURCES,
    SUBSCRIPTIONS,
    TIMES,
    TITLES,
    a_channel,
    a_match,
    a_subscription,
    an_action,
    tuples,
)
from tests.test_figures_drawn import TENCENT
from tests.test_home import CSRC

RULE = a_subscription(Filter.parse("kind:fine,investigation role:target,group"))
KEY = ChannelKey("T1", "C0LEGAL", "legal")
LATER = NOON + timedelta(days=7)
CHINESE = replace(LOOK, language="zh-Hant")


def buttons(message: Message) -> dict[str, str]:
    """Label -> what it carries."""
    rows = [block["elements"] for block in message.blocks if block["type"] == "actions"]
    rows += [[block["accessory"]] for block in message.blocks if "accessory" in block]
    return {button["text"]["text"]: button["value"] for row in rows for button in row}


# --- what is followed ---


def test_a_subscription_can_be_edited_and_undone() -> None:
    """One rule: both buttons. Several: each has its own Edit, one Undo takes all back."""
    one = replies.followed([FollowResult("created", RULE, a_channel(), 0, (), False)], "U0ASKER", COVERAGE, LOOK)
    assert buttons(one) == {"Edit": "edit 17", "Undo": "unsubscribe #17"}
    two = [FollowResult("created", replace(RULE, id=number), a_channel(), 0, (), False) for number in (17, 18)]
    message = replies.followed(two, "U0ASKER", COVERAGE, LOOK)
    assert buttons(message)["Undo"] == "unsubscribe #17, #18"
    edits = [block["accessory"]["value"] for block in message.blocks if "accessory" in block]
    assert edits == ["edit 17", "edit 18"]
    edited = replies.followed([FollowResult("edited", RULE, a_channel(), 0, (), False)], "U0ASKER", COVERAGE, LOOK)
    assert buttons(edited) == {"Edit": "edit 17"}


def test_what_a_subscription_says_in_chinese() -> None:
    """The same, in words of the reader; names stay findable."""
    said = seen(replies.followed([FollowResult("created", RULE, a_channel(), 0, (), True)], "U0ASKER", COVERAGE, CHINESE))
    assert "規則：" in said
    assert "每日摘要已開啟：平日 08:30，Asia/Taipei，沒有內容也發送。輸入 `/regwatch digest off` 可關閉。" in said
    assert "阿里巴巴" in said
    assert "Rule" not in said


def test_what_is_ended_can_be_followed_again_by_the_same_rule() -> None:
    """One rule fits a button; several do not."""
    message = replies.unfollowed([RULE], "U0ASKER", t.place("C0LEGAL", "legal"), COVERAGE, LOOK)
    again = 'subscribe "alibaba" kind:fine,investigation role:target,group broadcast:escalation deliver:both'
    assert buttons(message) == {"Subscribe again": again}
    assert not message.is_ephemeral
    assert not buttons(replies.unfollowed([RULE, RULE], "U0ASKER", t.place("C0LEGAL", "legal"), COVERAGE, LOOK))
    everything = replace(RULE, firm=None, followed=Followed.ALL)
    assert (
        "subscribe all" in buttons(replies.unfollowed([everything], "U0ASKER", t.place("C0LEGAL", ""), COVERAGE, LOOK))["Subscribe again"]
    )


def test_the_list_says_who_made_and_who_changed_a_rule() -> None:
    """And when; with buttons, of which the one that ends it asks first."""
    rule = replace(RULE, changed_by="operator", changed_at=LATER, deliver=Deliver.DIGEST, broadcast=Broadcast.NEVER)
    message = replies.subscriptions([rule], a_channel(), COVERAGE, LOOK, mutes=[MuteView(LATER, "U0ASKER", a_match())])
    said = seen(message)
    assert "by <@U0ASKER>, 19 Mar 2021; changed by @operator, 26 Mar 2021" in said
    assert "In the digest only, no alerts. Developments stay in the thread." in said
    assert "Muted now: Alibaba Group until 26 Mar 2021, 12:00 Taipei" in said
    assert buttons(message) == {"Edit": "edit 17", "Unsubscribe": "unsubscribe #17", "Settings": "settings"}
    ends = next(button for block in message.blocks for button in block.get("elements", ()) if button.get("value") == "unsubscribe #17")
    assert "No alerts and no lines in the digest about Alibaba Group any more." in ends["confirm"]["text"]["text"]


def test_a_rule_that_nobody_changed_says_nothing_of_it() -> None:
    """An empty name is nobody."""
    assert "changed by" not in seen(replies.subscriptions([RULE], a_channel(), COVERAGE, LOOK))


def test_a_long_list_is_text_alone() -> None:
    """With what to type, and where the menus are."""
    rules = [replace(RULE, id=number) for number in range(1, 17)]
    message = replies.subscriptions(rules, a_channel(), COVERAGE, LOOK)
    assert "`/regwatch unsubscribe #1` ends one of them; the app's Home tab has a menu for each." in seen(message)
    assert set(buttons(message)) == {"Settings"}
    assert "#16" in seen(message)


# --- settings ---


def test_settings_say_what_changed_and_nothing_else() -> None:
    """From what to what."""
    changed = a_channel(quiet_from="22:00", quiet_to="07:00", language="zh-Hant", who_may_change=WhoMayChange.ADMINS, is_digest_on=False)
    message = replies.settings_changed(changed, a_channel(), "U0ASKER", LOOK)
    said = seen(message)
    assert "<@U0ASKER> changed the settings of legal.\n" in said
    assert "• *Language*: English → 繁體中文" in said
    assert "• *Quiet hours*: none → 22:00 to 07:00" in said
    assert "• *Digest*: 08:30 on weekdays, Asia/Taipei, sent even when empty → not sent" in said
    assert "• *Who may change it*: Everyone → Admins only" in said
    assert "Time zone" not in said
    assert not message.is_ephemeral


def test_settings_that_are_as_they_were() -> None:
    """Nobody else need hear of that."""
    message = replies.settings_changed(a_channel(), a_channel(), "U0ASKER", LOOK)
    assert "The settings of legal are as they were." in seen(message)
    assert message.is_ephemeral


def test_settings_of_a_channel_that_was_not_known() -> None:
    """All of them are new."""
    said = seen(replies.settings_changed(a_channel(broadcast=Broadcast.ALL), None, "U0ASKER", LOOK))
    assert "• *Time zone*: Asia/Taipei" in said
    assert "• *Broadcast*: Every development is shown in the channel too" in said


# --- mutes ---


def a_mute(until: Any = LATER, **more: Any) -> MuteIntent:
    return MuteIntent(KEY, "U0ASKER", until, **more)


def test_a_mute_says_until_when_and_where_it_is_seen_instead() -> None:
    """With the digest on."""
    message = replies.muted([MuteView(LATER, "U0ASKER", a_match())], a_mute(firm_id="alibaba"), LOOK, channel=a_channel(), firm=a_match())
    said = seen(message)
    assert "<@U0ASKER> muted *Alibaba Group* (阿里巴巴, 9988.HK) in legal until 26 Mar 2021, 12:00 Taipei." in said
    assert "What is missed is in the digest." in said
    assert buttons(message) == {"Unmute": "unmute alibaba"}
    assert not message.is_ephemeral


def test_a_mute_without_a_digest_warns() -> None:
    """What is missed is seen nowhere then: that must be known before, not after."""
    for channel in (a_channel(is_digest_on=False), None):
        said = seen(replies.muted([], a_mute(), LOOK, channel=channel))
        assert "muted *everything* in legal" in said
        assert "what is missed is shown nowhere in this channel. `/regwatch digest on` changes that." in said


def test_a_case_is_muted_by_any_of_its_actions() -> None:
    """And heard again by the same."""
    message = replies.muted([], a_mute(action_id=1001), LOOK, channel=a_channel())
    assert "muted *RW-1001* and its case in legal" in seen(message)
    assert buttons(message) == {"Unmute": "unmute RW-1001"}


def test_the_end_of_a_mute() -> None:
    """What is still muted is said too."""
    rest = MuteView(LATER, "U0ASKER", action_id=1001)
    message = replies.muted([rest], a_mute(None), LOOK, channel=a_channel())
    said = seen(message)
    assert "<@U0ASKER> ended the mute of *everything* in legal." in said
    assert "Muted now: RW-1001 until 26 Mar 2021, 12:00 Taipei" in said
    assert not buttons(message)


# --- the trail, sources ---


def test_the_trail_of_changes() -> None:
    """Who, when, what, from what to what; an unknown word is shown as it is kept."""
    rows = [
        ChangeView(NOON, "U0ASKER", "who_may_change", "everyone", "admins"),
        ChangeView(NOON, "operator", "subscribed", "", "firm:tencent role:target"),
        ChangeView(NOON, "slack", "some_new_word", "x", ""),
    ]
    said = seen(replies.settings(a_channel(), rows, LOOK))
    assert "19 Mar 2021, 12:00 Taipei · <@U0ASKER> · Who may change it: everyone → admins" in said
    assert "@operator · subscribed: firm:tencent role:target" in said
    assert "@slack · some new word: x" in said
    assert "已訂閱: firm:tencent role:target" in seen(replies.settings(a_channel(), rows, CHINESE))
    assert "Changes here" not in seen(replies.settings(a_channel(), [], LOOK))


ORDERS: list[tuple[str, str, dict[str, Any], dict[str, Any], tuple[str, ...], bool]] = [
    ("armed", "arm", {"health": Health.OK}, {}, ("<@U0ASKER> armed `cn-csrc-news` (CSRC): what it brings from now on is posted.",), False),
    (
        "armed, but still a shadow",
        "arm",
        {"mode": Mode.SHADOW, "mode_reason": "never read"},
        {},
        ("It is still shadow: never read", "Its health: blocked: 403"),
        False,
    ),
    (
        "held",
        "hold",
        {},
        {},
        ("it is read and stored, and nothing of it is posted.\n`/regwatch sources arm cn-csrc-news` lets it post again.",),
        False,
    ),
    (
        "well",
        "check",
        {"health": Health.OK},
        {"found": "12 entries"},
        ("Asked just now, `cn-csrc-news` (CSRC) is well.\n12 entries",),
        True,
    ),
    ("not well", "check", {}, {"found": "403 <b>", "is_well": False}, ("is not well.\n403 <b>",), True),
    ("off", "check", {"is_enabled": False, "off_reason": ""}, {}, ("It is not polled: no reason is stored",), True),
]


@pytest.mark.parametrize(("did", "more", "told", "words", "is_ephemeral"), [case[1:] for case in ORDERS], ids=[case[0] for case in ORDERS])
def test_an_order_about_a_source(did: str, more: dict[str, Any], told: dict[str, Any], words: tuple[str, ...], is_ephemeral: bool) -> None:
    """What holds now, and what is still wrong."""
    message = replies.source_order(did, replace(CSRC, **more), "U0ASKER", LOOK, **told)
    for part in words:
        assert part in seen(message)
    assert message.is_ephemeral is is_ephemeral


# --- verdicts, reviews, firms ---


def a_verdict(verdict: Verdict = Verdict.WRONG_FIRM, **more: Any) -> CorrectionView:
    values: dict[str, Any] = {"id": 12, "verdict": verdict, "by": "U0ASKER", "at": NOON, "reason": "it is another one."}
    return CorrectionView(**(values | more))


def a_result(correction: CorrectionView, *, is_new: bool = True, shown: int = 2) -> CorrectionResult:
    return CorrectionResult(CardView(a_channel(), an_action()), correction, (("C0LEGAL", "1.2"),) * shown, is_new)


VERDICTS: list[tuple[str, CorrectionView, str, str]] = [
    ("the wrong firm", a_verdict(firm="Tencent"), "wrong firm (Tencent).", "what names Tencent by the same name alone is not posted."),
    ("not relevant", a_verdict(Verdict.NOT_RELEVANT), "not relevant.", "developments of its case are not posted."),
    (
        "a duplicate",
        a_verdict(Verdict.DUPLICATE, of_action_id=1002),
        "duplicate of RW-1002.",
        "developments of its case are not posted; those of the other are.",
    ),
    ("a duplicate of what is gone", a_verdict(Verdict.DUPLICATE), "duplicate.", "those of the other are."),
    ("an operator's", a_verdict(Verdict.NOT_RELEVANT, is_for_all=True), "not relevant.", "It holds for every workspace."),
]


@pytest.mark.parametrize(("correction", "words", "remembered"), [case[1:] for case in VERDICTS], ids=[case[0] for case in VERDICTS])
def test_a_verdict_says_what_is_remembered(correction: CorrectionView, words: str, remembered: str) -> None:
    """Who, what, why, what it does from now on, and the way back."""
    message = replies.corrected(a_result(correction), LOOK)
    said = seen(message)
    assert f"<@U0ASKER> struck *RW-1001*: {words}\nReason: it is another one.\nFrom now on, " in said
    assert remembered in said
    assert "2 cards show it." in said
    assert buttons(message) == {"Details": "action RW-1001", "Withdraw": "withdraw 12"}
    assert not message.is_ephemeral


def test_a_verdict_that_holds_already_is_told_to_one() -> None:
    """It changes nothing for the others."""
    message = replies.corrected(a_result(a_verdict(reason="", firm="Tencent"), is_new=False, shown=1), LOOK)
    assert "*RW-1001* is struck already: wrong firm (Tencent)." in seen(message)
    assert "Reason" not in seen(message)
    assert "cards show" not in seen(message)
    assert message.is_ephemeral


def test_a_verdict_that_is_withdrawn() -> None:
    """Told to the channel; the card is as before."""
    message = replies.corrected(a_result(a_verdict(firm="Tencent"), is_new=False), LOOK, is_withdrawn=True)
    assert "The verdict on *RW-1001* is withdrawn: wrong firm (Tencent). Its card is as before" in seen(message)
    assert buttons(message) == {"Details": "action RW-1001"}
    assert not message.is_ephemeral


def test_a_review_names_the_version() -> None:
    """What changed since is not reviewed."""
    reviews = (ReviewView("U0OTHER", NOON, 1, 1001), ReviewView("U0ASKER", NOON, 2, 1001))
    said = seen(replies.reviewed(CardView(a_channel(), an_action(version=3), reviews=reviews), LOOK))
    assert "<@U0ASKER> reviewed *RW-1001*, 19 Mar 2021, 12:00 Taipei, as it stood at version 2." in said
    assert "It has changed since: it is at version 3 now.\nBefore: <@U0OTHER>" in said
    fresh = seen(replies.reviewed(CardView(a_channel(), an_action(version=1), reviews=reviews[:1]), LOOK))
    assert "changed since" not in fresh
    assert "*RW-1001* · TALKS" in seen(replies.reviewed(CardView(a_channel(), an_action()), LOOK))


def test_a_firm_that_was_added() -> None:
    """By whom, under which names, and what it was found in."""
    firm = replace(TENCENT, aliases=tuple(AliasView(text, AliasKind.SHORT, Strength.WEAK, 0, 0) for text in ("Tencent", "TX")))
    message = replies.firm_added(firm, LOOK, by="U0ASKER", documents=7, as_target=5, as_group=1)
    assert "<@U0ASKER> added *Tencent* to the register.\nAlso known as: TX\n7 stored documents name it (5 as target, 1 as group)." in seen(
        message
    )
    assert buttons(message) == {"Actions": "actions tencent", "Subscribe": 'subscribe "tencent"'}
    none = seen(replies.firm_added(TENCENT, LOOK, by="U0ASKER", documents=0, as_target=0, as_group=0))
    assert "0 stored documents name it.\n" in f"{none}\n"


def test_aloud_a_message_has_no_marks() -> None:
    """Each line is a sentence; one that ends already gets no second stop."""
    assert replies.aloud([t.Mrkdwn("*A* is `b`"), t.Mrkdwn(""), t.Mrkdwn("C."), t.Mrkdwn("好。")]) == "A is b. C. 好。"


# --- all of them ---


def test_every_template_that_is_counted_is_translated() -> None:
    """`counted` takes two, which the test of labels does not see; tables are looked up when they are used."""
    found = set(replies._TRAIL.values())
    for path in Path(bot.slack.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "counted":
                found |= {str(argument.value) for argument in node.args[1:3] if isinstance(argument, ast.Constant)}
    assert len(found) > 30
    assert not [template for template in found if say("zh-Hant", template) == template]


CORRECTIONS = st.builds(
    CorrectionView, st.integers(1, 99), st.sampled_from(Verdict), BY, TIMES, TITLES, st.none() | TITLES, st.none() | st.integers(1, 9)
)
REVIEWS = st.builds(ReviewView, BY, TIMES, st.integers(1, 9))
MUTES = st.builds(MuteView, TIMES, BY, st.none() | MATCHES, st.none() | st.integers(1, 9))
CARDS = st.builds(CardView, CHANNELS, ACTIONS, reviews=tuples(REVIEWS, 5))


@st.composite
def shown(draw: st.DrawFn) -> Message:
    """A message of any reply, from views full of strangers' text."""
    look: Look = replace(draw(LOOKS), language=draw(st.sampled_from(list(LANGUAGES))))
    match draw(st.integers(0, 9)):
        case 0:
            rules, mutes = draw(st.lists(SUBSCRIPTIONS, max_size=30)), draw(st.lists(MUTES, max_size=30))
            return replies.subscriptions(rules, draw(st.none() | CHANNELS), draw(COVERAGES), look, mutes=mutes)
        case 1:
            intent = MuteIntent(KEY, draw(BY), draw(st.none() | TIMES), action_id=draw(st.none() | st.integers(1, 9)))
            firm = draw(st.none() | MATCHES)
            return replies.muted(draw(st.lists(MUTES, max_size=30)), intent, look, channel=draw(st.none() | CHANNELS), firm=firm)
        case 2:
            return replies.settings_changed(draw(CHANNELS), draw(st.none() | CHANNELS), draw(BY), look)
        case 3:
            return replies.settings(draw(st.none() | CHANNELS), draw(st.lists(CHANGE_VIEWS, max_size=40)), look)
        case 4:
            did = draw(st.sampled_from(["arm", "hold", "check"]))
            return replies.source_order(did, draw(SOURCES), draw(BY), look, found=draw(TITLES), is_well=draw(st.booleans()))
        case 5:
            result = CorrectionResult(draw(CARDS), draw(CORRECTIONS), (("C0LEGAL", "1"),) * draw(st.integers(0, 3)), draw(st.booleans()))
            return replies.corrected(result, look, is_withdrawn=draw(st.booleans()))
        case 6:
            return replies.reviewed(draw(CARDS), look)
        case 7:
            return replies.firm_added(draw(FIRM_VIEWS), look, by=draw(BY), documents=draw(st.integers(0, 9)), as_target=1, as_group=0)
        case 8:
            return replies.unfollowed(
                draw(st.lists(SUBSCRIPTIONS, min_size=1, max_size=3)), draw(BY), t.place("D1", ""), draw(COVERAGES), look
            )
        case _:
            did = st.sampled_from(["created", "edited", "same"])
            one = st.builds(FollowResult, did, SUBSCRIPTIONS, CHANNELS, st.integers(0, 9), tuples(ACTIONS, 3), st.booleans())
            return replies.followed(draw(st.lists(one, min_size=1, max_size=30)), draw(BY), draw(COVERAGES), look)


@FUZZ
@given(shown())
def test_no_reply_breaks_a_limit_or_gives_a_stranger_power(message: Message) -> None:
    """Over every reply, in all languages."""
    check_message(message)
