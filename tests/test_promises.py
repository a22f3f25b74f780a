"""What other bots got wrong, and this one promises not to: each check of the design by the name of its test, from the feed to what
stands in Slack, on both databases.

- curly-quoted and full-width input parses as ASCII:
  test_curly_quotes_and_full_width_signs_are_read_as_ascii
- a filter given at the first subscribe is the only one of its key:
  test_a_filter_given_at_the_first_subscribe_is_the_only_one_of_its_key
- private channel without the bot: nothing saved, hint to /invite:
  test_a_private_channel_without_the_bot_saves_nothing_and_says_how_to_invite_it
- the same command twice = one subscription:
  test_the_same_command_twice_is_one_subscription_and_one_alert
- an English report and the Chinese notice = one alert, one update:
  test_an_english_report_and_the_chinese_notice_are_one_alert_and_one_update
- two fines of one bank on one day under two numbers = two alerts:
  test_two_fines_of_one_bank_on_one_day_under_two_numbers_are_two_alerts
- guid regeneration of a whole feed = 0 alerts, 1 notice:
  test_a_feed_that_changes_all_its_guids_alerts_nobody_and_is_told_once
- http/https twin guids = 0 alerts:
  test_guids_that_change_between_http_and_https_alert_nobody
- two entries with one URL and different titles = 2 documents:
  test_two_entries_with_one_address_and_two_titles_are_two_documents
- undated and same-day entries are all delivered:
  test_undated_entries_and_those_of_one_day_are_all_delivered
- kill between Slack's ok and the commit:
  test_killed_between_slacks_ok_and_the_commit_nothing_is_lost_and_nothing_stands_twice
  test_killed_so_where_no_history_may_be_read_it_stands_at_least_once
  test_a_reply_of_slacks_that_is_lost_makes_no_second_post
- storm of 300 actions: none lost, rolled up:
  test_a_storm_of_three_hundred_actions_is_one_message_that_lists_them_all
  test_killed_in_the_middle_of_a_storm_it_goes_on_where_that_ended
- both DST edges: one digest:
  test_a_night_that_is_longer_or_shorter_has_one_digest
- two replicas, one digest:
  test_two_replicas_post_one_digest
- `<!channel>` in a title does not ping:
  test_a_title_pings_nobody_and_forges_no_link
- a 2-character Chinese name is found by either script:
  test_a_chinese_name_of_two_characters_is_found_by_either_script
- a source that vanishes and returns with 30 old entries = 0 alerts:
  test_a_source_that_vanishes_and_returns_with_thirty_old_entries_alerts_nobody
- a re-dated page under the same URL is an update:
  test_a_page_with_a_new_date_under_the_same_address_is_no_new_action
- unchanged `updated` dates with a changed title are an edit:
  test_a_changed_title_under_an_unchanged_date_is_an_edit
- a source down for a day: one notice, and one when it is back:
  test_a_source_that_is_down_for_a_day_is_told_once_and_so_is_its_return
- an HTML page where a feed was: the health says so, last good state kept:
  test_a_page_where_a_feed_was_is_told_apart_and_what_was_read_is_kept
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from storage.intents import ChannelKey
from storage.models import Health, Kind, Mode
from tests.fakes.chat import ASKER, LEGAL, SECRET, elements, shown
from tests.fakes.clock import FakeClock
from tests.fakes.slack import BOT_USER, TEAM, lost_after
from tests.fakes.town import LEASE, OPERATIONS, Town, fined, key_of, told, town_of
from tests.fakes.web import Answer
from tests.fakes.world import item

HERE = ChannelKey(TEAM, LEGAL)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
async def town(database_url: str, clock: FakeClock) -> AsyncIterator[Town]:
    async with town_of(database_url, clock) as built:
        yield built


@pytest.fixture
async def followed(town: Town) -> Town:
    """#legal follows everything, without a digest; the SEC's feed was read once."""
    await town.says("subscribe all")
    await town.says("digest off")
    await town.opens("sec", "us-sec")
    return town


