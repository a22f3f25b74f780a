"""Chat logs: what is typed with each verb of figures, mutes, settings, orders and exports, and what comes back.

Real Bolt, real Store, real Slack client (tests/fakes/chat.py); the verbs of questions and subscriptions are in test_commands.
"""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from typing import Any

import pytest

from bot.check import Checked
from bot.slack.changes import Who
from bot.slack.desk import Desk
from bot.slack.orders import Orders
from storage import Store
from storage.intents import ChannelKey, ChannelSetting
from storage.models import Health, Kind, Mode, Role
from storage.records import SourceRow
from storage.tenancy import WhoMayChange
from tests import builders
from tests.fakes.chat import ADMIN, ASKER, COLLEAGUE, ELSEWHERE, LEGAL, SECRET, Chat, labels, shown
from tests.fakes.clock import FakeClock
from tests.fakes.slack import BOT_USER, TEAM, refused

HERE = ChannelKey(TEAM, LEGAL, "legal")


async def fined(store: Store, minimum: int, *, day: date) -> int:
    """Tencent is fined."""
    return await builders.add_action(store, ("tencent", Role.TARGET), kind=Kind.FINE, decided=day, amounts=[("USD", minimum)])


# --- figures ---


async def test_totals_add_what_may_be_added(chat: Chat, known: Store) -> None:
    """Per currency and stage, with how many texts state no sum."""
    await fined(known, 2_000_000, day=date(2021, 1, 5))
    await fined(known, 500_000, day=date(2020, 6, 1))
    (answer,) = await chat.says("totals tencent by year")
    said = shown(answer)
    assert answer["response_type"] == "ephemeral"
    assert "*Tencent*" in said
    assert "2,500,000" in said
    assert said.index("*2021*") < said.index("*2020*")
    (plain,) = await chat.says("how much was tencent fined?")
    assert "2,500,000" in shown(plain)


async def test_a_time_line_is_words_at_once_and_a_picture_when_it_is_shared(chat: Chat, known: Store) -> None:
    """The picture goes to everyone, so nobody gets one unasked."""
    await fined(known, 2_000_000, day=date(2021, 1, 5))
    (answer,) = await chat.says("timeline 騰訊")
    assert answer["response_type"] == "ephemeral"
    assert "Jan 2021" in shown(answer)
    assert chat.slack.files == {}
    (shared,) = await chat.clicks("Share", answer)
    assert shared["response_type"] == "in_channel"
    (file,) = chat.slack.files.values()
    assert file["name"] == "timeline.png"
    assert file["content"].startswith(b"\x89PNG")
    assert file["channel"] == LEGAL


async def test_a_picture_without_its_scope_is_told_to_the_one_who_shared(chat: Chat, known: Store) -> None:
    """And what an admin does about it; the words are shared all the same."""
    chat.slack.scopes.discard("files:write")
    (answer,) = await chat.says("timeline tencent")
    shared, refusal = await chat.clicks("Share", answer)
    assert shared["response_type"] == "in_channel"
    assert refusal["response_type"] == "ephemeral"
    assert "files:write" in shown(refusal)


async def test_what_is_shared_twice_is_shared_once(chat: Chat) -> None:
    """A double click has two time stamps and one meaning."""
    (answer,) = await chat.says("tencent")
    assert len(await chat.clicks("Share", answer)) == 1
    assert await chat.clicks("Share", answer) == []
    assert len(await chat.clicks("Share", answer, user=COLLEAGUE)) == 1


async def test_words_are_found_in_either_script(chat: Chat, known: Store) -> None:
    """A two-character name inside a sentence too, and no word is no question."""
    await builders.add_document(known, "cn-cac-news", "网信办约谈多家企业", "国家网信办近日约谈腾讯等企业，要求开展安全评估。")
    (answer,) = await chat.says("search 騰訊")
    assert "1 document" in shown(answer)
    assert "约谈腾讯等企业" in shown(answer)
    (none,) = await chat.says("search zebra")
    assert "No stored document holds all of these words." in shown(none)
    (empty,) = await chat.says("search")
    assert answer["response_type"] == empty["response_type"] == "ephemeral"
    assert "`/regwatch search " in shown(empty)


# --- mutes ---


