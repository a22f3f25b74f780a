"""Conversations, read like a chat log: real Bolt, real Store, real Slack client; only Slack itself is a stub."""

from __future__ import annotations

import asyncio
import logging
import re
from datetime import date
from typing import Any
from urllib.parse import urlencode

import pytest
from slack_bolt.async_app import AsyncApp, AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import text as sql

from bot.slack import register
from bot.slack.changes import Who
from bot.slack.desk import Desk
from storage import Store
from storage.models import Health, Role
from tests import builders
from tests.fakes.chat import ASKER, COLLEAGUE, ELSEWHERE, LEGAL, SECRET, Chat, labels, shown
from tests.fakes.clock import FakeClock
from tests.fakes.slack import BOT_USER, TEAM, TOKEN, SlackStub, held, refused


async def test_a_question_is_answered_to_the_one_who_asks(chat: Chat) -> None:
    """And shows the action, the firm in bold, the coverage."""
    (answer,) = await chat.says("recent actions against Tencent")
    assert answer["response_type"] == "ephemeral"
    said = shown(answer)
    assert "*Tencent* · 騰訊 / 腾讯 · 0700.HK, TCEHY   1 action in 90 days (target 1, group 0)" in said
    assert "*RW-1001* · TALKS 约谈 · Cyberspace Administration of China · 18 Mar 2021" in said
    assert "*Tencent*, Alibaba, ByteDance (via" in said
    assert "4 of 4 sources fresh" in said
    assert labels(answer) == ["Share", "Details", "Timeline", "Subscribe"]
    assert answer["text"].startswith("Tencent: 1 action in 90 days")


async def test_the_same_firm_by_every_name(chat: Chat) -> None:
    """Either script, a ticker, a brand: the brand says whose it is."""
    for name in ("腾讯", "騰訊", "0700.HK", "$0700.hk", "TENCENT"):
        (answer,) = await chat.says(name)
        assert "1 action in 90 days" in shown(answer), name
    (answer,) = await chat.says("what about TikTok?")
    assert "*TikTok* · brand of ByteDance" in shown(answer)
    assert "1 action in 90 days" in shown(answer)


async def test_nothing_lately_shows_the_newest_before_it(chat: Chat) -> None:
    """Marked, so that it is not taken for news."""
    (answer,) = await chat.says("ant group")
    assert "0 actions in 90 days" in shown(answer)
    assert "Nothing in that time. The newest before it:" in shown(answer)
    assert "SUSPENSION" in shown(answer)


async def test_paging_goes_on_where_the_page_ended(chat: Chat, known: Store) -> None:
    """Next and Previous take the place of the page that they stand under."""
    for day in range(1, 8):
        await builders.add_action(known, ("tencent", Role.TARGET), decided=date(2021, 3, day))
    (first,) = await chat.says("tencent")
    assert "Results 1-5 of 8" in shown(first)
    (second,) = await chat.clicks("Next", first)
    assert second["replace_original"] is True
    assert "Results 6-8 of 8" in shown(second)
    assert "Next" not in labels(second)
    (again,) = await chat.clicks("Previous", second)
    assert "Results 1-5 of 8" in shown(again)


async def test_following_a_firm_is_told_to_the_channel(chat: Chat) -> None:
    """Who, what, by which rule, what is known already; Undo takes it back."""
    (answer,) = await chat.says("subscribe 阿里巴巴 kind:fine,investigation,suspension -role:mentioned")
    assert answer["response_type"] == "in_channel"
    said = shown(answer)
    assert f"<@{ASKER}> subscribed <#{LEGAL}|legal> to *Alibaba* (阿里巴巴, BABA, 9988.HK)" in said
    assert "Rule: fine, investigation or suspension, where it is the target or its group is. " in said
    assert "Includes Ant Group 螞蟻集團, Alipay 支付寶." in said
    assert "Already known: 1 action, RW-1002 suspension, Ant Group (3 Nov 2020). Nothing older is posted." in said
    assert "08:30 on weekdays, Asia/Taipei, sent even when empty" in said
    assert labels(answer) == ["Edit", "Undo"]
    (undone,) = await chat.clicks("Undo", answer, user=COLLEAGUE)
    assert f"<@{COLLEAGUE}> unsubscribed <#{LEGAL}|legal> from *Alibaba*" in shown(undone)
    (listed,) = await chat.says("subscribe list")
    assert "follows nothing yet" in shown(listed)


