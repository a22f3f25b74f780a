"""What people click on a card, fill in and see: menus, verdicts, reviews, forms, the home page, the life of channels.

Real Bolt, real Store, real Slack client (tests/fakes/chat.py); only Slack itself is a stub.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from bot.slack import cards
from storage import Store
from storage.filters import Filter
from storage.intents import ChannelKey, ChannelSetting, FollowIntent, Installed
from storage.models import Broadcast, Deliver, Followed, Kind, Role
from storage.tenancy import Card, WhoMayChange
from tests import builders
from tests.fakes.blocks import check_view
from tests.fakes.chat import ADMIN, ASKER, COLLEAGUE, ELSEWHERE, LEGAL, SECRET, Chat, labels, shown
from tests.fakes.clock import FakeClock
from tests.fakes.slack import BOT_USER, TEAM, Message, refused, unavailable

HERE = ChannelKey(TEAM, LEGAL, "legal")
TS = "1616126400.000100"


async def posted(chat: Chat, store: Store, action_id: int = 1001) -> dict[str, Any]:
    """The card of an action stands in #legal, whose people follow Tencent."""
    await chat.says("subscribe tencent")
    card = await store.card(HERE, action_id)
    assert card is not None
    message = cards.alert(card)
    chat.slack.channels[LEGAL].messages.append(Message(TS, BOT_USER, message.text, message.blocks))
    async with store._write() as session:
        session.add(Card(channel_id=card.channel.id, case_id=card.action.case_id, ts=TS, posted_at=builders.NOON))
    return {"blocks": message.blocks}


def stands(chat: Chat) -> str:
    """The card as it stands in the channel now."""
    (message,) = [message for message in chat.slack.posts(LEGAL) if message.ts == TS]
    return message.shown


def modal(chat: Chat) -> dict[str, Any]:
    """The modal that was opened last, held against Slack's limits."""
    view = chat.slack.views[-1]
    check_view(view)
    return view


# --- on a card ---


async def test_a_card_is_reviewed_once_by_each(chat: Chat, known: Store) -> None:
    """Who and when stand on the card itself."""
    card = await posted(chat, known)
    (told,) = await chat.presses("Reviewed", card, ts=TS)
    assert told["response_type"] == "ephemeral"
    assert f"<@{ASKER}> reviewed *RW-1001*" in shown(told)
    await chat.presses("Reviewed", card, ts=TS)
    await chat.presses("Reviewed", card, ts=TS, user=COLLEAGUE)
    assert "Reviewed: " in stands(chat)
    view = await known.card(HERE, 1001)
    assert view is not None
    assert [review.by for review in view.reviews] == [ASKER, COLLEAGUE]


async def test_a_case_is_muted_from_its_card(chat: Chat, known: Store, clock: FakeClock) -> None:
    """For a day or a week; the channel is told, and the card says so."""
    card = await posted(chat, known)
    (told,) = await chat.chooses("Mute for 7 days", card, ts=TS)
    assert told["response_type"] == "in_channel"
    assert "muted *RW-1001* and its case" in shown(told)
    assert "Muted until" in stands(chat)
    (mute,) = await known.mutes(HERE)
    assert (mute.action_id, mute.until) == (1001, clock() + timedelta(days=7))


@pytest.mark.parametrize(
    ("choice", "values", "words"),
    [
        ("Wrong firm", {"firm": {"selected_option": {"value": "tencent"}}}, "wrong firm (Tencent)"),
        ("Not relevant", {"reason": {"value": "only a <!channel> meeting"}}, "not relevant"),
        ("Duplicate", {"of": {"value": "rw-1002"}}, "duplicate of RW-1002"),
    ],
)
async def test_a_verdict_asks_why_strikes_the_card_and_is_remembered(
    chat: Chat, known: Store, choice: str, values: dict[str, dict[str, Any]], words: str
) -> None:
    """Nothing is deleted, and it can be taken back."""
    card = await posted(chat, known)
    assert await chat.chooses(choice, card, ts=TS) == []
    assert modal(chat)["callback_id"] == "regwatch.verdict"
    assert await chat.submits(values) == {}
    assert f"Struck: {words}" in stands(chat)
    assert "<!channel>" not in stands(chat)
    assert f"<@{ASKER}>" in stands(chat)
    reply = chat.slack.posts(LEGAL)[-1]
    assert f"<@{ASKER}> struck *RW-1001*: {words}." in reply.shown
    view = await known.card(HERE, 1001)
    assert view is not None
    assert len(view.corrections) == 1
    (told,) = await chat.presses("Withdraw", {"blocks": chat.slack.posts(LEGAL)[-1].blocks}, ts=reply.ts, user=COLLEAGUE)
    assert "The verdict on *RW-1001* is withdrawn" in shown(told)
    assert "Struck" not in stands(chat)