async def test_a_mute_is_told_to_the_channel_and_shown_in_its_list(chat: Chat, known: Store, clock: FakeClock) -> None:
    """Who, what, until when, and where it is seen instead."""
    (nothing,) = await chat.says("mute tencent for 7d")
    assert "follows nothing yet, so there is nothing to mute" in shown(nothing)
    await chat.says("subscribe tencent")
    (muted,) = await chat.says("mute tencent for 7d")
    assert muted["response_type"] == "in_channel"
    assert f"<@{ASKER}> muted *Tencent* (騰訊, 腾讯, 0700.HK) in <#{LEGAL}|legal> until <!date^" in shown(muted)
    assert "What is missed is in the digest." in shown(muted)
    (listed,) = await chat.says("subscribe list")
    assert "Muted now: Tencent until" in shown(listed)
    (mute,) = await known.mutes(HERE)
    assert mute.until == clock() + timedelta(days=7)
    (ended,) = await chat.clicks("Unmute", muted, user=COLLEAGUE)
    assert f"<@{COLLEAGUE}> ended the mute of *Tencent*" in shown(ended)
    assert await known.mutes(HERE) == ()


async def test_a_mute_where_the_digest_is_off_says_that_it_is_seen_nowhere(chat: Chat) -> None:
    """Nothing goes missing in silence."""
    await chat.says("subscribe tencent")
    await chat.says("digest off")
    (muted,) = await chat.says("mute channel for 12h")
    assert "so what is missed is shown nowhere in this channel" in shown(muted)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mute tencent", "For how long?"),
        ("mute tencent until 2020-01-01", "2020-01-01 is past."),
        ("mute RW-77 for 7d", "There is no action RW-77."),
        ("mute tencnt for 7d", "No firm “tencnt”. Did you mean"),
    ],
)
async def test_a_mute_that_cannot_be(chat: Chat, known: Store, text: str, words: str) -> None:
    """Says why, and what to type."""
    await chat.says("subscribe tencent")
    (answer,) = await chat.says(text)
    assert answer["response_type"] == "ephemeral"
    assert words in shown(answer)
    assert await known.mutes(HERE) == ()


# --- what a digest that is off shows nowhere ---


async def test_turning_the_digest_off_names_what_this_channel_will_not_see(chat: Chat, known: Store) -> None:
    """From its rules, its mutes and what waited for the next digest; and all of it can still be asked for."""
    await chat.says("subscribe tencent")
    await chat.says("subscribe alibaba deliver:digest")
    await chat.says("mute tencent for 7d")
    (off,) = await chat.says("digest off", user=COLLEAGUE)
    assert off["response_type"] == "in_channel"
    head, missed, back, _ = shown(off).splitlines()
    assert head == f"<@{COLLEAGUE}> turned the digest of <#{LEGAL}|legal> off."
    assert "what is for the digest alone (*Alibaba* (阿里巴巴, BABA, 9988.HK) #2); what is more than 14 days old" in missed
    assert "acts that name no firm; what is muted, now (Tencent) or later." in missed
    assert back.startswith("`/regwatch digest on` turns it on again")
    (asked,) = await chat.says(back.split("`")[3].removeprefix("/regwatch "))
    assert "RW-1001" in shown(asked)


@pytest.mark.parametrize("what", ["tencent", "regulator:cn-cac", "all"])
async def test_what_was_missed_is_found_by_the_question_that_is_named(chat: Chat, what: str) -> None:
    """Whatever the channel follows."""
    await chat.says(f"subscribe {what}")
    (off,) = await chat.says("digest off")
    (asked,) = await chat.says(shown(off).splitlines()[2].split("`")[3].removeprefix("/regwatch "))
    assert "RW-1001" in shown(asked)


async def test_a_digest_that_is_off_and_is_set_says_it_again(chat: Chat) -> None:
    """Whoever sets its days might think that it comes."""
    await chat.says("subscribe tencent")
    await chat.says("digest off")
    (still,) = await chat.says("digest daily")
    assert "Shown nowhere in this channel from now on" in shown(still)
    (on,) = await chat.says("digest on")
    assert "nowhere" not in shown(on)