async def test_a_filter_given_at_the_first_subscribe_is_the_only_one_of_its_key(chat: Chat, known: Store) -> None:
    """It replaces the default, it does not add to it."""
    await chat.says("subscribe tencent role:mentioned")
    (rule,) = await known.subscriptions(Who(TEAM, LEGAL, ASKER).key)
    assert rule.filter.values("role") == ("mentioned",)


async def test_the_same_command_twice_is_one_subscription(chat: Chat, known: Store) -> None:
    """The second time is told to its author only; another rule edits the first."""
    await chat.says("subscribe tencent")
    (again,) = await chat.says("subscribe tencent")
    assert again["response_type"] == "ephemeral"
    assert "by this rule already" in shown(again)
    (edited,) = await chat.says("subscribe 騰訊 kind:fine")
    assert "changed the rule" in shown(edited)
    assert len(await known.subscriptions(Who(TEAM, LEGAL, ASKER).key)) == 1


async def test_several_at_once_and_by_number(chat: Chat, known: Store) -> None:
    """All of them or, when one is misspelt, none."""
    (wrong,) = await chat.says("subscribe tencent, bytedanse")
    assert "No firm “bytedanse”" in shown(wrong)
    assert await known.subscriptions(Who(TEAM, LEGAL, ASKER).key) == ()
    (both,) = await chat.clicks("ByteDance 字節跳動", wrong)
    assert shown(both).count("subscribed") == 2
    (gone,) = await chat.says("unsubscribe #1, #2")
    assert "*Tencent*" in shown(gone)
    assert "*ByteDance*" in shown(gone)
    (nothing,) = await chat.says("unsubscribe tencent")
    assert "does not follow that" in shown(nothing)


async def test_a_regulator_and_everything_can_be_followed(chat: Chat) -> None:
    """And unfollowed."""
    (answer,) = await chat.says("subscribe regulator:CAC severity:>=fine")
    assert "*Cyberspace Administration of China* (国家互联网信息办公室)" in shown(answer)
    assert "fine or severer" in shown(answer)
    (answer,) = await chat.says("subscribe all min:USD1m deliver:digest broadcast:all")
    assert "*everything*" in shown(answer)
    assert "of at least USD 1,000,000 (an amount in another currency, or none, passes)" in shown(answer)
    assert "In the digest only, no alerts. Every development is shown in the channel too." in shown(answer)
    (listed,) = await chat.says("list")
    assert "2 subscriptions" in shown(listed)
    (gone,) = await chat.says("unsubscribe regulator:cac")
    assert "Cyberspace" in shown(gone)
    (gone,) = await chat.says("unsubscribe all")
    assert "*everything*" in shown(gone)


@pytest.mark.parametrize(
    ("channel", "words"),
    [(SECRET, "Regwatch cannot see this conversation"), (ELSEWHERE, "Regwatch is not in this channel yet")],
    ids=["a private channel without the bot", "a public channel without the bot"],
)
async def test_nothing_is_saved_where_nothing_can_be_posted(chat: Chat, known: Store, channel: str, words: str) -> None:
    """The answer says how to let the bot in."""
    for text in ("subscribe tencent", "digest on"):
        (answer,) = await chat.says(text, channel=channel)
        assert answer["response_type"] == "ephemeral"
        assert words in shown(answer)
        assert "/invite @Regwatch" in shown(answer)
    assert await known.channel(Who(TEAM, channel, ASKER).key) is None


async def test_an_archived_channel_follows_nothing(chat: Chat) -> None:
    """Slack would refuse every post."""
    chat.slack.channels[LEGAL].is_archived = True
    (answer,) = await chat.says("subscribe tencent")
    assert "archived" in shown(answer)


async def test_a_misspelt_firm_is_asked_back(chat: Chat) -> None:
    """The button runs the same command with the right name, and takes the question's place."""
    (answer,) = await chat.says("actions tencnt kind:talks")
    assert answer["response_type"] == "ephemeral"
    assert "No firm “tencnt”. Did you mean" in shown(answer)
    assert labels(answer) == ["Tencent 騰訊 0700.HK"]
    (found,) = await chat.clicks("Tencent 騰訊 0700.HK", answer)
    assert found["replace_original"] is True
    assert "Filter: `kind:talks`" in shown(found)


async def test_a_mistyped_verb_and_a_mistyped_key_are_asked_back(chat: Chat) -> None:
    """Never taken silently."""
    (verb,) = await chat.says("subcribe tencent")
    (done,) = await chat.clicks("subscribe tencent", verb)
    assert done["response_type"] == "in_channel"
    (key,) = await chat.says("actions bytedance knd:talks since：30d")
    assert "No filter “knd”. Did you mean kind:talks ?" in shown(key)
    (done,) = await chat.clicks("Run with kind:talks", key)
    assert "1 action in 30 days" in shown(done)


