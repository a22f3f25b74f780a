"""The Home tab: what a person's channels follow, what can be done about it, and how well the sources are read."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.slack.home import home
from bot.slack.labels import LANGUAGES
from storage.filters import Filter
from storage.models import Followed, Health, Mode
from storage.views import Coverage, MuteView, PlaceView, SourceView
from tests.fakes.blocks import check_view, strings, weight
from tests.test_cards import (
    BY,
    CHANNELS,
    COVERAGE,
    COVERAGES,
    FUZZ,
    LOOK,
    LOOKS,
    MATCHES,
    NOON,
    SOURCES,
    SUBSCRIPTIONS,
    TIMES,
    a_channel,
    a_match,
    a_subscription,
    tuples,
)

RULE = a_subscription(Filter.parse("kind:fine role:target"))
PLACE = PlaceView(a_channel(), (RULE,), ())
CSRC = SourceView(
    "cn-csrc-news", "cn-csrc", "CSRC", "CN", "html", "https://x.example", True, "", Mode.LIVE, "", Health.BLOCKED, NOON, "403", False,
    NOON, None, NOON, 5,
)  # fmt: skip


def drawn(
    *places: PlaceView, problems: tuple[SourceView, ...] = (), is_admin: bool = False, coverage: Coverage = COVERAGE
) -> dict[str, Any]:
    view = home(places, coverage, LOOK, user_id="U0ASKER", is_admin=is_admin, problems=problems)
    check_view(view)
    return view


def said(view: dict[str, Any]) -> str:
    return "\n".join(text for kind, text in strings(view["blocks"]) if kind != "value")


def menus(view: dict[str, Any]) -> list[list[str]]:
    return [
        [option["value"] for option in block["accessory"]["options"]]
        for block in view["blocks"]
        if block.get("accessory", {}).get("type") == "overflow"
    ]


def test_a_channel_and_what_it_follows() -> None:
    """With the rule in words, the state of the digest, and a menu."""
    view = drawn(PLACE)
    text = said(view)
    assert "1 channel · 1 subscription" in text
    assert "#17 *Alibaba Group* (阿里巴巴, 9988.HK)\nfine, where it is the target" in text
    assert "Digest: 08:30 on weekdays, Asia/Taipei" in text
    assert menus(view) == [["edit 17", "mute 17", "unsubscribe 17"]]
    assert "23 of 24 sources fresh" in text


def test_what_is_muted_can_be_heard_again() -> None:
    """Until when is said too; another firm's mute is not this one's."""
    other = MuteView(NOON, "U0ASKER", replace(a_match("Other"), firm_id="other"))
    assert menus(drawn(replace(PLACE, mutes=(MuteView(NOON, "U0ASKER", a_match()), other)))) == [["edit 17", "unmute 17", "unsubscribe 17"]]
    assert menus(drawn(replace(PLACE, mutes=(other, MuteView(NOON, "U0ASKER"))))) == [["edit 17", "mute 17", "unsubscribe 17"]]
    assert "Muted now: Other until" in said(drawn(replace(PLACE, mutes=(other,))))


def test_only_a_firm_is_muted_for_itself() -> None:
    """A regulator and everything are not."""
    rule = replace(RULE, followed=Followed.ALL, firm=None)
    assert menus(drawn(replace(PLACE, subscriptions=(rule,)))) == [["edit 17", "unsubscribe 17"]]


def test_nothing_is_followed_yet() -> None:
    """What to do is said, and there is a button for it."""
    view = drawn()
    assert "Press the button, or type `/regwatch subscribe tencent` in a channel." in said(view)
    button = next(block for block in view["blocks"] if block["type"] == "actions")["elements"][0]
    assert (button["action_id"], button["value"]) == ("regwatch.form.0", "subscribe")


def test_a_direct_message_is_called_so() -> None:
    """It has no name of its own, and on this page it is not "this conversation"."""
    assert "*Direct message with Regwatch*" in said(drawn(replace(PLACE, channel=a_channel(slack_id="D0ASKER"))))


def test_the_worst_sources_come_first() -> None:
    """Held ones need a person; then what cannot be read; admins see what to type."""
    late = replace(CSRC, id="late", health=Health.LATE)
    held = replace(CSRC, id="held", health=Health.OK, mode=Mode.HELD, mode_reason="half of its entries were new")
    fine = tuple(replace(late, id=f"late-{number}") for number in range(5))
    text = said(drawn(PLACE, problems=(late, CSRC, held, *fine)))
    assert text.index("`held` · CSRC · held: half of its entries were new") < text.index(
        "`cn-csrc-news` · CSRC · blocked since Fri 12:00: 403"
    )
    assert text.index("`cn-csrc-news`") < text.index("`late`")
    assert "and 3 more; `/regwatch sources` shows all" in text
    assert "sources check" not in text
    assert "You may type `/regwatch sources check held`" in said(drawn(PLACE, problems=(held,), is_admin=True))


def test_more_channels_than_fit_are_counted() -> None:
    """100 blocks and 9,000 characters; the sources stay."""
    places = tuple(replace(PLACE, channel=a_channel(name=f"channel-{number}", slack_id=f"C{number:05}")) for number in range(200))
    view = drawn(*places)
    text = said(view)
    shown = len(menus(view))
    assert 20 < shown < 50
    assert f"and {200 - shown} more channels: `/regwatch subscribe list` in a channel shows what it follows." in text
    assert "*Sources*" in text
    assert weight(view["blocks"]) <= 9_000


def test_one_channel_does_not_push_out_the_others() -> None:
    """Ten of its subscriptions are shown, the rest is counted."""
    rules = tuple(replace(RULE, id=number) for number in range(1, 40))
    view = drawn(replace(PLACE, subscriptions=rules), replace(PLACE, channel=a_channel(name="second")))
    assert len(menus(view)) == 11
    assert "and 29 more; `/regwatch subscribe list` there shows all" in said(view)
    assert "second" in said(view)


def test_the_menus_of_a_page_have_ids_of_their_own() -> None:
    """One a menu: Slack keeps their state by it."""
    rules = tuple(replace(RULE, id=number) for number in range(1, 9))
    view = drawn(*(replace(PLACE, subscriptions=rules, channel=a_channel(slack_id=f"C000{number}")) for number in range(3)))
    ids = [block["accessory"]["action_id"] for block in view["blocks"] if "accessory" in block]
    assert len(ids) == len(set(ids)) == 24


MUTES = st.builds(MuteView, TIMES, BY, st.none() | MATCHES, st.none() | st.integers(1, 9))
PLACES = st.builds(PlaceView, CHANNELS, tuples(SUBSCRIPTIONS, 3), tuples(MUTES, 2)) | st.builds(
    lambda place: replace(place, subscriptions=place.subscriptions * 12),
    st.builds(PlaceView, CHANNELS, tuples(SUBSCRIPTIONS, 1), st.just(())),
)


@FUZZ
@given(
    tuples(PLACES, 3) | PLACES.map(lambda place: (place,) * 60),
    COVERAGES,
    LOOKS,
    st.sampled_from(list(LANGUAGES)),
    st.booleans(),
    tuples(SOURCES, 3) | SOURCES.map(lambda one: (one,) * 20),
)
def test_no_page_breaks_a_limit_or_gives_a_stranger_power(
    places: tuple[PlaceView, ...], coverage: Coverage, look: Any, language: str, is_admin: bool, problems: tuple[SourceView, ...]
) -> None:
    """In all languages."""
    view = home(places, coverage, replace(look, language=language), user_id="U0ASKER", is_admin=is_admin, problems=problems)
    check_view(view)
    assert weight(view["blocks"]) <= 9_000
    assert json.dumps(view)