# --- what is typed ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("subscribe “Harbour Bank” kind：fine，ban severity：>=fine", id="curly quotes, full-width colons and commas"),
        pytest.param(
            "ＳＵＢＳＣＲＩＢＥ　「Harbour Bank」　ｋｉｎｄ：ｆｉｎｅ、ban　severity:＞＝fine", id="full-width letters, spaces, signs"
        ),
        pytest.param("Subscribe “Harbour Bank„ kind:fine,ban severity:&gt;=fine", id="a low quote, and Slack's own escapes"),
    ],
)
async def test_curly_quotes_and_full_width_signs_are_read_as_ascii(town: Town, text: str) -> None:
    await town.says('subscribe "Harbour Bank" kind:fine,ban severity:>=fine')
    plain = await town.store.subscriptions(HERE)
    await town.says("unsubscribe all")
    await town.says(text)
    (typed,) = await town.store.subscriptions(HERE)
    assert [(rule.firm, rule.filter) for rule in plain] == [(typed.firm, typed.filter)]


async def test_a_filter_given_at_the_first_subscribe_is_the_only_one_of_its_key(town: Town) -> None:
    """The default of another key stays: of what only mentions the firm, nothing is told."""
    await town.says('subscribe "Harbour Bank" kind:ban')
    (rule,) = await town.store.subscriptions(HERE)
    assert (rule.filter.values("kind"), rule.filter.values("role")) == (("ban",), ("target", "group"))
    await town.opens("sec", "us-sec")
    banned = told(2, "The Securities and Exchange Commission banned Harbour Bank.", at=town.clock(), title="Harbour Bank banned (LR-25002)")
    await town.polls("sec", fined("Harbour Bank", 1, at=town.clock()), banned)
    await town.delivers()
    (card,) = town.posts()
    assert (await town.action(int(key_of(card).removeprefix("alert:RW-")))).kind is Kind.BAN


async def test_a_private_channel_without_the_bot_saves_nothing_and_says_how_to_invite_it(town: Town) -> None:
    await town.opens("sec", "us-sec")
    (answer,) = await town.says('subscribe "Harbour Bank"', channel=SECRET)
    assert answer["response_type"] == "ephemeral"
    assert "/invite @Regwatch" in shown(answer)
    assert await town.store.channel(ChannelKey(TEAM, SECRET)) is None
    town.slack.channels[SECRET].members.add(BOT_USER)
    assert (await town.polls("sec", fined("Harbour Bank", 1, at=town.clock()))).owed == 0
    assert await town.delivers() == 0


async def test_the_same_command_twice_is_one_subscription_and_one_alert(town: Town) -> None:
    await town.opens("sec", "us-sec")
    for text in ('subscribe "Harbour Bank"', 'subscribe "Harbour Bank"', "subscribe HARBOUR BANK"):
        await town.says(text)
    assert len(await town.store.subscriptions(HERE)) == 1
    await town.polls("sec", fined("Harbour Bank", 1, at=town.clock()))
    await town.delivers()
    assert len(town.posts()) == 1


# --- which act is which ------------------------------------------------------------------------------------------------


async def test_an_english_report_and_the_chinese_notice_are_one_alert_and_one_update(town: Town) -> None:
    await town.says("subscribe tencent")
    await town.opens("times", None)
    await town.opens("cac", "cn-cac")
    report = (
        "The Cyberspace Administration of China said it had summoned 11 technology companies, including Tencent, Alibaba and ByteDance."
    )
    notice = "国家网信办约谈腾讯、阿里巴巴、字节跳动等11家企业，要求开展安全评估。"
    await town.polls("times", told(1, report, at=town.clock(), title="China summons 11 technology companies"))
    await town.delivers()
    (card,) = town.posts()
    assert "Island Times" in card.shown
    await town.polls("cac", told(2, notice, at=town.clock(), title="国家网信办约谈腾讯等11家企业"))
    await town.delivers()
    assert town.stand() == {"alert:RW-1001": 1, "update:RW-1001:2": 1}
    assert town.posts() == [card]
    assert card.edits == 1
    assert "the regulator's own notice" in card.shown
    (reply,) = town.thread(card)
    assert "confirmed: the notice of Cyberspace Administration of China was found" in reply.shown
    assert len((await town.action()).documents) == 2


