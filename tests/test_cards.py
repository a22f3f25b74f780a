"""What people see: the screens, the rules of honesty, and that no text of a stranger can do anything in Slack."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.slack import answers, cards, digests, help, replies
from bot.slack import text as t
from bot.slack.blocks import Look, Message, question_before
from bot.slack.grammar import Actions
from bot.slack.labels import LANGUAGES
from bot.slack.notices import notice
from storage.filters import Filter, Term
from storage.models import (
    AliasKind,
    AmountKind,
    AmountScope,
    Broadcast,
    Deliver,
    DeliveryKind,
    FirmKind,
    Followed,
    Health,
    Kind,
    Mode,
    OwnershipKind,
    Precision,
    Role,
    Status,
    Strength,
    Tier,
)
from storage.records import PartialDate
from storage.tenancy import Verdict
from storage.views import (
    ActionDetail,
    ActionFirmView,
    ActionPage,
    ActionView,
    AliasView,
    AmountView,
    ChangeView,
    ChannelView,
    CorrectionView,
    Coverage,
    DigestView,
    DocumentView,
    DueDelivery,
    EvidenceView,
    FirmMatch,
    FirmView,
    FollowResult,
    RegulatorView,
    ReviewView,
    RollupView,
    SourceProblem,
    SourceView,
    SubscriptionView,
    WhyLine,
    WhyView,
)
from tests.fakes.blocks import LIMITS, check_message, check_view, controls, invisible, seen, strings

NOON = datetime(2021, 3, 19, 4, 0, tzinfo=UTC)  # in Taipei
CAC = RegulatorView("cn-cac", "Cyberspace Administration of China", "国家互联网信息办公室", "CN")
BLOCKED = SourceProblem("cn-csrc-news", "CSRC", Health.BLOCKED, datetime(2021, 3, 13, 13, 10, tzinfo=UTC))
COVERAGE = Coverage(24, 23, (BLOCKED,))
LOOK = Look(zone="Asia/Taipei", watched=frozenset({"tencent"}), now=NOON)
NAMES = ("Tencent", "Alibaba", "ByteDance", "Xiaomi", "Kuaishou", "NetEase Cloud Music")


def a_firm(name: str, role: Role = Role.TARGET, via: str | None = None, *, is_known: bool = True) -> ActionFirmView:
    slug = name.casefold().replace(" ", "-")
    return ActionFirmView(slug if is_known else None, name, "", "", name, role, via)


def a_document(id_: int = 1, tier: Tier = Tier.SECONDARY, **more: Any) -> DocumentView:
    values: dict[str, Any] = {
        "id": id_,
        "title": "Firms called in over voice software",
        "url": f"https://news.example/{id_}",
        "source_id": "wire",
        "publisher": "The Daily Wire",
        "tier": tier,
        "language": "en",
        "number": None,
        "published_at": datetime(2021, 3, 19, tzinfo=UTC),
        "published_precision": Precision.DAY,
        "first_seen_at": NOON,
    }
    return DocumentView(**(values | more))


def an_action(id_: int = 1001, **more: Any) -> ActionView:
    """Eleven firms summoned, six named, told by the press."""
    values: dict[str, Any] = {
        "id": id_,
        "case_id": id_,
        "kind": Kind.TALKS,
        "status": Status.IN_FORCE,
        "version": 1,
        "title": "Firms called in over voice software",
        "regulators": (CAC,),
        "firms": tuple(a_firm(name) for name in NAMES),
        "stated_count": 11,
        "amounts": (),
        "number": None,
        "decided_on": PartialDate(date(2021, 3, 18), Precision.DAY),
        "is_decided_inferred": False,
        "effective_on": None,
        "published_at": datetime(2021, 3, 19, tzinfo=UTC),
        "published_precision": Precision.DAY,
        "first_seen_at": NOON,
        "is_confirmed": False,
        "documents": (a_document(),),
        "quote": EvidenceView("kind", "The agency said that it had called in 11 companies.", 1),
    }
    return ActionView(**(values | more))


def a_channel(**more: Any) -> ChannelView:
    values: dict[str, Any] = {
        "id": 1,
        "workspace_id": "T1",
        "slack_id": "C0LEGAL",
        "name": "legal",
        "time_zone": "Asia/Taipei",
        "language": "en",
        "is_digest_on": True,
        "digest_at": "08:30",
        "digest_days": "weekdays",
        "sends_empty_digest": True,
        "next_digest_at": datetime(2021, 3, 22, 0, 30, tzinfo=UTC),
        "paused_reason": "",
        "subscriptions": 1,
    }
    return ChannelView(**(values | more))


def a_delivery(kind: DeliveryKind = DeliveryKind.ALERT, **more: Any) -> DueDelivery:
    values: dict[str, Any] = {
        "id": 7,
        "token": 1,
        "kind": kind,
        "key": "alert:RW-1001",
        "channel": a_channel(),
        "attempts": 1,
        "is_unsure": False,
        "owed_at": NOON,
        "action": an_action(),
        "watched": frozenset({"tencent"}),
    }
    return DueDelivery(**(values | more))


def a_match(name: str = "Alibaba Group") -> FirmMatch:
    return FirmMatch("alibaba", name, ("阿里巴巴",), ("9988.HK",), name, 100)


def a_subscription(filter_: Filter, **more: Any) -> SubscriptionView:
    values: dict[str, Any] = {
        "id": 17,
        "followed": Followed.FIRM,
        "firm": a_match(),
        "regulator": None,
        "includes": ("Ant Group 螞蟻集團",),
        "filter": filter_,
        "broadcast": Broadcast.ESCALATION,
        "deliver": Deliver.BOTH,
        "created_by": "U0ASKER",
        "created_at": NOON,
    }
    return SubscriptionView(**(values | more))


# --- the screens ---


def test_the_list_of_actions() -> None:
    """Product screen 1: one action in 90 days, the watched firm in bold, press marked as press."""
    page = ActionPage((an_action(),), 1, 1, 0, False, COVERAGE)
    tencent = FirmView("tencent", "Tencent", "腾讯", "騰訊", FirmKind.GROUP, "CN", ("0700.HK",), (), (), (), 1, 0)
    message = answers.actions(page, Actions("tencent"), tencent, span="in 90 days", limit=5, look=LOOK)
    assert seen(message).splitlines()[:4] == [
        "*Tencent* · 騰訊 / 腾讯 · 0700.HK   1 action in 90 days (target 1, group 0)",
        "*RW-1001* · TALKS 约谈 · Cyberspace Administration of China · 18 Mar 2021 · reported 19 Mar",
        "11 firms stated, 6 named here, 5 not named in this document: *Tencent*, Alibaba, ByteDance, Xiaomi, Kuaishou, NetEase Cloud Music",
        "“The agency said that it had called in 11 companies.”  The Daily Wire (press report; notice of the regulator not seen yet)",
    ]
    assert "23 of 24 sources fresh; CSRC blocked since Sat 21:10" in seen(message)


def test_the_card_of_an_alert() -> None:
    """Kind and firms in the header, the title linked, date and source honest, and a button that works."""
    message = cards.alert(a_delivery().card)
    assert message.blocks[0]["text"]["text"] == "TALKS 约谈: Tencent, Alibaba, ByteDance and 8 more"
    assert message.blocks[1]["text"]["text"] == "<https://news.example/1|Firms called in over voice software>"
    said = seen(message)
    assert "*Date*\n18 Mar 2021, reported 19 Mar" in said
    assert "The Daily Wire (press report; notice of the regulator not seen yet)" in said
    assert "first seen 19 Mar 2021, 12:00 Taipei" in said
    assert controls(message.blocks) == {
        "Details": "ask action RW-1001",
        "Timeline": "ask timeline tencent",
        "Reviewed": "mark reviewed RW-1001",
        "Open source": "open https://news.example/1",
        "Mute for 1 day": "menu mute RW-1001 for 1d",
        "Mute for 7 days": "menu mute RW-1001 for 7d",
        "Wrong firm": "menu !wrong_firm RW-1001",
        "Not relevant": "menu !not_relevant RW-1001",
        "Duplicate": "menu !duplicate RW-1001",
    }
    assert message.blocks[-1]["elements"][-1]["confirm"]["title"]["text"] == "RW-1001 for everyone here"
    assert message.text.startswith("RW-1001 talks: Cyberspace Administration of China, 18 Mar 2021. Tencent, Alibaba")
    assert not message.is_ephemeral


def test_the_card_shows_the_newest_action_of_its_case() -> None:
    """What went before stands in one line."""
    fine = an_action(1005, kind=Kind.FINE, first_seen_at=NOON + timedelta(days=30))
    message = cards.alert(a_delivery(action=an_action(), case=(fine,)).card)
    assert message.blocks[0]["text"]["text"].startswith("FINE 罚款")
    assert "Same case: RW-1001 talks (18 Mar 2021)" in seen(message)


CHANGES: list[tuple[str, ChangeView, str]] = [
    ("a kind", ChangeView(NOON, "regwatch", "kind", "talks", "fine", 2), "kind: talks → fine"),
    ("a status", ChangeView(NOON, "regwatch", "status", "in_force", "appealed", 2), "status: in force → appealed"),
    ("firms that came", ChangeView(NOON, "regwatch", "target", "", "Meituan, Didi", 2), "now named: Meituan, Didi"),
    ("firms that went", ChangeView(NOON, "regwatch", "target", "Didi", "", 2), "no longer named: Didi"),
    ("a count", ChangeView(NOON, "regwatch", "count", "", "11", 2), "firms stated: none → 11, named: 6"),
    ("a confirmation", ChangeView(NOON, "regwatch", "confirmed", "reported", "official", 2), "confirmed: the notice of Cyberspace"),
    ("a confirmation withdrawn", ChangeView(NOON, "regwatch", "confirmed", "official", "reported", 2), "confirmed: official → reported"),
    ("an amount", ChangeView(NOON, "regwatch", "amount", "US$1m", "US$2m", 2), "amount: US$1m → US$2m"),
]


@pytest.mark.parametrize(("change", "words"), [case[1:] for case in CHANGES], ids=[case[0] for case in CHANGES])
def test_a_development_says_what_changed(change: ChangeView, words: str) -> None:
    """In the thread, and for those who only hear it."""
    message = cards.development(a_delivery(DeliveryKind.UPDATE, changes=(change,)))
    assert words in seen(message)
    assert words.split(":")[0] in message.text


def test_a_new_action_of_a_case_is_told_in_its_thread() -> None:
    """Whole, for it changed nothing but came."""
    message = cards.development(a_delivery(DeliveryKind.UPDATE))
    assert "*New in this case*" in seen(message)
    assert "RW-1001" in seen(message)


def a_digest(**more: Any) -> DigestView:
    fined = an_action(1002, kind=Kind.FINE, firms=(), stated_count=12)
    values: dict[str, Any] = {
        "local_date": date(2021, 3, 22),
        "since": NOON,
        "until": datetime(2021, 3, 22, 0, 30, tzinfo=UTC),
        "is_late": False,
        "moved": ((an_action(), (ChangeView(NOON, "regwatch", "confirmed", "reported", "official", 2),)),),
        "new": (fined,),
        "quiet_firms": ("Xiaomi", "Kuaishou"),
        "watched": frozenset({"tencent", "xiaomi", "kuaishou"}),
        "coverage": COVERAGE,
    }
    return DigestView(**(values | more))


def test_the_digest() -> None:
    """Moved before new, what is quiet, the coverage line; the actions themselves in the thread."""
    root, *thread = digests.digest(a_delivery(DeliveryKind.DIGEST, digest=a_digest()))
    said = seen(root)
    assert said.startswith("*Regwatch · legal · Mon 22 Mar 2021, 08:30 Taipei*")
    assert "*Moved (1)*\n• RW-1001 talks, *Tencent*, *Xiaomi*, *Kuaishou*: confirmed: the notice of" in said
    assert "*New (1)*\n• RW-1002 fine, Cyberspace Administration of China: 12 firms; none of your firms identified, list incomplete" in said
    assert "Nothing for: Xiaomi, Kuaishou" in said
    assert said.index("Moved") < said.index("New (1)") < said.index("Nothing for")
    assert len(root.blocks) <= 10
    assert len(thread) == 1
    assert "RW-1001" in seen(thread[0])
    assert "RW-1002" in seen(thread[0])


def test_an_empty_digest_is_proof_of_silence() -> None:
    """It says so, and how much was read."""
    (root,) = digests.digest(a_delivery(DeliveryKind.DIGEST, digest=a_digest(moved=(), new=(), is_late=True)))
    assert "Nothing new since 19 Mar 2021, 12:00 Taipei." in seen(root)
    assert "late, it was due at 08:30" in seen(root)
    assert "23 of 24 sources fresh" in seen(root)


def test_a_long_digest_loses_nothing() -> None:
    """Forty actions: counts in the root, all of them in the thread, eight at most in a message."""
    many = tuple(an_action(2000 + number, title=f"Decision {number}") for number in range(40))
    root, *thread = digests.digest(a_delivery(DeliveryKind.DIGEST, digest=a_digest(moved=(), new=many)))
    assert "*New (40)*" in seen(root)
    assert "and 34 more in the thread" in seen(root)
    told = "\n".join(seen(message) for message in thread)
    assert all(action.ref in told for action in many)
    assert all(len(message.blocks) <= 8 for message in thread)


def a_rollup(count: int, *, is_after_quiet: bool = False, **more: Any) -> DueDelivery:
    kinds = (Kind.WARNING, Kind.FINE, Kind.TALKS)
    many = tuple(an_action(2000 + number, kind=kinds[number % 3]) for number in range(count))
    view = RollupView(many, is_after_quiet, datetime(2021, 3, 22, 0, 40, tzinfo=UTC))
    return a_delivery(DeliveryKind.ROLLUP, action=None, rollup=view, **more)


def test_a_rolled_up_message_counts_names_the_severest_and_loses_nothing() -> None:
    """Three hundred alerts: how many of which kind, twelve lines, all of them in the thread, and when the next ones come."""
    due = a_rollup(300)
    root, *thread = digests.rollup(due)
    said = seen(root)
    assert said.startswith("*300 alerts at once*\nwarning 100, fine 100, talks 100\n• RW-2001 fine, Cyberspace Administration of China")
    assert "and 288 more in the thread" in said
    assert "What comes before 22 Mar 2021, 08:40 Taipei follows then." in said
    assert len(root.blocks) <= 10
    assert root.text == "Regwatch, 300 alerts: warning 100, fine 100, talks 100."
    told = "\n".join(seen(message) for message in thread)
    assert due.rollup is not None
    assert all(action.ref in told for action in due.rollup.actions)


def test_a_rolled_up_message_after_quiet_hours_promises_nothing_of_the_next_minutes() -> None:
    root, _ = digests.rollup(a_rollup(2, is_after_quiet=True))
    assert seen(root).startswith("*2 alerts from the quiet hours*")
    assert "follows then" not in seen(root)
    assert seen(digests.rollup(a_rollup(1))[0]).startswith("*One more alert*")


def test_a_notice_to_the_operators() -> None:
    """Which source, since when, and why."""
    facts = {"source": "cn-cac-news", "health": "blocked", "since": "2021-03-19T04:00:00+00:00", "detail": "HTTP 403", "text": "Check it."}
    message = notice(a_delivery(DeliveryKind.NOTICE, notice=facts, action=None))
    assert "*Source* `cn-cac-news`: blocked since 19 Mar 2021, 12:00 Taipei" in seen(message)
    assert "HTTP 403\nCheck it." in seen(message)
    odd = notice(a_delivery(DeliveryKind.NOTICE, notice={"what": "odd", "since": "soon"}, action=None))
    assert "*Notice*" in seen(odd)
    assert "what: odd" in seen(odd)
    naive = notice(a_delivery(DeliveryKind.NOTICE, notice={"source": "x", "health": "held", "since": "soon"}, action=None))
    assert "held since soon" in seen(naive)


def test_a_notice_of_what_reading_again_came_to() -> None:
    """How many, what changed, who is named, what to type; nothing is said of what is none. A firm's id cannot ping anybody."""
    facts = {"reread": "120", "changed": "7", "opened": "2", "moved": "3", "unsaid": "1", "unreadable": "0"}
    full = facts | {"firms": "blue-harbour, <!channel>", "refs": "RW-1005, RW-1006"}
    message = notice(a_delivery(DeliveryKind.NOTICE, notice=full, action=None))
    said = seen(message)
    assert "*Stored documents read again*: 120, of which 7 say other things now\n" in said
    assert "2 actions new, 3 changed, 1 without a firm now; no channel was alerted" in said
    assert "newly named: blue-harbour, " in said
    assert "<!channel>" not in f"{message.text} {message.blocks}"
    assert "To see them (RW-1005, RW-1006): `/regwatch action RW-1005`" in said
    assert "could not be read" not in said
    bare = seen(notice(a_delivery(DeliveryKind.NOTICE, notice=facts | {"firms": "", "refs": "", "unreadable": "4"}, action=None)))
    assert "newly named" not in bare
    assert "To see them" not in bare
    assert "4 could not be read: a fault of Regwatch" in bare