async def test_a_regulator_asked_for_as_a_firm(chat: Chat) -> None:
    """Is offered as what it is."""
    (answer,) = await chat.says("SAMR")
    (found,) = await chat.clicks("Acts of State Administration for Market Regulation", answer)
    assert "*All firms*   0 actions in 90 days" in shown(found)


async def test_a_misspelt_regulator_is_asked_back(chat: Chat) -> None:
    """In a filter, in a subscription and in `sources`."""
    for text in ("actions tencent regulator:SMAR", "subscribe regulator:SMAR", "sources SMAR"):
        (answer,) = await chat.says(text)
        assert "No regulator “SMAR”. Did you mean" in shown(answer), text
        (found,) = await chat.clicks("State Administration for Market Regulation (cn-samr)", answer)
        assert "No regulator" not in shown(found)
    (answer,) = await chat.says("sources qqqqqqq")
    assert "No regulator “qqqqqqq”. Its short name or id will do" in shown(answer)


async def test_a_name_that_nobody_has(chat: Chat) -> None:
    """Says what else to try."""
    (answer,) = await chat.says("zzyzx quux")
    assert "No firm “zzyzx quux” in the register" in shown(answer)
    assert labels(answer) == []


async def test_share_puts_the_answer_into_the_channel(chat: Chat) -> None:
    """With the sharer's name, and without the buttons that only make sense to one reader."""
    (answer,) = await chat.says("tencent")
    (shared,) = await chat.clicks("Share", answer)
    assert shared["response_type"] == "in_channel"
    assert shared["replace_original"] is False
    assert f"Shared by <@{ASKER}>" in shown(shared)
    assert labels(shared) == ["Details", "Timeline", "Subscribe"]


async def test_details_stand_beside_the_list(chat: Chat) -> None:
    """The list is not replaced; the detail has the proof, and `Why here?` the reasons."""
    (answer,) = await chat.says("tencent")
    (detail,) = await chat.clicks("Details", answer)
    assert detail["replace_original"] is False
    assert "Evidence" in shown(detail)
    (why,) = await chat.clicks("Why here?", detail)
    assert "*Why RW-1001 in this channel, which follows nothing*" in shown(why)
    await chat.says("subscribe tencent")
    (why,) = await chat.says("why RW-1001")
    assert f"*Why RW-1001 in <#{LEGAL}|legal>*" in shown(why)
    assert "✓ *subscription*" in shown(why)
    (elsewhere,) = await chat.says(f"why RW-1001 <#{ELSEWHERE}|elsewhere>")
    assert "follows nothing" in shown(elsewhere)


@pytest.mark.parametrize("text", ["RW-7", "why RW-7"])
async def test_an_action_that_is_not_there(chat: Chat, text: str) -> None:
    """Is an error with the next thing to type."""
    (answer,) = await chat.says(text)
    assert "There is no action RW-7. `/regwatch actions <firm>` lists" in shown(answer).replace("&lt;", "<").replace("&gt;", ">")


async def test_a_firm_by_its_card(chat: Chat) -> None:
    """Names, owner, what belongs to it; from there to its actions."""
    (answer,) = await chat.says("firm ant group")
    assert "*Ant Group* · 螞蟻集團 / 蚂蚁集团 · affiliate of Alibaba" in shown(answer)
    assert "Alipay (brand)" in shown(answer)
    (found,) = await chat.clicks("Actions", answer)
    assert "The newest before it" in shown(found)


async def test_the_digest_is_set_shown_and_previewed(chat: Chat, known: Store) -> None:
    """Changes are told to the channel, questions are not."""
    (none,) = await chat.says("digest")
    assert "no digest yet" in shown(none)
    (empty,) = await chat.says("digest preview")
    assert "follows nothing yet" in shown(empty)
    await chat.says("subscribe tencent")
    (changed,) = await chat.says("digest at 9:00 taipei daily empty:skip")
    assert changed["response_type"] == "in_channel"
    assert "09:00 every day, Asia/Taipei, not sent when empty" in shown(changed)
    (state,) = await chat.says("digest")
    assert state["response_type"] == "ephemeral"
    assert "next <!date^" in shown(state)
    (preview,) = await chat.says("digest preview")
    assert preview["response_type"] == "ephemeral"
    assert f"*Regwatch · <#{LEGAL}|legal> · Fri 19 Mar 2021, 12:00 Taipei* · preview" in shown(preview)
    assert "Nothing for: Tencent" in shown(preview)
    (now,) = await chat.says("digest now")
    assert now["response_type"] == "in_channel"
    (off,) = await chat.says("digest off")
    assert "turned the digest of" in shown(off)