async def test_an_operators_verdict_stays_when_others_withdraw_it(chat: Chat, known: Store) -> None:
    """It holds in every workspace."""
    card = await posted(chat, known)
    await chat.chooses("Not relevant", card, ts=TS, user=ADMIN)
    await chat.submits({}, user=ADMIN)
    assert "for all workspaces" in stands(chat)
    reply = chat.slack.posts(LEGAL)[-1]
    (told,) = await chat.presses("Withdraw", {"blocks": reply.blocks}, ts=reply.ts)
    assert "operators alone withdraw it" in shown(told)
    await chat.presses("Withdraw", {"blocks": reply.blocks}, ts=reply.ts, user=ADMIN)
    assert "Struck" not in stands(chat)


@pytest.mark.parametrize(
    ("choice", "values", "field"),
    [
        ("Duplicate", {"of": {"value": "that one"}}, "of"),
        ("Duplicate", {"of": {"value": "RW-1001"}}, "of"),
        ("Duplicate", {"of": {"value": "RW-4711"}}, "of"),
    ],
    ids=["no number", "of itself", "an action that is not there"],
)
async def test_a_verdict_that_cannot_be_is_told_inside_the_form(
    chat: Chat, known: Store, choice: str, values: dict[str, dict[str, Any]], field: str
) -> None:
    """The form stays open, and nothing was changed."""
    card = await posted(chat, known)
    await chat.chooses(choice, card, ts=TS)
    answer = await chat.submits(values)
    assert answer["response_action"] == "errors"
    assert list(answer["errors"]) == [field]
    assert "Struck" not in stands(chat)


async def test_a_menu_that_opens_too_late_says_click_again(chat: Chat, known: Store) -> None:
    """Slack gives a window three seconds."""
    card = await posted(chat, known)
    chat.slack.fail("views.open", refused("expired_trigger_id"))
    (told,) = await chat.chooses("Not relevant", card, ts=TS)
    assert told["response_type"] == "ephemeral"
    assert "click again" in shown(told)


async def test_who_may_not_change_the_channel_may_not_judge_its_cards(chat: Chat, known: Store) -> None:
    """The refusal stands in the form."""
    card = await posted(chat, known)
    await known.set_channel(HERE, ChannelSetting(who_may_change=WhoMayChange.ADMINS), ADMIN)
    await chat.chooses("Not relevant", card, ts=TS)
    answer = await chat.submits({})
    assert "Only admins" in answer["errors"]["reason"]
    (told,) = await chat.chooses("Mute for 7 days", card, ts=TS)
    assert "Only admins" in shown(told)


async def test_a_card_whose_post_is_gone_breaks_nothing(chat: Chat, known: Store) -> None:
    """Somebody deleted it: the verdict is kept all the same."""
    card = await posted(chat, known)
    chat.slack.channels[LEGAL].messages.clear()
    (told,) = await chat.presses("Reviewed", card, ts=TS)
    assert "reviewed" in shown(told)


async def test_a_card_of_last_year_is_drawn_from_what_is_true_now(chat: Chat, known: Store) -> None:
    """A click on an old card of a case that went on draws its newest action."""
    card = await posted(chat, known)
    view = await known.card(HERE, 1001)
    assert view is not None
    await builders.add_action(
        known,
        ("tencent", Role.TARGET),
        kind=Kind.FINE,
        decided=date(2021, 3, 19),
        case_id=view.action.case_id,
        seen=builders.NOON + timedelta(days=1),
    )
    await chat.presses("Reviewed", card, ts=TS)
    assert "FINE" in stands(chat)


# --- forms ---


async def test_a_firm_is_found_while_one_types(chat: Chat) -> None:
    """By any of its names, in either script."""
    assert (await chat.types("regwatch.firms", "tence"))[0].startswith("Tencent")
    assert (await chat.types("regwatch.firms", "騰訊"))[0].startswith("Tencent")
    assert (await chat.types("regwatch.zones", "taipei"))[0] == "Asia/Taipei"
    assert await chat.types("theirs", "x") == []