async def test_two_fines_of_one_bank_on_one_day_under_two_numbers_are_two_alerts(followed: Town) -> None:
    now = followed.clock()
    await followed.polls("sec", fined("Harbour Bank", 1, at=now), fined("Harbour Bank", 2, at=now))
    await followed.delivers()
    assert [len(followed.thread(card)) for card in followed.posts()] == [0, 0]
    assert followed.stand() == {"alert:RW-1001": 1, "alert:RW-1002": 1}


async def test_a_feed_that_changes_all_its_guids_alerts_nobody_and_is_told_once(followed: Town) -> None:
    now = followed.clock()
    before = [fined("Harbour Bank", n, at=now - n * HOUR) for n in range(1, 13)]
    await followed.opens("fca", "gb-fca", *before)
    for turn in ("a", "b", "b"):
        again = [fined("Harbour Bank", n, at=now - n * HOUR, guid=f"{turn}{n}") for n in range(1, 13)]
        assert (await followed.polls("fca", *again)).owed == 0
        await followed.delivers()
    assert followed.posts() == []
    (notice,) = followed.posts(OPERATIONS)
    assert "fca is held" in notice.shown
    assert await followed.documents("fca") == 12


async def test_guids_that_change_between_http_and_https_alert_nobody(followed: Town) -> None:
    now = followed.clock()

    def listed(scheme: str) -> list[str]:
        addresses = {n: f"{scheme}://body.example/{n}" for n in range(1, 13)}
        return [fined("Harbour Bank", n, at=now - n * HOUR, guid=address, link=address) for n, address in addresses.items()]

    await followed.opens("fca", "gb-fca", *listed("http"))
    for scheme in ("https", "http", "https"):
        await followed.polls("fca", *listed(scheme))
        await followed.delivers()
    assert followed.posts() == followed.posts(OPERATIONS) == []
    assert await followed.documents("fca") == 12


async def test_two_entries_with_one_address_and_two_titles_are_two_documents(followed: Town) -> None:
    now, address = followed.clock(), "https://body.example/releases"
    pair = [fined(firm, n, at=now, link=address) for n, firm in enumerate(("Harbour Bank", "Tencent"), 1)]
    for _ in range(2):
        await followed.polls("sec", *pair)
        await followed.delivers()
    assert await followed.documents("sec") == 3
    assert followed.stand() == {"alert:RW-1001": 1, "alert:RW-1002": 1}


async def test_undated_entries_and_those_of_one_day_are_all_delivered(followed: Town) -> None:
    """No date is a watermark: neither of what has none, nor of what comes an hour after an equal one."""
    now = followed.clock()
    first = [fined("Harbour Bank", 1, at=now), fined("Harbour Bank", 2, at=None)]
    later = [fined("Harbour Bank", 3, at=now), fined("Harbour Bank", 4, at=None), fined("Harbour Bank", 5, at=now - 2 * DAY)]
    await followed.polls("sec", *first)
    await followed.delivers()
    await followed.polls("sec", *later, *first)
    await followed.delivers()
    numbers = {(await followed.action(int(key.removeprefix("alert:RW-")))).number for key in followed.stand()}
    assert numbers == {f"LR-{25000 + n}" for n in range(1, 6)}
    assert followed.stand().total() == 5


# --- what stands in Slack ------------------------------------------------------------------------------------------------


async def test_killed_between_slacks_ok_and_the_commit_nothing_is_lost_and_nothing_stands_twice(followed: Town) -> None:
    await followed.polls("sec", fined("Harbour Bank", 1, at=followed.clock()))
    await followed.killed("settle")
    assert len(followed.posts()) == 1
    other = await followed.postman()
    assert (await other.run_once()).claimed == 0  # the dead one's lease still holds
    followed.clock.forward(seconds=LEASE.total_seconds())
    assert (await other.run_once()).sent == 1
    assert followed.stand() == {"alert:RW-1001": 1}


async def test_killed_so_where_no_history_may_be_read_it_stands_at_least_once(followed: Town) -> None:
    """Never lost is promised always; never twice only where the post can be found again."""
    followed.slack.scopes -= {"channels:history", "groups:history", "im:history"}
    await followed.polls("sec", fined("Harbour Bank", 1, at=followed.clock()))
    await followed.killed("settle")
    followed.clock.forward(seconds=LEASE.total_seconds())
    assert (await (await followed.postman()).run_once()).sent == 1
    assert followed.stand() == {"alert:RW-1001": 2}
    assert await followed.delivers() == 0