async def test_a_zone_that_is_none(chat: Chat) -> None:
    """Cities are found, near misses offered, nonsense refused."""
    (near,) = await chat.says("digest at 08:30 Asia/Taipeh")
    assert "No time zone “Asia/Taipeh”. Did you mean" in shown(near)
    (done,) = await chat.clicks("Asia/Taipei", near)
    assert "Asia/Taipei" in shown(done)
    (wrong,) = await chat.says("digest at 08:30 Qqqqq")
    assert "Use a name such as Asia/Taipei." in shown(wrong)


async def test_the_health_of_the_sources(chat: Chat, known: Store) -> None:
    """What is wrong first; one regulator's sources all."""
    await builders.add_source(known, "cn-cac-list", "cn-cac", health=Health.BLOCKED, last_ok_at=None)
    (answer,) = await chat.says("sources")
    assert "*Sources*   5 polled, 0 not polled" in shown(answer)
    assert "`cn-cac-list` · Cyberspace Administration of China · blocked since Fri 04:00" in shown(answer)
    assert "4 of 5 sources fresh; CAC blocked since Fri 04:00" in shown(answer)
    (answer,) = await chat.says("sources 国家网信办")
    assert "2 polled" in shown(answer)


async def test_help_has_eight_lines_and_the_state_of_the_channel(chat: Chat) -> None:
    """And each verb has its own."""
    (answer,) = await chat.says("")
    text = answer["blocks"][0]["text"]["text"]
    assert len(text.splitlines()) == 8
    assert "This channel follows nothing yet." in shown(answer)
    await chat.says("subscribe tencent")
    (answer,) = await chat.says("help")
    assert "This channel: 1 subscription. Digest: 08:30 on weekdays" in shown(answer)
    (answer,) = await chat.says("help subscribe")
    assert "`broadcast:never|escalation|all`" in shown(answer)


async def test_a_person_without_a_known_zone_gets_the_default(chat: Chat) -> None:
    """users:read may be refused; then the reply shows the zone that is used."""
    chat.slack.scopes.discard("users:read")
    (answer,) = await chat.says("subscribe tencent")
    assert "08:30 on weekdays, UTC" in shown(answer)


async def test_a_mention_is_answered_in_its_thread(chat: Chat) -> None:
    """Where the slash command does not work; the words may stand before the name."""
    event = {"type": "app_mention", "channel": LEGAL, "user": ASKER, "ts": "5.1", "text": f"<@{BOT_USER}> what about 腾讯?"}
    assert await chat.happens(event) == []
    (reply,) = chat.slack.thread(LEGAL, "5.1")
    assert "1 action in 90 days" in reply.shown
    assert reply.arguments["unfurl_links"] in (False, 0, "0", "false")
    await chat.happens({**event, "ts": "5.2", "thread_ts": "5.0", "text": f"tencent <@{BOT_USER}>"})
    assert len(chat.slack.thread(LEGAL, "5.0")) == 1


async def test_other_bots_are_not_answered(chat: Chat) -> None:
    """Two bots that answer each other never end."""
    await chat.happens({"type": "app_mention", "channel": LEGAL, "user": "U0X", "bot_id": "B1", "ts": "5.1", "text": f"<@{BOT_USER}> help"})
    await chat.happens({"type": "message", "channel_type": "im", "channel": LEGAL, "bot_id": "B1", "ts": "5.2", "text": "help"})
    assert chat.slack.posts(LEGAL) == []


async def test_a_direct_message_is_a_question(chat: Chat) -> None:
    """Without any command; edits and joins are none."""
    chat.slack.add_channel("D0ASKER", "")
    await chat.happens({"type": "message", "channel_type": "im", "channel": "D0ASKER", "user": ASKER, "ts": "6.1", "text": "tencent"})
    (reply,) = chat.slack.posts("D0ASKER")
    assert "1 action in 90 days" in reply.shown
    await chat.happens({"type": "message", "channel_type": "im", "subtype": "message_changed", "channel": "D0ASKER", "ts": "6.2"})
    assert len(chat.slack.posts("D0ASKER")) == 1
    (followed,) = await chat.says("subscribe tencent", channel="D0ASKER")
    assert "subscribed this conversation to *Tencent*" in shown(followed)