async def test_a_subscription_by_form(chat: Chat, known: Store) -> None:
    """From an answer's button to the channel's reply."""
    (answer,) = await chat.says("tencent")
    assert await chat.presses("Subscribe", answer) == []
    assert modal(chat)["callback_id"] == "regwatch.subscribe"
    values = {"kinds": {"selected_options": [{"value": "fine"}, {"value": "ban"}]}, "deliver": {"selected_option": {"value": "now"}}}
    assert await chat.submits({"channel": {"selected_conversation": LEGAL}, **values}) == {}
    reply = chat.slack.posts(LEGAL)[-1]
    assert f"<@{ASKER}> subscribed" in reply.shown
    (rule,) = await known.subscriptions(HERE)
    assert (rule.filter.values("kind"), rule.deliver, rule.broadcast) == (("fine", "ban"), Deliver.NOW, Broadcast.ESCALATION)
    (again,) = await chat.says("tencent")
    assert "Unsubscribe" in labels(again)


@pytest.mark.parametrize(
    ("channel", "words"),
    [(SECRET, "cannot see this conversation"), (ELSEWHERE, "is not in this channel yet")],
    ids=["a private channel without the bot", "a public one without it"],
)
async def test_a_form_for_a_channel_without_the_bot_says_how_to_invite_it(chat: Chat, known: Store, channel: str, words: str) -> None:
    """Nothing is saved."""
    (answer,) = await chat.says("tencent")
    await chat.presses("Subscribe", answer)
    told = await chat.submits({"channel": {"selected_conversation": channel}})
    assert words in told["errors"]["channel"]
    assert "/invite @Regwatch" in told["errors"]["channel"]
    assert await known.subscriptions(ChannelKey(TEAM, channel)) == ()


async def test_a_form_with_a_regulator_that_nobody_knows(chat: Chat) -> None:
    """Is told at its field."""
    (answer,) = await chat.says("tencent")
    await chat.presses("Subscribe", answer)
    told = await chat.submits({"channel": {"selected_conversation": LEGAL}, "regulators": {"value": "CAC, QQQQQQ"}})
    assert "No regulator “QQQQQQ”" in told["errors"]["regulators"]


async def test_a_rule_is_edited_by_form(chat: Chat, known: Store) -> None:
    """What the form cannot show comes back unchanged."""
    (answer,) = await chat.says("subscribe tencent kind:fine country:CN")
    await chat.presses("Edit", answer)
    assert modal(chat)["title"]["text"] == "Change a rule"
    assert await chat.submits({"kinds": {"selected_options": [{"value": "ban"}]}}) == {}
    (rule,) = await known.subscriptions(HERE)
    assert rule.filter.values("kind") == ("ban",)
    assert rule.filter.values("country") == ("CN",)


async def test_the_settings_are_a_form(chat: Chat, known: Store) -> None:
    """Opened by the command, read back, told to the channel."""
    await chat.says("subscribe tencent")
    assert await chat.says("settings") == []
    assert modal(chat)["callback_id"] == "regwatch.settings"
    values = {"quiet_from": {"selected_time": "22:00"}, "language": {"selected_option": {"value": "zh-Hant"}}}
    wrong = await chat.submits(values)
    assert list(wrong["errors"]) == ["quiet_to"]
    assert await chat.submits({**values, "quiet_to": {"selected_time": "07:00"}}) == {}
    channel = await known.channel(HERE)
    assert channel is not None
    assert (channel.quiet_from, channel.quiet_to, channel.language) == ("22:00", "07:00", "zh-Hant")
    assert f"<@{ASKER}>" in chat.slack.posts(LEGAL)[-1].shown


async def test_a_form_that_turns_the_digest_off_says_what_is_then_seen_nowhere(chat: Chat) -> None:
    """As the command does; a later form that leaves it off does not say it again."""
    await chat.says("subscribe tencent deliver:digest")
    await chat.says("settings")
    assert await chat.submits({"digest": {"selected_option": {"value": "off"}}}) == {}
    said = chat.slack.posts(LEGAL)[-1].shown
    assert "Shown nowhere in this channel from now on: what is for the digest alone (*Tencent*" in said
    await chat.says("settings")
    assert await chat.submits({"quiet_from": {"selected_time": "22:00"}, "quiet_to": {"selected_time": "07:00"}}) == {}
    assert "nowhere" not in chat.slack.posts(LEGAL)[-1].shown