async def test_a_reply_of_slacks_that_is_lost_makes_no_second_post(followed: Town) -> None:
    """Not by the client itself, not by the next try: for a card, and for the development under it."""
    now = followed.clock()
    for title in ("Harbour Bank fined (LR-25001)", "Harbour Bank barred (LR-25001)"):
        followed.slack.fail("chat.postMessage", lost_after())
        sentence = f"The Securities and Exchange Commission {title.split()[2]} Harbour Bank from the market."
        await followed.polls("sec", told(1, sentence, at=now, title=title))
        assert (await followed.deliverer.run_once()).retried == 1
        followed.clock.forward(minutes=1)
        await followed.delivers()
    assert set(followed.stand().values()) == {1}
    (card,) = followed.posts()
    assert len(followed.thread(card)) == 1


async def test_a_storm_of_three_hundred_actions_is_one_message_that_lists_them_all(followed: Town) -> None:
    now = followed.clock()
    line = await followed.polls("sec", *(fined("Harbour Bank", n, at=now) for n in range(1, 301)))
    assert (line.new, line.owed) == (300, 300)
    await followed.delivers()
    (root,) = followed.posts()
    assert "300" in root.shown
    refs = [ref for reply in followed.thread(root) for ref in re.findall(r"RW-\d+", reply.text)]
    assert sorted(refs) == [f"RW-{n}" for n in range(1001, 1301)]
    assert [key for key in followed.stand() if key.startswith("alert:")] == []


async def test_killed_in_the_middle_of_a_storm_it_goes_on_where_that_ended(followed: Town) -> None:
    """Once before the root is written down, once before the end is: each message of the thread stands once."""
    now = followed.clock()
    await followed.polls("sec", *(fined("Harbour Bank", n, at=now) for n in range(1, 31)))
    for moment in ("next_part", "next_part", "settle"):
        await followed.killed(moment)
        followed.clock.forward(seconds=LEASE.total_seconds())
    await followed.delivers()
    (root,) = followed.posts()
    refs = [ref for reply in followed.thread(root) for ref in re.findall(r"RW-\d+", reply.text)]
    assert sorted(refs) == [f"RW-{n}" for n in range(1001, 1031)]


async def test_a_title_pings_nobody_and_forges_no_link(followed: Town) -> None:
    """In the card, in its fallback text, in the development under it, in the digest, and in an answer."""
    evil = " ".join(
        f"{lt}!channel{gt} {lt}!here{gt} {lt}@U0ASKER{gt} {lt}https://evil.example|click{gt}"
        for lt, gt in (("&lt;", "&gt;"), ("&amp;lt;", "&amp;gt;"))
    )
    now = followed.clock()
    await followed.says("digest on")
    for did in ("fined", "banned"):
        said = f"The Securities and Exchange Commission {did} Harbour Bank {evil}."
        await followed.polls("sec", told(1, said, at=now, title=f"{evil} Harbour Bank {did} (LR-25001)"))
        await followed.delivers()
    (card,) = followed.posts()
    assert len(followed.thread(card)) == 1
    followed.clock.at += 3 * DAY
    await followed.delivers()
    (digest,) = followed.posts(kind="digest:")
    assert "RW-1001" in digest.shown
    answers = [shown(one) for text in ('"Harbour Bank"', "RW-1001", "search channel") for one in await followed.says(text)]
    everything = [one.shown for one in followed.slack.channels[LEGAL].messages] + answers
    assert len(everything) == 7  # card, reply, digest and its thread, answers
    for harmless in ("&lt;!channel&gt;", "&lt;!here&gt;", "&lt;@U0ASKER&gt;"):
        assert harmless in card.shown
    for one in everything:
        assert not [tag for tag in ("<!channel", "<!here", "<@U0ASKER>", "<https://evil") if tag in one.replace(f"by <@{ASKER}>", "")]