def test_a_delivery_without_its_action_is_a_bug() -> None:
    """It raises, and the Deliverer keeps it for the operator."""
    with pytest.raises(ValueError, match="has no action"):
        cards.development(a_delivery(action=None))


def test_a_digest_delivery_without_its_digest_is_a_bug() -> None:
    """Likewise."""
    with pytest.raises(ValueError, match="has no digest"):
        digests.digest(a_delivery(DeliveryKind.DIGEST))
    with pytest.raises(ValueError, match="has no roll-up"):
        digests.rollup(a_delivery(DeliveryKind.ROLLUP))


def test_a_list_pages_and_can_be_followed_or_not() -> None:
    """Where one is in it, the time line of its firm; Unsubscribe asks before it acts, Subscribe opens a form."""
    tencent = FirmView("tencent", "Tencent", "腾讯", "騰訊", FirmKind.GROUP, "CN", (), (), (), (), 1, 0)
    page = ActionPage(tuple(an_action(number) for number in range(1, 6)), 23, 23, 0, False, COVERAGE)
    message = answers.actions(page, Actions("tencent", page=2), tencent, span="in 90 days", limit=5, look=LOOK)
    assert "Results 6-10 of 23" in seen(message)
    ways = controls(message.blocks)
    assert ways["Timeline"] == "ask timeline tencent"
    assert ways["Subscribe"] == "form subscribe tencent"
    assert (ways["Previous"], ways["Next"]) == ("run actions tencent", "run actions tencent page:3")
    for followed in (
        answers.actions(page, Actions("tencent"), tencent, span="in 90 days", limit=5, look=LOOK, is_followed=True),
        answers.firm(tencent, COVERAGE, LOOK, is_followed=True),
    ):
        ways = controls(followed.blocks)
        assert "Subscribe" not in ways
        assert ways["Unsubscribe"] == 'ask unsubscribe "tencent"'
        button = next(one for one in followed.blocks[-1]["elements"] if one["text"]["text"] == "Unsubscribe")
        assert button["confirm"]["text"]["text"] == "This channel gets no more alerts about Tencent. Its rule is gone then."
    everyone = answers.actions(page, Actions(None), None, span="in 90 days", limit=5, look=LOOK)
    assert not {"Timeline", "Subscribe", "Unsubscribe"} & set(controls(everyone.blocks))