async def test_settings_where_no_form_can_be_opened_are_told(chat: Chat, known: Store) -> None:
    """In a mention there is nothing to open one with; in a channel that follows nothing there is nothing to set."""
    (nothing,) = await chat.says("settings")
    assert "so it has no settings" in shown(nothing)
    await chat.says("subscribe tencent")
    await chat.happens({"type": "app_mention", "channel": LEGAL, "user": ASKER, "ts": "5.1", "text": f"<@{BOT_USER}> settings"})
    (reply,) = chat.slack.thread(LEGAL, "5.1")
    assert "*Time zone*: Asia/Taipei" in reply.shown
    chat.slack.fail("views.open", refused("expired_trigger_id"))
    (told,) = await chat.says("settings")
    assert "*Time zone*: Asia/Taipei" in shown(told)


async def test_an_unknown_name_becomes_a_firm(chat: Chat, known: Store) -> None:
    """After it was seen what it would have matched; then the old documents are read again, silently."""
    await chat.says("subscribe tencent")
    await builders.add_document(known, "cn-cac-news", "网信办约谈灵犀互娱", "国家网信办约谈灵犀互娱，要求整改。")
    action_id = await builders.add_action(known, (None, Role.TARGET), ("tencent", Role.TARGET), kind=Kind.TALKS)
    (detail,) = await chat.says(f"action RW-{action_id}", user=ADMIN)
    (add,) = [label for label in labels(detail) if label.startswith("Add ")]
    await chat.presses(add, detail, user=ADMIN)
    assert modal(chat)["callback_id"] == "regwatch.firm"
    wrong = await chat.submits({"country": {"value": "China"}}, user=ADMIN)
    assert list(wrong["errors"]) == ["country"]
    names = {"written": {"value": "Lingxi Games"}, "names": {"value": "灵犀互娱"}, "country": {"value": "cn"}}
    waiting = await chat.submits(names, user=ADMIN)
    assert waiting["response_action"] == "update"
    tried = modal(chat)
    assert "It would have matched 1 stored document" in shown(tried)
    assert "灵犀互娱" in shown(tried)
    assert await chat.submits({}, user=ADMIN) == {}
    (match,) = (await known.resolve("灵犀互娱")).matches
    assert match.name == "Lingxi Games"
    assert f"<@{ADMIN}> added *Lingxi Games* to the register." in chat.slack.posts(LEGAL)[-1].shown
    assert (await known.counts())["deliveries_owed"] == 0


async def test_a_firm_whose_name_is_taken_is_told_to_the_one_who_adds_it(chat: Chat, known: Store) -> None:
    """Two firms of one name are read as neither."""
    await chat.says("subscribe tencent")
    action_id = await builders.add_action(known, (None, Role.TARGET), ("tencent", Role.TARGET), kind=Kind.TALKS)
    (detail,) = await chat.says(f"action RW-{action_id}", user=ADMIN)
    (add,) = [label for label in labels(detail) if label.startswith("Add ")]
    await chat.presses(add, detail, user=ADMIN)
    await chat.submits({"written": {"value": "Lingxi Games"}, "names": {"value": "Alibaba"}}, user=ADMIN)
    await chat.submits({}, user=ADMIN)
    (told,) = chat.slack.ephemeral
    assert told["user"] == ADMIN
    assert "is a name of Alibaba (alibaba) already" in str(told["blocks"])
    assert not (await known.resolve("Lingxi Games")).is_exact


async def test_what_breaks_behind_a_form_is_told_in_its_channel(chat: Chat, known: Store) -> None:
    """To the one who submitted it, with the reference that is in the log."""
    card = await posted(chat, known)
    await chat.chooses("Not relevant", card, ts=TS)
    chat.slack.fail("chat.postMessage", unavailable())
    await chat.submits({})
    assert "Reference" in str(chat.slack.ephemeral[-1]["blocks"])


async def test_a_firm_that_others_add_is_a_suggestion(chat: Chat, known: Store) -> None:
    """Only operators change the register."""
    await chat.says("subscribe tencent")
    action_id = await builders.add_action(known, (None, Role.TARGET), ("tencent", Role.TARGET), kind=Kind.TALKS)
    (detail,) = await chat.says(f"action RW-{action_id}")
    (add,) = [label for label in labels(detail) if label.startswith("Add ")]
    await chat.presses(add, detail)
    await chat.submits({"written": {"value": "Lingxi Games"}})
    await chat.submits({})
    assert "Only those who run Regwatch add firms." in str(chat.slack.ephemeral[-1]["blocks"])
    assert not (await known.resolve("Lingxi Games")).is_exact


# --- the message shortcut ---