async def test_a_rule_for_the_digest_alone_where_there_is_no_digest_says_so(chat: Chat) -> None:
    """In the answer and in the list; until the digest is on."""
    await chat.says("digest off")
    (answer,) = await chat.says("subscribe tencent deliver:digest")
    for message in (answer, (await chat.says("subscribe list"))[0]):
        assert "so what is for the digest alone is shown nowhere in this channel: *Tencent*" in shown(message)
    await chat.says("digest on")
    assert "nowhere" not in shown((await chat.says("subscribe list"))[0])


# --- the way back from an edit ---


@pytest.mark.parametrize(
    "before", ["", "kind:fine,ban", "-role:mentioned deliver:digest", "min:USD1m broadcast:all", "-kind:talks lang:zh"]
)
async def test_an_edit_is_undone_entirely(chat: Chat, known: Store, before: str) -> None:
    """By whoever clicks; and the undoing can be undone."""
    await chat.says(f"subscribe tencent {before}")
    (rule,) = await known.subscriptions(HERE)
    (edited,) = await chat.says("subscribe tencent kind:appeal broadcast:never deliver:now")
    (other,) = await known.subscriptions(HERE)
    (undone,) = await chat.clicks("Undo", edited, user=COLLEAGUE)
    (again,) = await known.subscriptions(HERE)
    assert (again.id, set(again.filter.terms), again.broadcast, again.deliver) == (
        rule.id,
        set(rule.filter.terms),
        rule.broadcast,
        rule.deliver,
    )
    assert f"<@{COLLEAGUE}> changed the rule" in shown(undone)
    await chat.clicks("Undo", undone)
    (redone,) = await known.subscriptions(HERE)
    assert (redone.filter, redone.broadcast, redone.deliver) == (other.filter, other.broadcast, other.deliver)


async def test_an_edited_regulator_and_everything_are_undone_too(chat: Chat, known: Store) -> None:
    """Whatever is followed."""
    for what in ("regulator:cn-cac", "all"):
        await chat.says(f"subscribe {what} kind:fine")
        (edited,) = await chat.says(f"subscribe {what} kind:ban")
        await chat.clicks("Undo", edited)
    assert {str(rule.filter) for rule in await known.subscriptions(HERE)} == {"kind:fine role:target,group"}


# --- who may change what ---


async def set_rule(store: Store, rule: WhoMayChange) -> None:
    await store.set_channel(HERE, ChannelSetting(who_may_change=rule), ADMIN)


@pytest.mark.parametrize("text", ["subscribe tencent", "unsubscribe all", "mute channel for 7d", "digest off"])
async def test_a_channel_that_only_admins_change(chat: Chat, known: Store, text: str) -> None:
    """An operator may, an admin of the workspace may, others are told who may."""
    await chat.says("subscribe alibaba", user=ADMIN)
    await set_rule(known, WhoMayChange.ADMINS)
    (refusal,) = await chat.says(text)
    assert refusal["response_type"] == "ephemeral"
    assert "Only admins may change what this channel follows." in shown(refusal)
    assert [rule.firm.firm_id for rule in await known.subscriptions(HERE) if rule.firm] == ["alibaba"]
    chat.slack.add_user(COLLEAGUE, "boss", is_admin=True)
    for user in (COLLEAGUE, ADMIN):
        (done,) = await chat.says(text, user=user)
        assert "Only admins" not in shown(done)


async def test_a_channel_that_only_its_members_change(chat: Chat, known: Store) -> None:
    """A slash command can be typed in a public channel that one only looks into."""
    await chat.says("subscribe alibaba")
    await set_rule(known, WhoMayChange.MEMBERS)
    (refusal,) = await chat.says("subscribe tencent", user="U0GUEST")
    assert "Only members of this channel may change what it follows. Join it first." in shown(refusal)
    (done,) = await chat.says("subscribe tencent")
    assert "subscribed" in shown(done)


async def test_everyone_may_ask_whatever_the_rule(chat: Chat, known: Store) -> None:
    """Questions change nothing."""
    await chat.says("subscribe alibaba")
    await set_rule(known, WhoMayChange.ADMINS)
    for text in ("tencent", "subscribe list", "sources", "totals tencent", "why RW-1001", "digest preview"):
        (answer,) = await chat.says(text, user="U0GUEST")
        assert "Only admins" not in shown(answer), text