def test_a_name_that_the_register_lacks_can_be_added() -> None:
    """Everybody is told why nobody can follow it, and who may add it."""
    known, lost, other = a_firm("Xiaomi"), a_firm("Nobody Ltd", is_known=False), a_firm("Else AG", Role.VENUE, is_known=False)

    def answer(*firms: ActionFirmView) -> Message:
        return answers.action(ActionDetail(an_action(firms=firms), (), (), (), COVERAGE), LOOK)

    assert controls(answer(known, lost).blocks)["Add Nobody Ltd"] == "form firm RW-1001"
    assert controls(answer(known, lost, other).blocks)["Add Nobody Ltd or another"] == "form firm RW-1001"
    assert "Not in the register, so nobody can follow it yet: Nobody Ltd, Else AG. An admin adds it" in seen(answer(lost, other))
    assert not [label for label in controls(answer(known).blocks) if label.startswith("Add")]
    assert "Not in the register" not in seen(answer(known))


def test_a_firm_shows_how_precise_its_names_are() -> None:
    """The busiest first: how often it was seen, and how often it meant a target."""
    aliases = [("TME", 0, 0), ("Tencent", 12, 9), ("騰訊", 1, 1), ("Penguin", 1, 0)]
    views = tuple(AliasView(text, AliasKind.SHORT, Strength.STRONG, mentions, targets) for text, mentions, targets in aliases)
    said = seen(answers.firm(FirmView("tencent", "Tencent", "", "", FirmKind.GROUP, "CN", (), views, (), (), 1, 0), COVERAGE, LOOK))
    assert (
        "• Tencent: strong, seen 12 times, 9 of them as a target (75 %)\n• 騰訊: strong, seen once, as a target\n"
        "• Penguin: strong, seen once, not as a target\n• TME: strong, not seen yet"
    ) in said


# --- what people said of it ---


def a_verdict(verdict: Verdict = Verdict.WRONG_FIRM, **more: Any) -> CorrectionView:
    return replace(CorrectionView(12, verdict, "U0ASKER", NOON, "another firm of that name", "Tencent", action_id=1001), **more)


def lines(message: Message) -> list[str]:
    return seen(message).splitlines()


def test_a_verdict_strikes_the_card_and_deletes_nothing() -> None:
    """Title and firms are struck through; who, when and why stand on it, and a way back; the proof stays as it was."""
    card = a_delivery(corrections=(a_verdict(),)).card
    message = cards.alert(card)
    assert message.blocks[0]["text"]["text"] == "Struck: wrong firm · TALKS 约谈: Tencent, Alibaba, ByteDance and 8 more"
    assert message.blocks[1]["text"]["text"] == "~<https://news.example/1|Firms called in over voice software>~"
    assert "~11 firms stated, 6 named here, 5 not named in this document: *Tencent*, Alibaba, ByteDance" in seen(message)
    assert "*Struck: wrong firm (Tencent)* · <@U0ASKER> · 19 Mar 2021, 12:00 Taipei · “another firm of that name”" in lines(message)
    assert "<!date^1616126400^{date_short}, {time}|" in json.dumps(message.blocks)
    assert "“The agency said that it had called in 11 companies.”" in lines(message)
    assert controls(message.blocks) == {
        "Details": "ask action RW-1001",
        "Timeline": "ask timeline tencent",
        "Withdraw": "mark withdraw 12",
        "Open source": "open https://news.example/1",
    }
    assert message.text.startswith("Struck: wrong firm (Tencent). RW-1001 talks: Cyberspace")
    unstruck = cards.alert(replace(card, corrections=()))
    assert {text.strip("~") for text in lines(unstruck)} - {text.strip("~") for text in lines(message)} == {
        "TALKS 约谈: Tencent, Alibaba, ByteDance and 8 more",
        *("Reviewed", "Mute for 1 day", "Mute for 7 days", "Wrong firm", "Not relevant", "Duplicate", "Cancel", "Go on"),
        "RW-1001 for everyone here",
        "Muting holds for this channel, a verdict for the whole workspace. Nothing is deleted, and both can be taken back.",
    }


VERDICTS: list[tuple[str, tuple[CorrectionView, ...], str, list[str]]] = [
    ("not relevant", (a_verdict(Verdict.NOT_RELEVANT, reason=""),), "*Struck: not relevant* · <@U0ASKER> ·", ["Withdraw"]),
    ("a duplicate", (a_verdict(Verdict.DUPLICATE, of_action_id=990),), "*Struck: duplicate of RW-990*", ["Withdraw"]),
    ("an operator's", (a_verdict(is_for_all=True, by="ann"),), "*Struck: wrong firm (Tencent)* · @ann · 19 Mar 2021", []),
    ("an operator's is for all", (a_verdict(is_for_all=True),), "· for all workspaces ·", []),
    ("two", (a_verdict(), a_verdict(Verdict.DUPLICATE, id=13)), "*Struck: duplicate*", ["Withdraw #12", "Withdraw #13"]),
    (
        "five",
        tuple(a_verdict(id=number) for number in range(5)),
        "and 2 more",
        ["Withdraw #0", "Withdraw #1", "Withdraw #2"],
    ),
]


