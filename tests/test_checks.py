"""Bugs of other bots that no single room shows whole: each from its cause to what people see."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from bot.feeds.fetch import Fetcher
from bot.slack import cards
from storage import Store
from storage.intents import ChannelKey, Sent
from storage.models import DeliveryKind, Health
from storage.views import DueDelivery
from tests import builders
from tests.fakes.blocks import check_message, strings
from tests.fakes.chat import LEGAL, Chat, shown
from tests.fakes.clock import FakeClock
from tests.fakes.slack import TEAM
from tests.fakes.web import Answer, FakeWeb
from tests.fakes.world import World, item, rss

MARCH = datetime(2021, 3, 1, 12, tzinfo=UTC)
OPERATIONS = ChannelKey("T9", "COPS", "ops", "UTC")


@pytest.fixture
async def world(database_url: str, clock: FakeClock) -> AsyncIterator[World]:
    """A poller over one feed, a channel that follows everything, operators elsewhere."""
    store = Store(database_url, now=clock, operations=OPERATIONS)
    async with FakeWeb() as web, Fetcher(now=clock, allow=frozenset({web.host_port}), host_gap=timedelta()) as fetcher:
        yield World(store, web, fetcher, clock)
    await store.close()


async def posted(world: World) -> list[DueDelivery]:
    """All that is due, taken by Slack."""
    found: list[DueDelivery] = []
    while due := await world.store.claim(20, timedelta(minutes=2)):
        for one in due:
            await world.store.settle(one.id, one.token, Sent(f"{one.id}.1"))
        found += due
        world.clock.forward(seconds=2)
    return found


PAGE = Answer(b"<!doctype html><html><title>All new</title><p>Our news has moved</html>")
CHALLENGE = Answer(b"<html><title>Access Denied</title></html>")
DOWN = Answer(b"", status=503)


@pytest.mark.parametrize(
    ("answers", "health"),
    [((PAGE,), Health.CHANGED_LAYOUT), ((CHALLENGE,), Health.BLOCKED), ((DOWN, PAGE, CHALLENGE), Health.BLOCKED)],
    ids=["an HTML page where a feed was", "a refusal", "one after the other"],
)
async def test_a_source_down_for_a_day_is_one_notice_and_one_when_it_is_back_and_nothing_is_lost(
    world: World, answers: tuple[Answer, ...], health: Health
) -> None:
    """The last good state stays: what was known is still known, and what came out meanwhile alerts."""
    await world.add("/feed")
    known = [item(number, at=MARCH) for number in range(3)]
    await world.poll(Answer(rss(*known), etag='"1"'))
    assert await posted(world) == []
    notices: list[DueDelivery] = []
    for at in range(30):
        line = await world.poll(answers[min(at // 10, len(answers) - 1)])
        assert not line.is_good
        notices += await posted(world)
    (notice,) = notices
    assert (notice.kind, notice.channel.slack_id) == (DeliveryKind.NOTICE, "COPS")
    assert notice.notice["source"] == "xx-feed"
    (view,) = await world.store.sources()
    assert (view.health, view.documents) == (health, 3)
    line = await world.poll(rss(item(9, at=world.clock() - timedelta(hours=5)), *known))
    assert (line.new, line.changed) == (1, 0)
    assert sorted((one.kind, one.channel.slack_id) for one in await posted(world)) == [
        (DeliveryKind.ALERT, "C1"),
        (DeliveryKind.NOTICE, "COPS"),
    ]
    await world.poll(rss(item(9, at=world.clock() - timedelta(hours=5)), *known))
    assert await posted(world) == []


@pytest.mark.parametrize(
    "title",
    ["&amp;lt;!channel&amp;gt; &amp;lt;@U1&amp;gt;", "<![CDATA[&lt;!channel&gt; &lt;@U1&gt;]]>", "&lt;@U1&gt; &amp;lt;!channel&gt;"],
)
async def test_a_title_that_calls_a_channel_calls_nobody(world: World, title: str) -> None:
    """From the feed to the blocks that Slack is given: powerless, and still readable where a feed's own markup leaves it."""
    await world.add("/feed")
    await world.poll(rss(item(1, at=MARCH)))
    await world.poll(rss(item(9, f"{title} Firm9 was fined", at=world.clock()), item(1, at=MARCH)))
    (due,) = await posted(world)
    assert due.action is not None
    assert "<@U1>" in due.action.title
    message = cards.alert(due.card)
    check_message(message)
    parsed = [text for kind, text in strings(message.blocks) if kind == "mrkdwn"]
    assert any("&lt;@U1&gt;" in text for text in parsed)
    assert not any(called in text for text in [message.text, *parsed] for called in ("<!channel>", "<@U1>"))


@pytest.mark.parametrize("question", ["{}", "search {}", "firm {}", "totals {}"])
async def test_a_name_of_two_characters_is_found_by_either_script(chat: Chat, known: Store, question: str) -> None:
    """Whichever the text, the register or the reader uses."""
    await builders.add_document(known, "cn-cac-news", "网信办约谈多家企业", "国家网信办近日约谈腾讯等企业。")
    await builders.add_document(known, "cn-cac-news", "網信辦約談", "國家網信辦約談騰訊等企業。", language="zh-Hant")
    (one,), (other,) = await chat.says(question.format("騰訊")), await chat.says(question.format("腾讯"))
    assert shown(one).replace("騰訊", "腾讯") == shown(other).replace("騰訊", "腾讯")
    assert "No " not in shown(one).splitlines()[0]


async def test_a_name_of_two_characters_is_followed_once_in_whichever_script(chat: Chat, known: Store) -> None:
    """And in full-width quotes."""
    await chat.says("subscribe 騰訊 kind：罚款")
    (again,) = await chat.says("subscribe 「腾讯」 kind:fine")
    assert "by this rule already" in shown(again)
    assert len(await known.subscriptions(ChannelKey(TEAM, LEGAL))) == 1