async def test_what_another_conversation_follows_is_told_to_those_who_are_in_it(chat: Chat, known: Store) -> None:
    """A public channel is open to all; a private one and another's direct message are not."""
    chat.slack.channels[SECRET].members.add(BOT_USER)
    await chat.says("subscribe tencent", channel=SECRET)
    assert f"*Why RW-1001 in <#{SECRET}" in shown((await chat.says(f"why RW-1001 <#{SECRET}|secret>"))[0])
    for text in (f"why RW-1001 <#{SECRET}|secret>", "why RW-1001 <#D0ASKER|>", "why RW-1001 <#G0NOWHERE|x>"):
        (refusal,) = await chat.says(text, user=COLLEAGUE)
        assert "You are not in that channel" in shown(refusal), text
        assert "Tencent" not in shown(refusal)
    assert "*Why RW-1001" in shown((await chat.says(f"why RW-1001 <#{ELSEWHERE}|elsewhere>", user=COLLEAGUE))[0])
    assert "*Why RW-1001" in shown((await chat.says(f"why RW-1001 <#{SECRET}|secret>", user=ADMIN))[0])


async def test_every_change_has_a_who_and_a_when(chat: Chat, known: Store) -> None:
    """In the list, in the settings, in the export."""
    await chat.says("subscribe tencent")
    await chat.says("subscribe tencent kind:fine", user=COLLEAGUE)
    (listed,) = await chat.says("subscribe list")
    assert f"by <@{ASKER}>, 19 Mar 2021" in shown(listed)
    assert f"<@{COLLEAGUE}>" in shown(listed)
    told = [(change.by, change.what) for change in await known.changes(HERE)]
    assert told[0] == (COLLEAGUE, "edited")
    assert (ASKER, "subscribed") in told


# --- orders of operators ---


@pytest.mark.parametrize("text", ["sources arm cn-cac-news", "sources hold cn-cac-news", "sources check cn-cac-news", "backfill tencent"])
async def test_orders_are_for_those_who_run_it(chat: Chat, text: str) -> None:
    """Chat users cannot make the bot fetch anything."""
    (refusal,) = await chat.says(text)
    assert "is for those who run Regwatch" in shown(refusal)


async def test_a_source_is_held_and_armed(chat: Chat, known: Store) -> None:
    """By its id; near misses are offered."""
    (held,) = await chat.says("sources hold cn-cac-news", user=ADMIN)
    assert f"<@{ADMIN}> holds `cn-cac-news`" in shown(held)
    modes = {view.id: view.mode for view in await known.sources()}
    assert modes["cn-cac-news"] is Mode.HELD
    (near,) = await chat.says("sources arm cn-cac-new", user=ADMIN)
    (armed,) = await chat.clicks("cn-cac-news", near, user=ADMIN)
    assert "armed `cn-cac-news`" in shown(armed)
    (no,) = await chat.says("sources check qqqqqq", user=ADMIN)
    assert "No source “qqqqqq”." in shown(no)


async def test_a_process_that_polls_nothing_says_where_to_check(chat: Chat) -> None:
    """The tests' desk has no fetcher."""
    (answer,) = await chat.says("sources check cn-cac-news", user=ADMIN)
    assert "`regwatch sources check cn-cac-news`" in shown(answer)


async def test_a_source_is_asked_now(known: Store, clock: FakeClock) -> None:
    """What it yields, how new that is, and what is odd; told to the one who asked."""

    async def asked(row: SourceRow) -> Checked:
        return Checked(row.id, Health.EMPTY, 0, None, "", None, "no entry where at least 1 is expected", 0.2)

    desk = Desk(known, now=clock, operators=frozenset({ADMIN}), orders=Orders(known, now=clock, check=asked))
    answer = await desk.answer("sources check cn-cac-news", Who(TEAM, LEGAL, ADMIN))
    assert answer.is_ephemeral
    said = shown({"blocks": answer.blocks})
    assert "Asked just now, `cn-cac-news` (Cyberspace Administration of China) is not well." in said
    assert "0 entries. no entry where at least 1 is expected." in said