@pytest.mark.parametrize(("verdicts", "words", "ways"), [case[1:] for case in VERDICTS], ids=[case[0] for case in VERDICTS])
def test_a_struck_card_says_what_holds(verdicts: tuple[CorrectionView, ...], words: str, ways: list[str]) -> None:
    """A verdict of a channel's workspace can be withdrawn there; an operator's cannot."""
    message = cards.alert(a_delivery(corrections=verdicts).card)
    assert words in seen(message)
    assert [label for label in controls(message.blocks) if label.startswith("Withdraw")] == ways


def test_a_verdict_on_one_action_does_not_strike_the_next_of_its_case() -> None:
    """A fine is news, even where the talks before it were called irrelevant."""
    fine = an_action(1005, kind=Kind.FINE, first_seen_at=NOON + timedelta(days=30))
    message = cards.alert(a_delivery(case=(fine,), corrections=(a_verdict(),), reviews=(ReviewView("U0ASKER", NOON, 1, 1001),)).card)
    said = seen(message)
    assert "Struck" not in said
    assert "RW-1001 struck: wrong firm (Tencent)" in lines(message)
    assert "Reviewed:" not in said


def test_who_reviewed_it_and_when() -> None:
    """The newest two, how many more, and which of them saw an earlier state."""
    reviews = tuple(ReviewView(f"U0R{number}", NOON + timedelta(hours=number), number, 1001) for number in range(1, 5))
    said = seen(cards.alert(a_delivery(action=an_action(version=4), reviews=reviews).card))
    assert "Reviewed: <@U0R4> 19 Mar 2021, 16:00 Taipei, <@U0R3> 19 Mar 2021, 15:00 Taipei (before its last change) and 2 more" in said
    assert (
        "Reviewed: @ann 19 Mar 2021, 12:00 Taipei\n"
        in seen(cards.alert(a_delivery(reviews=(ReviewView("ann", NOON, 1, 1001),)).card)) + "\n"
    )


def test_a_muted_card_says_until_when() -> None:
    """In the context, beside what it is muted of."""
    assert "Muted until 26 Mar 2021, 12:00 Taipei" in seen(cards.alert(a_delivery(muted_until=NOON + timedelta(days=7)).card))


def test_the_timeline_is_of_the_firm_that_is_watched() -> None:
    """A brand that is watched before its owner, the first firm that the register knows else; none without one."""
    brand = replace(a_firm("ByteDance", via="TikTok, brand of ByteDance"), brand_id="tiktok")
    firms = (a_firm("Nobody Ltd", is_known=False), a_firm("Alibaba", Role.GROUP), a_firm("Xiaomi"), brand)
    action = an_action(firms=firms)

    def button(watched: str, of: ActionView = action) -> str | None:
        return controls(cards.alert(a_delivery(action=of, watched=frozenset({watched})).card).blocks).get("Timeline")

    assert button("tiktok") == "ask timeline tiktok"
    assert button("alibaba") == "ask timeline alibaba"
    assert button("") == "ask timeline xiaomi"
    assert button("", an_action(firms=firms[:1])) is None


# --- honesty ---

COUNTS: list[tuple[str, dict[str, Any], str]] = [
    ("more stated than named", {}, "11 firms stated, 6 named here, 5 not named in this document: *Tencent*"),
    ("in several documents", {"documents": (a_document(1), a_document(2))}, "5 not named in these documents"),
    ("all that are stated", {"stated_count": 6}, "6 firms named, as many as stated in this document: *Tencent*"),
    ("none stated", {"stated_count": None}, "6 firms named: *Tencent*"),
    ("one", {"stated_count": None, "firms": (a_firm("Xiaomi"),)}, "\nXiaomi\n"),
    ("none named", {"firms": ()}, "11 firms stated, none named here"),
    ("none at all", {"firms": (), "stated_count": None}, "No firm named"),
    (
        "names that the register lacks",
        {"stated_count": None, "firms": (a_firm("Xiaomi"), a_firm("Nobody Ltd", is_known=False))},
        "2 firms named, 1 not in the register: Xiaomi, Nobody Ltd",
    ),
    (
        "a brand",
        {"stated_count": None, "firms": (a_firm("ByteDance", via="TikTok, brand of ByteDance"),)},
        "ByteDance (via TikTok)",
    ),
    (
        "a group",
        {"stated_count": None, "firms": (a_firm("Ant Group"), a_firm("Alibaba", Role.GROUP))},
        "Ant Group; group: Alibaba",
    ),
]


@pytest.mark.parametrize(("more", "words"), [case[1:] for case in COUNTS], ids=[case[0] for case in COUNTS])
def test_stated_named_and_identified_are_told_apart(more: dict[str, Any], words: str) -> None:
    """A reader never takes six of eleven for all."""
    assert words in seen(answers.action(ActionDetail(an_action(**more), (), (), (), COVERAGE), LOOK)) + "\n"


DATES: list[tuple[str, dict[str, Any], str]] = [
    ("a day", {}, "18 Mar 2021 · reported 19 Mar"),
    ("a month", {"decided_on": PartialDate(date(2020, 11, 1), Precision.MONTH)}, "· Nov 2020 · reported 19 Mar 2021"),
    ("a year", {"decided_on": PartialDate(date(2020, 1, 1), Precision.YEAR)}, "· 2020 · reported 19 Mar 2021"),
    ("one that was worked out", {"is_decided_inferred": True}, "18 Mar 2021 (inferred) · reported"),
    ("one that the regulator published", {"is_confirmed": True}, "18 Mar 2021 · published 19 Mar"),
    ("no day of decision", {"decided_on": None}, "· reported 19 Mar 2021"),
    (
        "a minute, in the reader's zone",
        {"published_at": NOON, "published_precision": Precision.MINUTE},
        "reported 19 Mar 2021, 12:00 Taipei",
    ),
    ("a month of publication", {"decided_on": None, "published_precision": Precision.MONTH}, "· reported Mar 2021"),
    ("nothing but our own", {"decided_on": None, "published_at": None}, "· first seen 19 Mar 2021, 12:00 Taipei"),
]


@pytest.mark.parametrize(("more", "words"), [case[1:] for case in DATES], ids=[case[0] for case in DATES])
def test_a_date_is_never_more_exact_than_it_is_known(more: dict[str, Any], words: str) -> None:
    """And a day is a day where it was published, in every zone."""
    for zone in ("Asia/Taipei", "America/Los_Angeles"):
        if zone == "America/Los_Angeles" and "12:00" in words:
            continue
        look = replace(LOOK, zone=zone)
        assert words in seen(answers.action(ActionDetail(an_action(**more), (), (), (), COVERAGE), look)), zone


AMOUNTS: list[tuple[AmountView, str]] = [
    (AmountView("US$34bn", Decimal(1), Decimal(1), "USD", AmountKind.DEAL_VALUE, AmountScope.WHOLE), "US$34bn (deal value, not a penalty)"),
    (AmountView("RMB500,000", Decimal(1), Decimal(1), "CNY", AmountKind.IMPOSED, AmountScope.EACH), "RMB500,000 (imposed, for each firm)"),
    (AmountView("€1m", Decimal(1), Decimal(1), "EUR", AmountKind.PROPOSED, AmountScope.WHOLE), "€1m (proposed)"),
]


@pytest.mark.parametrize(("amount", "words"), AMOUNTS, ids=[words for _, words in AMOUNTS])
def test_an_amount_is_as_printed_and_says_what_it_is(amount: AmountView, words: str) -> None:
    """Nothing is converted, and a deal is no fine."""
    assert f"*Amount*\n{words}" in seen(cards.alert(a_delivery(action=an_action(amounts=(amount,))).card))


def test_a_regulators_own_notice_is_called_so() -> None:
    """Once it is there, the press is only the press."""
    primary = a_document(2, Tier.PRIMARY, publisher="Cyberspace Administration of China")
    confirmed = an_action(is_confirmed=True, documents=(primary, a_document()), quote=EvidenceView("kind", "约谈11家企业", 2))
    assert "Cyberspace Administration of China (the regulator's own notice)" in seen(cards.alert(a_delivery(action=confirmed).card))
    by_press = replace(confirmed, quote=EvidenceView("kind", "called in", 1))
    assert "The Daily Wire (press report)" in seen(cards.alert(a_delivery(action=by_press).card))


def test_a_quote_has_at_most_240_characters_of_its_own_language() -> None:
    """Cut with an ellipsis, never translated."""
    action = an_action(quote=EvidenceView("kind", "约谈" * 300, 1))
    words = next(text for block in cards.alert(a_delivery(action=action).card).blocks for _, text in strings(block) if text.startswith("“"))
    assert len(words) == 240 + len("“”")
    assert words.endswith("…”")