async def test_what_regwatch_makes_of_a_message(chat: Chat, known: Store) -> None:
    """In a modal that only the asker sees; nothing is stored, and hostile words do nothing."""
    documents = (await known.counts())["documents"]
    text = "The Cyberspace Administration of China fined Tencent 1 million yuan on Monday. &lt;!channel&gt; <!here>"
    assert await chat.takes("regwatch.read", text) == []
    view = modal(chat)
    assert "FINE" in shown(view)
    assert "*Tencent*" in shown(view)
    assert "<!" not in shown(view)
    assert not [block for block in view["blocks"] if block["type"] == "actions"]  # nothing could answer their clicks
    await chat.takes("regwatch.read", "Good morning, who wants coffee?")
    assert "No act of a regulator against a firm is told here." in shown(modal(chat))
    assert (await known.counts())["documents"] == documents


# --- the home page ---


async def opened(chat: Chat, user: str = ASKER) -> dict[str, Any]:
    await chat.happens({"type": "app_home_opened", "user": user, "channel": "D0ASKER", "tab": "home"})
    page = chat.slack.published[user]
    check_view(page)
    return page


async def test_the_home_page_shows_the_readers_own_channels(chat: Chat, known: Store) -> None:
    """With what each follows; a channel that the reader is not in stays unseen."""
    empty = await opened(chat)
    assert "No channel of yours follows anything yet." in shown(empty)
    await chat.says("subscribe tencent, ant group")
    page = await opened(chat)
    assert "*Tencent*" in shown(page)
    assert "2 subscriptions" in shown(page)
    assert "4 of 4 sources fresh" in shown(page)
    assert "*Tencent*" not in shown(await opened(chat, "U0GUEST"))


async def test_the_home_page_shows_a_direct_message_too(chat: Chat) -> None:
    """Of its own person."""
    chat.slack.add_channel("D0ASKER", "", members=(BOT_USER, ASKER))
    await chat.says("subscribe tencent", channel="D0ASKER")
    assert "Direct message with Regwatch" in shown(await opened(chat))
    assert "Direct message" not in shown(await opened(chat, COLLEAGUE))


async def test_a_rule_that_no_form_can_carry_is_changed_by_the_command(chat: Chat, known: Store) -> None:
    """Slack gives a form 3,000 characters to remember things in."""
    regulators = ",".join(f'"{"x" * 60} {number}"' for number in range(60))
    await known.follow(FollowIntent(HERE, ASKER, Followed.FIRM, "tencent", filter=Filter.parse(f"-regulator:{regulators}")))
    (listed,) = await chat.says("subscribe list")
    (told,) = await chat.presses("Edit", listed)
    assert "Rule #1 is too long for a form." in shown(told)


async def test_the_home_page_mutes_and_ends_what_it_shows(chat: Chat, known: Store) -> None:
    """The channel is told, and the page is drawn anew."""
    await chat.says("subscribe tencent")
    page = await opened(chat)
    await chat.chooses("Mute for 7 days", page, channel="")
    assert "muted *Tencent*" in chat.slack.posts(LEGAL)[-1].shown
    assert "Muted now: Tencent" in shown(chat.slack.published[ASKER])
    await chat.chooses("Unmute", chat.slack.published[ASKER], channel="")
    assert await known.mutes(HERE) == ()
    await chat.chooses("Unsubscribe", chat.slack.published[ASKER], channel="")
    assert modal(chat)["callback_id"] == "regwatch.unsubscribe"
    await chat.submits({})
    assert await known.subscriptions(HERE) == ()
    assert "unsubscribed" in chat.slack.posts(LEGAL)[-1].shown
    assert "No channel of yours follows anything yet." in shown(chat.slack.published[ASKER])
    await chat.chooses("Mute for 7 days", page, channel="")  # a page that is out of date
    assert await known.mutes(HERE) == ()


async def test_a_refusal_on_the_home_page_is_told_there(chat: Chat, known: Store) -> None:
    """In a modal: there is no message that could be answered."""
    await chat.says("subscribe tencent")
    page = await opened(chat)
    await known.set_channel(HERE, ChannelSetting(who_may_change=WhoMayChange.ADMINS), ADMIN)
    await chat.chooses("Mute for 7 days", page, channel="")
    assert "Only admins may change" in shown(modal(chat))
    assert await known.mutes(HERE) == ()