async def test_reading_again_alerts_nobody_and_says_what_it_changed(chat: Chat, known: Store) -> None:
    """First what it would change, then, by a click, the change itself."""
    text = "腾讯被国家网信办罚款100万元。"
    await builders.add_document(known, "cn-cac-news", "网信办处罚腾讯", text)
    await chat.says("subscribe tencent")
    (dry,) = await chat.says("backfill tencent since:2020 dry-run", user=ADMIN)
    assert dry["response_type"] == "ephemeral"
    assert "nothing was written" in shown(dry)
    assert (await known.counts())["actions"] == 2
    (done,) = await chat.clicks("Do it", dry, user=ADMIN)
    assert "Nobody was alerted." in shown(done)
    counts = await known.counts()
    assert counts["actions"] == 3
    assert counts["deliveries_owed"] == 0


# --- exports ---


async def test_an_export_is_posted_when_its_reader_says_so(chat: Chat, known: Store) -> None:
    """A file is seen by the whole channel."""
    (answer,) = await chat.says("export tencent as csv")
    assert "1 row" in shown(answer)
    assert chat.slack.files == {}
    await chat.clicks("Post the file here", answer)
    (file,) = chat.slack.files.values()
    assert file["name"] == "regwatch-tencent-2021-03-19.csv"
    (row,) = csv.DictReader(io.StringIO(file["content"].decode()))
    assert (row["ref"], row["kind"]) == ("RW-1001", "talks")


async def test_the_trail_of_a_channel_is_exported(chat: Chat) -> None:
    """Deliveries, verdicts, reviews, changes."""
    await chat.says("subscribe tencent")
    (answer,) = await chat.says("export channel as json")
    assert "subscribed 1" in shown(answer)
    (none,) = await chat.says("export channel", channel=ELSEWHERE)
    assert "Nothing to export" in shown(none)


async def test_a_direct_message_gets_its_file_at_once(chat: Chat) -> None:
    """Nobody else reads there."""
    chat.slack.add_channel("D0ASKER", "")
    await chat.says("export tencent", channel="D0ASKER")
    (file,) = chat.slack.files.values()
    assert file["channel"] == "D0ASKER"


# --- in Chinese ---


async def test_a_chinese_channel_is_answered_in_its_script(chat: Chat, known: Store) -> None:
    """Our words; names, quotes and commands stay."""
    await chat.says("subscribe tencent")
    await known.set_channel(HERE, ChannelSetting(language="zh-Hans"), ADMIN)
    (answer,) = await chat.says("tencent")
    assert "约谈" in shown(answer)
    assert "分享" in labels(answer)
    await known.set_channel(HERE, ChannelSetting(language="zh-Hant"), ADMIN)
    (answer,) = await chat.says("tencent")
    assert "約談" in shown(answer)


# --- bad input ---


@pytest.mark.parametrize("text", ["x" * 3_000, "subscribe " + "騰訊, " * 1_000, "\x00\u202e" * 800], ids=["letters", "names", "controls"])
async def test_a_command_of_three_thousand_characters(chat: Chat, text: str) -> None:
    """Is answered in words."""
    (answer,) = await chat.says(text)
    assert answer["response_type"] == "ephemeral"
    assert "Reference" not in shown(answer)


async def test_a_revoked_token_is_told_and_changes_nothing(chat: Chat, known: Store) -> None:
    """Slack refuses what is asked of it; the answer still gets through, by its response_url."""
    chat.slack.always("conversations.info", refused("token_revoked"))
    (answer,) = await chat.says("subscribe tencent")
    assert "may not have been done" in shown(answer)
    assert await known.subscriptions(Who(TEAM, LEGAL, ASKER).key) == ()


async def test_an_event_that_comes_twice_is_answered_once(chat: Chat) -> None:
    """Slack sends it again when our acknowledgement is lost."""
    event: dict[str, Any] = {"type": "app_mention", "channel": LEGAL, "user": ASKER, "ts": "5.1", "text": "<@U0BOT> tencent"}
    for _ in range(3):
        await chat.happens(event, event_id="Ev1")
    assert len(chat.slack.thread(LEGAL, "5.1")) == 1
    await chat.happens({**event, "ts": "5.2"}, event_id="Ev2")
    assert len(chat.slack.thread(LEGAL, "5.2")) == 1