COVERED: list[tuple[str, Coverage, datetime | None, str]] = [
    ("all fresh", Coverage(24, 24), NOON, "24 of 24 sources fresh"),
    ("one source", Coverage(1, 1), NOON, "1 of 1 source fresh"),
    ("none", Coverage(0, 0), NOON, "No source is polled for this: silence proves nothing"),
    ("within the week", COVERAGE, datetime(2021, 3, 16, tzinfo=UTC), "23 of 24 sources fresh; CSRC blocked since Sat 21:10"),
    ("longer ago", COVERAGE, NOON + timedelta(days=3), "CSRC blocked since 13 Mar 21:10"),
    ("last year", COVERAGE, datetime(2022, 3, 16, tzinfo=UTC), "CSRC blocked since 13 Mar 2021 21:10"),
    ("read at no known time", COVERAGE, None, "CSRC blocked since Sat 13 Mar 2021, 21:10"),
    ("not read yet", Coverage(1, 0, (SourceProblem("x", "SEC", Health.OK, None),)), NOON, "0 of 1 source fresh; SEC not read yet"),
    ("several of one regulator", Coverage(9, 4, (BLOCKED,) * 5), NOON, "4 of 9 sources fresh; CSRC blocked since Sat 21:10 (5 sources)"),
    (
        "many",
        Coverage(9, 4, (BLOCKED, *(SourceProblem(name, name, Health.ERROR, BLOCKED.since) for name in ("AMF", "FCA", "MAS", "SFC")))),
        NOON,
        "CSRC blocked since Sat 21:10, AMF failing since Sat 21:10, FCA failing since Sat 21:10, 2 more",
    ),
    (
        "before the first polls",
        Coverage(5, 0, tuple(SourceProblem(name, name, Health.OK, None) for name in ("AMF", "FCA", "MAS", "SFC", "SEC"))),
        NOON,
        "0 of 5 sources fresh; 5 not read yet",
    ),
]


@pytest.mark.parametrize(("coverage", "now", "words"), [case[1:] for case in COVERED], ids=[case[0] for case in COVERED])
def test_the_coverage_line(coverage: Coverage, now: datetime | None, words: str) -> None:
    """Nothing happened and nothing was read never look alike."""
    assert words in t.coverage_line(coverage, "Asia/Taipei", now)


RULES: list[tuple[str, str, Followed, str]] = [
    ("the default", "role:target,group", Followed.FIRM, "every kind of action, where it is the target or its group is"),
    (
        "kinds",
        "kind:fine,investigation,suspension role:target,group",
        Followed.FIRM,
        "fine, investigation or suspension, where it is the target or its group is",
    ),
    ("a kind left out", "-kind:speech", Followed.FIRM, "every kind of action, not speech"),
    ("the group alone", "role:group", Followed.FIRM, "every kind of action, where a firm of its group is the target"),
    ("any firm", "role:target,group", Followed.ALL, "every kind of action, where a firm is the target or its group is"),
    ("any firm's group", "-role:group", Followed.ALL, "every kind of action, not where a firm of a group is the target"),
    ("severity", "severity:>=fine", Followed.FIRM, "every kind of action, fine or severer"),
    ("exact severity", "severity:fine", Followed.FIRM, "every kind of action, exactly as severe as fine"),
    ("milder", "severity:<consent_order", Followed.FIRM, "every kind of action, milder than consent order"),
    (
        "regulator and country",
        "regulator:cn-cac country:CN,HK",
        Followed.FIRM,
        "every kind of action, by cn-cac, by regulators of CN or HK",
    ),
    (
        "money",
        "min:USD1500000",
        Followed.FIRM,
        "every kind of action, of at least USD 1,500,000 (an amount in another currency, or none, passes)",
    ),
    ("days", "since:90d", Followed.FIRM, "every kind of action, dated within the last 90 days"),
    ("a span", "since:2021-03 until:2021", Followed.FIRM, "every kind of action, dated since 2021-03, dated until 2021"),
    ("language and status", "status:in_force lang:zh", Followed.FIRM, "every kind of action, in force in status, told in zh"),
]


@pytest.mark.parametrize(("typed", "followed", "words"), [case[1:] for case in RULES], ids=[case[0] for case in RULES])
def test_a_rule_in_words(typed: str, followed: Followed, words: str) -> None:
    """As a person would say it, so that a wrong rule is seen at once."""
    assert t.rule(followed, Filter.parse(typed)) == words


def test_what_a_subscription_says() -> None:
    """Product screen 2."""
    last = an_action(988, kind=Kind.SUSPENSION, firms=(a_firm("Ant Group"),), decided_on=PartialDate(date(2020, 1, 1), Precision.YEAR))
    rule = a_subscription(Filter((Term("kind", ("fine", "investigation")), Term("role", ("target", "group")))))
    message = replies.followed([FollowResult("created", rule, a_channel(), 2, (last,), True)], "U0ASKER", COVERAGE, LOOK)
    said = seen(message)
    assert "<@U0ASKER> subscribed legal to *Alibaba Group* (阿里巴巴, 9988.HK)  #17" in said
    assert "Rule: fine or investigation, where it is the target or its group is. Includes Ant Group 螞蟻集團." in said
    assert "Already known: 2 actions, RW-988 suspension, Ant Group (2020). Nothing older is posted." in said
    assert "The daily digest is on now: 08:30 on weekdays, Asia/Taipei, sent even when empty." in said
    assert not message.is_ephemeral


# --- too much of it ---

HUGE = an_action(
    firms=tuple(a_firm(f"Very Long Name of Company Number {number} Holdings Limited") for number in range(400)),
    quote=EvidenceView("kind", "<&>" * 200, 1),
    amounts=(AmountView("&" * 100, Decimal(1), Decimal(1), None, AmountKind.IMPOSED, AmountScope.WHOLE),) * 9,
)


def many(of: ActionView, count: int) -> tuple[ActionView, ...]:
    return tuple(replace(of, id=2_000 + number) for number in range(count))


def told(message: Message) -> str:
    check_message(message)
    return seen(message)


def test_a_page_that_does_not_fit_says_so() -> None:
    """Twenty huge actions: those that fit, and how many are missing."""
    page = ActionPage(many(HUGE, 20), 20, 20, 0, False, COVERAGE)
    said = told(answers.actions(page, Actions(None), None, span="in 90 days", limit=20, look=LOOK))
    left_out = re.search(r"([0-9]+) more of this page did not fit; a smaller `limit:` shows them", said)
    assert left_out is not None
    assert said.count("*RW-2") + int(left_out[1]) == 20
    assert "and 3" in said  # of the 400 names
    assert "23 of 24 sources fresh" in said


def test_an_action_that_does_not_fit_says_so() -> None:
    """The coverage line and the buttons are there all the same."""
    evidence = tuple(EvidenceView("kind", "<&>" * 100, 1) for _ in range(40))
    view = replace(HUGE, documents=tuple(a_document(number, title="&" * 400) for number in range(40)), effective_on=date(2021, 4, 1))
    change = ChangeView(NOON, "regwatch", "title", "&" * 300, "&" * 300, 2)
    said = told(answers.action(ActionDetail(view, evidence, many(HUGE, 9), (change,), COVERAGE), LOOK))
    assert "Some of it did not fit here." in said
    assert "*Effective*\n1 Apr 2021" in said
    assert "23 of 24 sources fresh" in said


def test_reasons_that_do_not_fit_end_with_what_decided() -> None:
    """Names are left out first: the filter and the delivery come last."""
    names = tuple(WhyLine("name", f"'Tencent' at {number} of document 1") for number in range(99))
    end = (WhyLine("filter", "#17 kind: kind is talks, asked for fine", False), WhyLine("delivery", "nothing was owed", False))
    said = told(answers.why(WhyView(an_action(), a_channel(), (*names, *end)), COVERAGE, LOOK))
    assert "• *name*: and 93 more names" in said
    assert "✗ *filter*: #17 kind" in said
    assert "✗ *delivery*: nothing was owed" in said
    endless = tuple(WhyLine("filter", "&" * 300) for _ in range(99))
    assert re.search("and [0-9]+ more", told(answers.why(WhyView(an_action(), None, endless), COVERAGE, LOOK)))