# --- digests --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "at", "noon_before", "expected"),
    [
        pytest.param("America/New_York", "02:30", datetime(2021, 3, 13, 17, tzinfo=UTC), "03:00", id="spring: 02:30 is left out"),
        pytest.param("America/New_York", "01:30", datetime(2021, 11, 6, 16, tzinfo=UTC), "01:30", id="autumn: 01:30 comes twice"),
        pytest.param("Australia/Lord_Howe", "02:15", datetime(2021, 10, 2, 2, tzinfo=UTC), "02:30", id="half an hour is left out"),
        pytest.param("Australia/Lord_Howe", "01:45", datetime(2021, 4, 3, 1, tzinfo=UTC), "01:45", id="half an hour comes twice"),
    ],
)
async def test_a_night_that_is_longer_or_shorter_has_one_digest(
    town: Town, zone: str, at: str, noon_before: datetime, expected: str
) -> None:
    """Looked at every quarter of an hour in the small hours, from the noon before to the second morning after."""
    tz = ZoneInfo(zone)
    town.clock.at = noon_before
    await town.says("subscribe tencent")
    await town.says(f"digest at {at} {zone} daily")
    stood: list[tuple[str, datetime]] = []
    while town.clock() < noon_before + timedelta(hours=40):
        await town.deliverer.run_once()
        stood += [(key, town.clock().astimezone(tz)) for key in town.stand() if key not in dict(stood)]
        town.clock.forward(minutes=15 if town.clock().astimezone(tz).hour < 4 else 60)
    first, second = noon_before.astimezone(tz).date() + DAY, noon_before.astimezone(tz).date() + 2 * DAY
    assert [(key, f"{when:%d %H:%M}") for key, when in stood] == [
        (f"digest:{first}", f"{first:%d} {expected}"),
        (f"digest:{second}", f"{second:%d} {at}"),
    ]
    assert town.stand() == {key: 1 for key, _ in stood}


async def test_two_replicas_post_one_digest(town: Town) -> None:
    """Two processes that come at the same moment, three days on end; the third one was away on the second day."""
    await town.says("subscribe tencent")
    await town.says("digest at 08:30 UTC daily")
    town.clock.at = datetime(2021, 3, 20, 8, 30, tzinfo=UTC)
    postmen = [await town.postman() for _ in range(3)]
    for _ in range(3):
        for _ in range(3):
            await asyncio.gather(*(postman.run_once() for postman in postmen))
            town.clock.forward(seconds=2)
        town.clock.at += DAY - timedelta(seconds=6)
    assert town.stand() == {"digest:2021-03-20": 1, "digest:2021-03-21": 1, "digest:2021-03-22": 1}
    assert len(town.posts()) == 3


# --- questions --------------------------------------------------------------------------------------------------------------


async def test_a_chinese_name_of_two_characters_is_found_by_either_script(town: Town) -> None:
    """As a firm, in a rule, and by the words of a text."""
    await town.opens("samr", "cn-samr")
    await town.says("subscribe 騰訊")
    await town.polls("samr", told(1, "市场监管总局对腾讯处以50万元罚款。", at=town.clock(), title="市场监管总局处罚腾讯"))
    await town.delivers()
    assert town.stand() == {"alert:RW-1001": 1}
    for text in ("騰訊", "腾讯", "search 騰訊", "search 腾讯", "search 处罚", "search 處罰"):
        (answer,) = await town.says(text)
        assert "RW-1001" in shown(answer), text
        assert elements(answer)


# --- what sources do ----------------------------------------------------------------------------------------------------------


async def test_a_source_that_vanishes_and_returns_with_thirty_old_entries_alerts_nobody(followed: Town) -> None:
    now = followed.clock()
    old = [fined("Harbour Bank", n, at=now - n * DAY / 3) for n in range(1, 31)]
    await followed.opens("fca", "gb-fca", *old)
    for answer in (Answer(b"", status=404), Answer(b"", status=503)):
        assert not (await followed.polls("fca", answer=answer)).is_good
    await followed.polls("fca", item(99, "The site is new", at=now - 9 * DAY))
    for entries in (old, [entry.replace("<item>", "<item >") for entry in old], old[:7]):
        line = await followed.polls("fca", *entries)
        assert (line.is_good, line.owed) == (True, 0)
        await followed.delivers()
    assert followed.posts() == []