async def test_a_firm_is_added_from_the_home_page(chat: Chat, known: Store) -> None:
    """The form asks for the channel."""
    page = await opened(chat)
    await chat.presses("Add a firm", page, channel="")
    values = {"firms": {"selected_options": [{"value": "tencent"}]}, "channel": {"selected_conversation": LEGAL}}
    missing = await chat.submits({})
    assert set(missing["errors"]) == {"channel", "firms"}
    assert await chat.submits(values) == {}
    (rule,) = await known.subscriptions(HERE)
    assert rule.firm is not None
    assert rule.firm.firm_id == "tencent"
    assert "*Tencent*" in shown(chat.slack.published[ASKER])


# --- the life of channels ---


async def test_a_channel_that_is_archived_waits_until_it_is_back(chat: Chat, known: Store) -> None:
    """Nothing is posted meanwhile, and nothing is lost."""
    await chat.says("subscribe tencent")
    for gone, back, why in (
        ({"type": "channel_archive", "channel": LEGAL}, {"type": "channel_unarchive", "channel": LEGAL}, "is_archived"),
        (
            {"type": "channel_left", "channel": LEGAL},
            {"type": "member_joined_channel", "channel": LEGAL, "user": BOT_USER, "inviter": ASKER},
            "not_in_channel",
        ),
    ):
        await chat.happens(gone)
        channel = await known.channel(HERE)
        assert channel is not None
        assert channel.paused_reason == why
        await chat.happens(back)
        channel = await known.channel(HERE)
        assert channel is not None
        assert channel.paused_reason == ""
    assert len(await known.subscriptions(HERE)) == 1


@pytest.mark.parametrize(
    ("event", "why"),
    [
        ("channel_archive", "is_archived"),
        ("group_archive", "is_archived"),
        ("channel_left", "not_in_channel"),
        ("group_deleted", "channel_deleted"),
    ],
)
async def test_the_owner_of_a_channel_that_is_gone_is_owed_a_direct_message(chat: Chat, known: Store, event: str, why: str) -> None:
    """Once, however often Slack says so; and the person's row is on nobody's home page."""
    await chat.says("subscribe tencent", user=COLLEAGUE)
    await known.set_channel(HERE, ChannelSetting(language="zh-Hant"), ASKER)
    for _ in range(2):
        await chat.happens({"type": event, "channel": LEGAL})
    (due,) = await known.claim(9, timedelta(minutes=2))
    assert (due.channel.slack_id, due.channel.language, due.notice["reason"]) == (COLLEAGUE, "zh-Hant", why)
    chat.slack.add_channel(COLLEAGUE, "", members=(BOT_USER, ASKER))
    await chat.happens({"type": "app_home_opened", "tab": "home", "user": ASKER})
    assert COLLEAGUE not in shown(chat.slack.published[ASKER])


async def test_an_organisation_that_takes_a_workspace_away_silences_it(chat: Chat, known: Store) -> None:
    """Each of those that the event names; what it follows stays."""
    await known.install(Installed(TEAM, "Acme", ASKER, "E1"))
    await chat.says("subscribe tencent")
    await chat.happens({"type": "team_access_revoked", "team_ids": ["T0NOBODY", TEAM]})
    workspace = await known.workspace(TEAM)
    assert workspace is not None
    assert workspace.uninstalled_at is not None
    assert len(await known.subscriptions(HERE)) == 1


async def test_whoever_invites_the_bot_is_told_what_to_type(chat: Chat) -> None:
    """And nobody else; other people who join are none of its business."""
    await chat.happens({"type": "member_joined_channel", "channel": LEGAL, "user": COLLEAGUE, "inviter": ASKER})
    assert chat.slack.ephemeral == []
    await chat.happens({"type": "member_joined_channel", "channel": LEGAL, "user": BOT_USER, "inviter": ASKER})
    (told,) = chat.slack.ephemeral
    assert told["user"] == ASKER
    assert "/regwatch subscribe" in str(told["blocks"])


async def test_a_renamed_and_a_moved_channel_keep_their_rules(chat: Chat, known: Store) -> None:
    """Rules go with the channel, whatever its name and id."""
    await chat.says("subscribe tencent")
    await chat.happens({"type": "channel_rename", "channel": {"id": LEGAL, "name": "law"}})
    channel = await known.channel(HERE)
    assert channel is not None
    assert channel.name == "law"
    await chat.happens({"type": "channel_id_changed", "old_channel_id": LEGAL, "new_channel_id": "C0MOVED"})
    assert len(await known.subscriptions(ChannelKey(TEAM, "C0MOVED"))) == 1