def test_lists_that_do_not_fit_say_how_many_are_missing() -> None:
    """Subscriptions, sources, and many results at once."""
    rules = [a_subscription(Filter(), id=number, includes=("&" * 60,) * 9) for number in range(200)]
    assert re.search("and [0-9]+ more", told(replies.subscriptions(rules, a_channel(), COVERAGE, LOOK)))
    results = [FollowResult("created", rule, a_channel(), 0, (), True) for rule in rules]
    said = told(replies.followed(results, "U0ASKER", COVERAGE, LOOK))
    assert re.search("and [0-9]+ more", said)
    assert "The daily digest is on now" in said
    source = SourceView(
        "s", None, "&" * 80, "", "", "", True, "", Mode.SHADOW, "&" * 200, Health.ERROR, NOON, "&" * 200, False, NOON, None, NOON, 1
    )
    said = told(answers.sources([replace(source, id=f"s{number}") for number in range(300)], COVERAGE, LOOK))
    assert re.search("and [0-9]+ more; ask for one regulator: `/regwatch sources csrc`", said)


# --- strangers' text ---

HOSTILE = (
    "<!channel>",
    "<!here|everyone>",
    "<@U1>",
    "<#C1>",
    "<!subteam^S1>",
    "<http://evil.example|https://bank.example>",
    "&lt;!channel&gt;",
    "&amp;lt;!channel&amp;gt;",
    "*bold* _italic_ ~strike~ `code`",
    "> quoted",
    ":rotating_light: 10:30:20",
    "a|b",
    "\u202eevil\u202c \u2066x\u2069",
    "zero\u200bwidth\u200d\ufeff",
    "\x00\x07\x1b[31m\r\n\t",
    "\ud800",
    "𠮷野家😀" * 40,
    "阿里巴巴集團控股有限公司" * 30,
    "&" * 400,
    "",
    " ",
)

TITLES = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(codec=None), max_size=60),
    st.lists(st.sampled_from(HOSTILE), min_size=2, max_size=4).map(" ".join),
    st.text(st.sampled_from("<>&|!@#*_~`:ab 腾\u202e\u200b\n"), max_size=40),
)
URLS = st.one_of(
    st.sampled_from(
        (
            "https://ok.example/a?b=c&d=<e>|f g",
            "javascript:alert(1)",
            "https://bank.example@evil.example/",
            "http://[broken",
            "",
            "https://x.example/" + "a" * 5_000,
            "http://例え.jp/路径",
            "https://ok.example/\n<!channel>",
            "ftp://x.example",
            "http://:80/",
            "http://x.example:99999/",
        )
    ),
    TITLES,
)
TIMES = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
DAYS = st.builds(PartialDate, st.dates(), st.sampled_from([Precision.YEAR, Precision.MONTH, Precision.DAY]))
FIRMS = st.builds(
    ActionFirmView, st.sampled_from([None, "tencent"]), TITLES, TITLES, TITLES, TITLES, st.sampled_from(Role), st.none() | TITLES
)
AMOUNT_VIEWS = st.builds(
    AmountView, TITLES, st.just(Decimal(1)), st.just(Decimal(2)), st.none(), st.sampled_from(AmountKind), st.sampled_from(AmountScope)
)
REGULATORS = st.builds(RegulatorView, st.just("cn-cac"), TITLES, TITLES, st.just("CN"))
DOCUMENTS = st.builds(
    DocumentView,
    st.integers(1, 3),
    TITLES,
    URLS,
    TITLES,
    TITLES,
    st.sampled_from(Tier),
    TITLES,
    st.none() | TITLES,
    st.none() | TIMES,
    st.none() | st.sampled_from(Precision),
    TIMES,
)
EVIDENCE = st.builds(EvidenceView, TITLES, TITLES, st.integers(1, 3))


def tuples(of: st.SearchStrategy[Any], most: int) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(of, max_size=most).map(tuple)


ACTIONS = st.builds(
    ActionView,
    st.integers(1, 10**9 - 1),
    st.integers(1, 9),
    st.sampled_from(Kind),
    st.sampled_from(Status),
    st.integers(1, 9),
    TITLES,
    tuples(REGULATORS, 3),
    tuples(FIRMS, 4) | tuples(FIRMS, 1).map(lambda firms: firms * 300),
    st.none() | st.integers(0, 10**6),
    tuples(AMOUNT_VIEWS, 2),
    st.none() | TITLES,
    st.none() | DAYS,
    st.booleans(),
    st.none() | st.dates(),
    st.none() | TIMES,
    st.none() | st.sampled_from(Precision),
    TIMES,
    st.booleans(),
    tuples(DOCUMENTS, 3),
    st.none() | EVIDENCE,
)
CHANGE_VIEWS = st.builds(
    ChangeView,
    TIMES,
    TITLES,
    st.sampled_from(["kind", "status", "target", "count", "confirmed", "x_y"]) | TITLES,
    st.sampled_from(["fine", "in_force", "official"]) | TITLES,
    TITLES,
    st.none(),
)
COVERAGES = st.builds(
    Coverage,
    st.integers(0, 99),
    st.integers(0, 99),
    tuples(st.builds(SourceProblem, TITLES, TITLES, st.sampled_from(Health), st.none() | TIMES, TITLES), 5),
)
CHANNELS = st.builds(
    a_channel,
    name=TITLES,
    slack_id=st.sampled_from(["C0LEGAL", "D0ASKER", "console"]) | TITLES,
    time_zone=st.sampled_from(["UTC", "Asia/Taipei", "America/St_Johns"]),
    is_digest_on=st.booleans(),
    digest_days=st.sampled_from(["daily", "weekdays"]),
    next_digest_at=st.none() | TIMES,
    paused_reason=TITLES,
    language=st.sampled_from(list(LANGUAGES)),
)
CORRECTIONS = st.builds(
    CorrectionView,
    st.integers(1, 10**9),
    st.sampled_from(Verdict),
    st.sampled_from(["U0ASKER", "operator"]) | TITLES,
    TIMES,
    TITLES,
    st.none() | TITLES,
    st.none() | st.integers(1, 10**9),
    st.booleans(),
)
REVIEWS = st.builds(ReviewView, st.sampled_from(["U0ASKER", "operator"]) | TITLES, TIMES, st.integers(1, 9))
MATCHES = st.builds(FirmMatch, st.just("alibaba"), TITLES, tuples(TITLES, 2), tuples(TITLES, 2), TITLES, st.just(100.0))
TYPED_FILTERS = st.sampled_from([Filter.parse(case[1]) for case in RULES])
# a stored value is never empty
RULE_FILTERS = TYPED_FILTERS | TITLES.map(lambda text: Filter((Term("regulator", (f"x{text}",)),)))
SUBSCRIPTIONS = st.builds(
    a_subscription,
    RULE_FILTERS,
    firm=MATCHES,
    includes=tuples(TITLES, 4),
    deliver=st.sampled_from(Deliver),
    broadcast=st.sampled_from(Broadcast),
    created_by=st.sampled_from(["U0ASKER", "operator"]) | TITLES,
    created_at=TIMES,
) | st.builds(a_subscription, RULE_FILTERS, firm=st.none(), followed=st.just(Followed.REGULATOR), regulator=REGULATORS)
LOOKS = st.builds(
    Look,
    st.just("/regwatch"),
    st.sampled_from(["UTC", "Asia/Taipei", "America/St_Johns"]),
    st.just(frozenset({"tencent"})),
    st.none() | TIMES,
    st.sampled_from(list(LANGUAGES)),
)
BY = st.sampled_from(["U0ASKER", "operator"]) | TITLES
DIGESTS = st.builds(
    DigestView,
    st.just(date(2021, 3, 22)),
    TIMES,
    TIMES,
    st.booleans(),
    tuples(st.tuples(ACTIONS, tuples(CHANGE_VIEWS, 5)), 3),
    tuples(ACTIONS, 12),
    tuples(TITLES, 5),
    st.just(frozenset({"tencent"})),
    COVERAGES,
)
DELIVERIES = st.builds(
    a_delivery,
    channel=CHANNELS,
    action=ACTIONS,
    case=tuples(ACTIONS, 3),
    changes=tuples(CHANGE_VIEWS, 4),
    watched=st.just(frozenset({"tencent"})),
    corrections=tuples(CORRECTIONS, 5),
    reviews=tuples(REVIEWS, 5),
    muted_until=st.none() | TIMES,
)
FIRM_VIEWS = st.builds(
    FirmView,
    st.sampled_from(["tencent", "3m", "digest"]),
    TITLES,
    TITLES,
    TITLES,
    st.sampled_from(FirmKind),
    TITLES,
    tuples(TITLES, 3),
    tuples(st.builds(AliasView, TITLES, st.sampled_from(AliasKind), st.sampled_from(Strength), st.integers(0, 9), st.integers(0, 9)), 30),
    tuples(st.tuples(TITLES, TITLES, st.sampled_from(OwnershipKind)), 20),
    tuples(st.tuples(TITLES, TITLES, st.sampled_from(OwnershipKind)), 20),
    st.integers(0, 9),
    st.integers(0, 9),
    TITLES,
)
SOURCES = st.builds(
    SourceView,
    TITLES,
    st.none(),
    TITLES,
    TITLES,
    TITLES,
    URLS,
    st.booleans(),
    TITLES,
    st.sampled_from(Mode),
    TITLES,
    st.sampled_from(Health),
    st.none() | TIMES,
    TITLES,
    st.booleans(),
    st.none() | TIMES,
    st.none() | TIMES,
    TIMES,
    st.integers(0, 9),
)