async def test_the_home_page_is_published_when_its_tab_is_opened(chat: Chat) -> None:
    """Not when the messages are; a page that Slack refuses is told to the log alone."""
    await chat.happens({"type": "app_home_opened", "user": ASKER, "channel": "D0ASKER", "tab": "messages"})
    assert chat.slack.published == {}
    await chat.happens({"type": "app_home_opened", "user": ASKER, "channel": "D0ASKER", "tab": "home"})
    assert "No channel of yours follows anything yet." in shown(chat.slack.published[ASKER])
    chat.slack.fail("views.publish", refused("internal_error"))
    await chat.happens({"type": "app_home_opened", "user": ASKER, "channel": "D0ASKER", "tab": "home"})


async def test_nothing_is_left_unhandled(chat: Chat) -> None:
    """Other commands, link buttons, foreign buttons, events that nobody asked for."""
    assert await chat.says("x", command="/other") == []
    link = {"response_type": "in_channel", "blocks": [{"type": "actions", "elements": [_button("regwatch.open.0"), _button("theirs")]}]}
    assert await chat.clicks("regwatch.open.0", link) == []
    assert await chat.clicks("theirs", link) == []
    await chat.happens({"type": "channel_rename", "channel": {"id": LEGAL, "name": "law"}})


def _button(name: str) -> dict[str, Any]:
    return {"type": "button", "text": {"type": "plain_text", "text": name}, "action_id": name, "value": "help"}


async def test_what_breaks_is_told_with_a_reference_that_is_in_the_log(chat: Chat, known: Store, caplog: pytest.LogCaptureFixture) -> None:
    """The person sees no traceback, the operator finds it."""
    chat.slack.always("conversations.info", refused("internal_error"))
    with caplog.at_level(logging.ERROR, logger="regwatch.slack"):
        (answer,) = await chat.says("subscribe tencent")
    reference = re.search(r"Reference `([0-9a-f]{8})`", shown(answer))
    assert reference is not None
    assert f"reference={reference[1]}" in caplog.text
    assert "internal_error" in caplog.text
    assert chat.slack.response_url() not in caplog.text
    assert await known.subscriptions(Who(TEAM, LEGAL, ASKER).key) == ()


async def test_a_database_that_fails_says_so(chat: Chat, known: Store, caplog: pytest.LogCaptureFixture) -> None:
    """In the Store's own words; a mention hears of it too, alone."""
    await known.close()
    async with known._write() as session:  # a table that is gone, as after a wrong restore
        await session.exec(sql("drop table channel"))
    (answer,) = await chat.says("tencent")
    assert "Reference" in shown(answer)
    await chat.happens({"type": "app_mention", "channel": LEGAL, "user": ASKER, "ts": "5.1", "text": f"<@{BOT_USER}> tencent"})
    assert len(chat.slack.ephemeral) == 1
    chat.slack.always("chat.postEphemeral", refused("user_not_in_channel"))
    await chat.happens({"type": "app_mention", "channel": LEGAL, "user": ASKER, "ts": "5.2", "text": f"<@{BOT_USER}> tencent"})
    assert "could not be answered either" in caplog.text


async def test_ack_comes_first(slack: SlackStub, known: Store, clock: FakeClock) -> None:
    """Slack waits three seconds for it, whatever the work behind it."""
    app = AsyncApp(client=AsyncWebClient(token=TOKEN, base_url=slack.url), request_verification_enabled=False)
    kicked = asyncio.Event()
    register(app, known, now=clock, kick=kicked.set)
    arrived, release = asyncio.Event(), asyncio.Event()
    slack.fail("conversations.info", held(arrived, release))
    body = {"command": "/regwatch", "text": "subscribe tencent", "team_id": TEAM, "channel_id": LEGAL, "user_id": ASKER}
    encoded = urlencode({**body, "channel_name": "legal", "response_url": slack.response_url()})
    answer = await app.async_dispatch(AsyncBoltRequest(body=encoded, headers={"content-type": ["application/x-www-form-urlencoded"]}))
    assert answer.status == 200
    async with asyncio.timeout(5):
        await arrived.wait()
        assert slack.responses == []
        release.set()
        await kicked.wait()
    assert "subscribed" in shown(slack.responses[0])


async def test_the_same_desk_answers_without_slack(known: Store, clock: FakeClock) -> None:
    """As `regwatch ask` does: who asks is a name, the command may have another one."""
    desk = Desk(known, now=clock, command="/watch")
    message = await desk.answer("subscribe tencent", Who("local", "console", "operator"))
    assert "@operator subscribed #console to *Tencent*" in shown({"blocks": message.blocks})
    assert message.response_type == "in_channel"
    wrong = await desk.answer("actions", Who("local", "console", "operator"))
    assert wrong.is_error
    assert "`/watch actions tencent`" in shown({"blocks": wrong.blocks})