async def test_a_page_with_a_new_date_under_the_same_address_is_no_new_action(followed: Town) -> None:
    """It is the same document, printed anew: the card is edited at most."""
    at = followed.clock()
    for turn in range(3):
        entry = fined("Harbour Bank", 1, at=at + turn * HOUR, guid=f"print {turn}", link="https://body.example/1")
        await followed.polls("sec", entry)
        await followed.delivers()
    assert await followed.documents("sec") == 2
    assert followed.stand()["alert:RW-1001"] == 1
    assert [key for key in followed.stand() if not key.startswith(("alert:RW-1001", "update:RW-1001:"))] == []
    assert len(followed.posts()) == 1


async def test_a_changed_title_under_an_unchanged_date_is_an_edit(followed: Town) -> None:
    """The feed says that nothing was updated, and it was: one document, one card, one word of what changed."""
    await followed.opens("fca", "gb-fca")
    for title, did in (("Harbour Bank banned", "banned"), ("Correction: Harbour Bank fined", "fined")):
        await followed.polls("fca", answer=_atom(title, f"The Financial Conduct Authority {did} Harbour Bank.", followed.clock().date()))
        await followed.delivers()
    assert await followed.documents("fca") == 2
    assert followed.stand() == {"alert:RW-1001": 1, "update:RW-1001:2": 1}
    (card,) = followed.posts()
    assert card.edits == 1
    assert (await followed.action()).kind is Kind.FINE


def _atom(title: str, text: str, day: object) -> Answer:
    """A feed of one entry whose dates never change within a day."""
    dates = f"<published>{day}T01:00:00Z</published><updated>{day}T01:00:00Z</updated>"
    entry = f"<entry><id>urn:1</id><title>{title}</title><link href='https://body.example/1'/>{dates}<content>{text}</content></entry>"
    head = f"<id>urn:feed</id><title>News</title><updated>{day}T01:00:00Z</updated>"
    return Answer(f'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom">{head}{entry}</feed>'.encode())


async def test_a_source_that_is_down_for_a_day_is_told_once_and_so_is_its_return(followed: Town) -> None:
    now = followed.clock()
    for _ in range(30):
        await followed.polls("sec", answer=Answer(b"", status=500))
        await followed.delivers()
    (down,) = followed.posts(OPERATIONS)
    assert "sec has not been well read for 24 hours" in down.shown
    for _ in range(2):
        await followed.polls("sec", item(1, "A word", at=now))
        await followed.delivers()
    (_, back) = followed.posts(OPERATIONS)
    assert "sec is well read again" in back.shown
    assert followed.posts() == []


@pytest.mark.parametrize(
    ("page", "health"),
    [
        pytest.param(b"<!doctype html><html><title>All new</title><p>Hi</html>", Health.CHANGED_LAYOUT, id="a page"),
        pytest.param(b"<html><title>Access Denied</title></html>", Health.BLOCKED, id="a challenge"),
    ],
)
async def test_a_page_where_a_feed_was_is_told_apart_and_what_was_read_is_kept(followed: Town, page: bytes, health: Health) -> None:
    """No alert, no loss: when the feed is back, only what is new alerts. The sources' list tells what is wrong meanwhile."""
    first = fined("Harbour Bank", 1, at=followed.clock())
    await followed.polls("sec", first)
    await followed.delivers()
    line = await followed.polls("sec", answer=Answer(page, content_type="text/html"))
    assert (line.health, line.is_good, line.owed) == (health, False, 0)
    (view,) = await followed.store.sources()
    assert (view.health, view.mode, view.documents) == (health, Mode.LIVE, 2)
    listed = "\n".join(shown(one) for one in await followed.says("sources"))
    assert "sec" in listed
    assert {Health.CHANGED_LAYOUT: "layout", Health.BLOCKED: "blocked"}[health] in listed
    await followed.polls("sec", fined("Harbour Bank", 2, at=followed.clock()), first)
    await followed.delivers()
    assert followed.stand() == {"alert:RW-1001": 1, "alert:RW-1002": 1}


def test_each_check_names_its_test() -> None:
    """The list above is whole: a promise without a test is none."""
    named = re.findall(r"^  (test_\w+)$", __doc__ or "", re.MULTILINE)
    here = [name for name in globals() if name.startswith("test_") and name != "test_each_check_names_its_test"]
    assert sorted(named) == sorted(here)