@st.composite
def shown_messages(draw: st.DrawFn) -> Message:
    """A message of any renderer, from views full of strangers' text."""
    look, coverage = draw(LOOKS), draw(COVERAGES)
    match draw(st.integers(-1, 17)):
        case -1:
            view = RollupView(draw(tuples(ACTIONS, 14)), draw(st.booleans()), draw(TIMES))
            root, *thread = digests.rollup(a_delivery(DeliveryKind.ROLLUP, channel=draw(CHANNELS), rollup=view))
            return draw(st.sampled_from([root, *thread]))
        case 0:
            return cards.alert(draw(DELIVERIES).card)
        case 1:
            return cards.development(draw(DELIVERIES))
        case 2:
            root, *thread = digests.digest(a_delivery(DeliveryKind.DIGEST, channel=draw(CHANNELS), digest=draw(DIGESTS)))
            return draw(st.sampled_from([root, *thread]))
        case 3:
            facts = draw(st.dictionaries(st.sampled_from(["source", "health", "since", "detail", "text"]) | TITLES, TITLES, max_size=8))
            return notice(a_delivery(DeliveryKind.NOTICE, notice=facts))
        case 4:
            page = ActionPage(draw(tuples(ACTIONS, 20)), draw(st.integers(0, 99)), 1, 1, draw(st.booleans()), coverage)
            asked = Actions("tencent", draw(TYPED_FILTERS), draw(st.integers(1, 3)))
            return answers.actions(
                page, asked, draw(st.none() | FIRM_VIEWS), span="in 90 days", limit=5, look=look, is_followed=draw(st.booleans())
            )
        case 5:
            detail = ActionDetail(
                draw(ACTIONS), draw(tuples(EVIDENCE, 30)), draw(tuples(ACTIONS, 5)), draw(tuples(CHANGE_VIEWS, 30)), coverage
            )
            return answers.action(detail, look)
        case 6:
            lines = draw(tuples(st.builds(WhyLine, TITLES, TITLES, st.none() | st.booleans()), 60))
            return answers.why(WhyView(draw(ACTIONS), draw(st.none() | CHANNELS), lines), coverage, look)
        case 7:
            return answers.firm(draw(FIRM_VIEWS), coverage, look, is_followed=draw(st.booleans()))
        case 8:
            return answers.sources(draw(st.lists(SOURCES, max_size=60)), coverage, look, regulator=draw(st.none() | TITLES))
        case 9:
            one = st.builds(
                FollowResult,
                st.sampled_from(["created", "edited", "same"]),
                SUBSCRIPTIONS,
                CHANNELS,
                st.integers(0, 9),
                tuples(ACTIONS, 3),
                st.booleans(),
            )
            return replies.followed(draw(st.lists(one, min_size=1, max_size=30)), draw(BY), coverage, look)
        case 10:
            return replies.unfollowed(
                draw(st.lists(SUBSCRIPTIONS, min_size=1, max_size=60)), draw(BY), t.place("C0LEGAL", ""), coverage, look
            )
        case 11:
            return replies.subscriptions(draw(st.lists(SUBSCRIPTIONS, max_size=60)), draw(st.none() | CHANNELS), coverage, look)
        case 12:
            return replies.digest_setting(draw(st.none() | CHANNELS), coverage, look, by=draw(st.none() | BY))
        case 13:
            return help.help_(draw(st.none() | st.sampled_from(["actions", "why"])), draw(st.none() | CHANNELS), coverage, look)
        case 14:
            choices = draw(st.lists(st.tuples(TITLES, st.sampled_from(["help", "list"])), max_size=12))
            return help.error(draw(TITLES), choices, look)
        case 15:
            return help.failure("abc", draw(TITLES))
        case 16:
            page = ActionPage(draw(tuples(ACTIONS, 3)), 3, 1, 1, False, coverage)
            return help.shared(answers.actions(page, Actions(None), None, span="", limit=5, look=look), draw(BY))
        case _:
            return digests.digest_of(draw(DIGESTS), draw(CHANNELS), is_preview=True)


FUZZ = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example])


@FUZZ
@given(shown_messages())
def test_no_text_of_a_stranger_has_power_and_no_message_breaks_a_limit(message: Message) -> None:
    """Over every renderer."""
    check_message(message)


def test_the_limits_are_those_that_others_wrote_down(shared: Path) -> None:
    """slackblocks' table, which is not ours."""
    table = json.loads((shared / "oracles" / "slackblocks" / "limits.json").read_text(encoding="utf-8"))
    for path, limit in LIMITS.items():
        found = table
        for part in path.split("."):
            found = found[part]
        assert found == limit, path


def payloads(shared: Path) -> list[tuple[str, dict[str, Any]]]:
    """The canonical payloads of others that hold only what we send too; emoji are counted more strictly here."""
    found = []
    ours = {"header", "section", "context", "actions", "input", "image", "divider"}
    for path in sorted((shared / "oracles" / "slackblocks" / "fixtures" / "valid" / "blocks").glob("*.json")):
        value = json.loads(path.read_text(encoding="utf-8")) if "emoji" not in path.stem else []
        found += [(path.stem, block) for block in (value if isinstance(value, list) else [value]) if block["type"] in ours]
    return found


def test_the_checker_passes_what_others_call_valid(shared: Path) -> None:
    """Blocks and views; a checker that refuses everything would prove nothing."""
    for _, block in payloads(shared):
        check_view({"type": "home", "blocks": [block]})
    modal = json.loads((shared / "oracles" / "slackblocks" / "fixtures" / "valid" / "views" / "modal_with_blocks.json").read_text())
    check_view(modal)


def a_text(words: str, kind: str = "plain_text") -> dict[str, Any]:
    return {"type": kind, "text": words}


def an_option(value: str = "a", words: str = "A") -> dict[str, Any]:
    return {"text": a_text(words), "value": value}


def a_button(**more: Any) -> dict[str, Any]:
    return {"type": "button", "text": a_text("Go"), "action_id": "regwatch.ask.0", "value": "help"} | more


def a_confirm(**more: Any) -> dict[str, Any]:
    return {"title": a_text("T"), "text": a_text("X"), "confirm": a_text("Y"), "deny": a_text("N")} | more


def test_what_ends_everything_asks_before() -> None:
    """In the reader's language; what ends one thing, or nothing, does not."""
    question = question_before("unsubscribe all", replace(LOOK, language="zh-Hant"))
    assert question is not None
    assert question["title"]["text"] == "取消所有訂閱？"
    check_view({"type": "home", "blocks": [{"type": "actions", "elements": [a_button(value="unsubscribe all", confirm=question)]}]})
    assert question_before("unsubscribe tencent", LOOK) is None


REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("an empty text", {"type": "section", "text": a_text("")}),
    ("a section of nothing", {"type": "section"}),
    ("a long section", {"type": "section", "text": a_text("a" * 3_001)}),
    ("a long field", {"type": "section", "fields": [a_text("a" * 2_001)]}),
    ("eleven fields", {"type": "section", "fields": [a_text("a")] * 11}),
    ("a header of 76 astral characters", {"type": "header", "text": a_text("𠮷" * 76)}),
    ("marked up text in a header", {"type": "header", "text": a_text("a", "mrkdwn")}),
    ("eleven elements in a context", {"type": "context", "elements": [a_text("a")] * 11}),
    ("a token of a stranger", {"type": "section", "text": a_text("<!channel>", "mrkdwn")}),
    ("a text that turns round", {"type": "section", "text": a_text("a\u202eb")}),
    ("a long label", {"type": "actions", "elements": [a_button(text=a_text("a" * 76))]}),
    ("a command that is none", {"type": "actions", "elements": [a_button(value="action tencent")]}),
    ("two elements of one id", {"type": "actions", "elements": [a_button(), a_button()]}),
    ("an end of everything without a question", {"type": "actions", "elements": [a_button(value="unsubscribe all")]}),
    ("a mark that nobody knows", {"type": "actions", "elements": [a_button(action_id="regwatch.mark.0", value="erase RW-1")]}),
    ("a form that nobody knows", {"type": "actions", "elements": [a_button(action_id="regwatch.form.0", value="other")]}),
    ("a long title of a question", {"type": "actions", "elements": [a_button(confirm=a_confirm(title=a_text("a" * 101)))]}),
    ("a long answer to a question", {"type": "actions", "elements": [a_button(confirm=a_confirm(deny=a_text("a" * 31)))]}),
    (
        "six options in a menu",
        {
            "type": "actions",
            "elements": [
                {
                    "type": "overflow",
                    "action_id": "regwatch.menu.0",
                    "options": [an_option(f"!duplicate RW-{number}") for number in range(6)],
                }
            ],
        },
    ),
    (
        "a long option",
        {"type": "actions", "elements": [{"type": "static_select", "action_id": "x", "options": [an_option("a", "a" * 76)]}]},
    ),
    ("a long value", {"type": "actions", "elements": [{"type": "static_select", "action_id": "x", "options": [an_option("a" * 151)]}]}),
    (
        "an initial option that is not offered",
        {
            "type": "actions",
            "elements": [{"type": "static_select", "action_id": "x", "options": [an_option("a")], "initial_option": an_option("b")}],
        },
    ),
    ("a block without a check", {"type": "video"}),
]


@pytest.mark.parametrize("block", [case[1] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_the_checker_refuses(block: dict[str, Any]) -> None:
    """In a view as in a message."""
    with pytest.raises(AssertionError):
        check_view({"type": "home", "blocks": [block]})
    with pytest.raises(AssertionError):
        check_message(Message(t.Mrkdwn("a"), [block]))


VIEWS: list[tuple[str, dict[str, Any]]] = [
    ("a modal without a title", {"type": "modal"}),
    ("a long title", {"type": "modal", "title": a_text("a" * 25)}),
    ("a long button", {"type": "modal", "title": a_text("a"), "submit": a_text("a" * 25)}),
    ("no block", {"type": "home", "blocks": []}),
    ("101 blocks", {"type": "home", "blocks": [{"type": "divider"}] * 101}),
    ("much that is private", {"type": "home", "private_metadata": "a" * 3_001}),
]


@pytest.mark.parametrize("view", [case[1] for case in VIEWS], ids=[case[0] for case in VIEWS])
def test_the_checker_refuses_a_view(view: dict[str, Any]) -> None:
    """For what is around its blocks."""
    with pytest.raises(AssertionError):
        check_view({"blocks": [{"type": "divider"}]} | view)


@given(TITLES)
@example("<!channel>")
@example("> x")
def test_escaped_text_has_no_power(text: str) -> None:
    """Slack reads it as text: no token, no emphasis, no emoji, no quote at its start."""
    safe = t.escape(text)
    assert not re.search("[<>]", safe)
    assert not re.search(r"&(?!amp;|lt;|gt;)", safe)
    assert not re.search(r"(?<!\u2060)[*_~`]|[*_~`](?!\u2060)", safe)
    assert not re.search(r":[\w+'-]+:", safe)
    assert not safe.startswith("&gt;")
    assert not invisible(safe)


def test_escaping_keeps_what_was_written() -> None:
    """Readers see the same letters, in whatever script; the ampersand first, once."""
    assert t.escape("AT&T <b>騰訊</b> 𠮷 &amp;") == "AT&amp;T &lt;b&gt;騰訊&lt;/b&gt; 𠮷 &amp;amp;"
    assert t.clean("a\u202eb\u200bc\r\nd\ud800e") == "abc de"
    assert t.clean("ﬁ ㈱ Å") == "ﬁ ㈱ Å"


@given(st.text(st.sampled_from("ab&<𠮷"), max_size=60), st.integers(2, 40))
def test_cutting_never_splits_a_character(text: str, limit: int) -> None:
    """And counts the way that is the shorter for us."""
    out = t.cut(text, limit)
    assert len(out.encode("utf-16-le")) // 2 <= limit
    assert out == text or (out.endswith("…") and text.startswith(out[:-1].rstrip()))


@given(
    st.lists(st.sampled_from(["<https://x.example|label>", "&amp;", "a", "𠮷", "*b*", "\n"]), max_size=20).map("".join), st.integers(2, 60)
)
def test_marked_up_text_is_cut_between_its_tokens(text: str, limit: int) -> None:
    """A half of a link or an entity would be shown as garbage, or worse."""
    out = t.fitted(t.Mrkdwn(text), limit)
    assert len(out.encode("utf-16-le")) // 2 <= limit
    assert out.count("<") == out.count(">")
    assert not re.search(r"&(?!amp;)", out)


LINKS: list[tuple[str, str, str]] = [
    ("plain", "https://x.example/a", "<https://x.example/a|label>"),
    ("with a query", "https://x.example/?a=1&b=2", "<https://x.example/?a=1&amp;b=2|label>"),
    ("with what would end it", "https://x.example/a|b>c d", "<https://x.example/a%7Cb%3Ec%20d|label>"),
    ("in Chinese", "http://x.example/路", "<http://x.example/%E8%B7%AF|label>"),
    ("with a Chinese host", "https://例え.jp/", "<https://xn--r8jz45g.jp/|label>"),
    ("with a port", "http://x.example:8080/a", "<http://x.example:8080/a|label>"),
    ("an address of the sixth version", "http://[::1]/a", "<http://[::1]/a|label>"),
    ("a script", "javascript:alert(1)", "label"),
    ("a deceiving user name", "https://bank.example@evil.example/", "label"),
    ("a broken host", "http://[broken", "label"),
    ("a port that is none", "http://x.example:99999/", "label"),
    ("nothing", "", "label"),
    ("endless", f"https://x.example/{'a' * 3_000}", "label"),
]


@pytest.mark.parametrize(("url", "out"), [case[1:] for case in LINKS], ids=[case[0] for case in LINKS])
def test_a_link_is_safe_or_none(url: str, out: str) -> None:
    """The label alone, when the address may not be linked."""
    assert t.link(url, "label") == out


@FUZZ
@given(shown_messages())
def test_what_is_read_aloud_has_no_markup(message: Message) -> None:
    """The text of a card, a list or a digest is heard: no stars, no emoji, no code but a command to type."""
    said = re.sub(r"<[^<>]*>|`[^`]*`", "", message.text)
    assert not re.search(r"(?<!\u2060)[*~`](?!\u2060)", said), message.text
    assert not re.search(r":[\w+'-]+:", said)


def test_templates_are_checked() -> None:
    """A forgotten value is a bug, not a brace on a card."""
    with pytest.raises(ValueError, match="1 values for 2 places"):
        t.mrkdwn("{} {}", "a")


def test_a_command_in_an_error_is_shown_whole() -> None:
    """Under the name that this workspace gave it; words of a stranger stay powerless."""
    assert help.prose("Try `actions <firm>` or `kind:fine`, not “<!here>”.", "/watch") == (
        "Try `/watch actions &lt;firm&gt;` or `kind:fine`, not “&lt;!here&gt;”."
    )


def test_a_command_too_long_for_a_button_gets_none() -> None:
    """No button is better than one that does nothing."""
    message = help.error("What?", [("Long", "x" * 2_000), ("Short", "help")], LOOK)
    assert [button["text"]["text"] for button in message.blocks[-1]["elements"]] == ["Short"]
