"""What one channel is owed for one move: the decision, with what people said in it. What they said in the database is
told in test_channels and test_corrections."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.joining import Move
from storage.models import Broadcast, Deliver, DeliveryKind, Followed
from storage.owing import Interest, Owed, decide_owed
from storage.tenancy import Subscription

ALERT, UPDATE = DeliveryKind.ALERT, DeliveryKind.UPDATE


def move(**fields: Any) -> Move:
    values: dict[str, Any] = {
        "action_id": 1001,
        "case_id": 1,
        "version": 1,
        "is_new": True,
        "is_escalation": False,
        "waived": "",
        "keys": frozenset({"firm:tencent"}),
        "is_nameless": False,
    }
    return Move(**{**values, **fields})


def rule(deliver: Deliver = Deliver.BOTH, broadcast: Broadcast = Broadcast.ESCALATION) -> Subscription:
    return Subscription(
        channel_id=1, key="firm:tencent", followed=Followed.FIRM, firm_id="tencent", filter="", broadcast=broadcast, deliver=deliver
    )


HIT = Interest(matched=[rule()], following=[rule()])
MISREAD = Interest(misread=[rule()])
BOTH = Interest(matched=[rule()], following=[rule()], misread=[rule()])
PASSED_BY = Interest(following=[rule()], misread=[rule()])
NEAR = Interest(nearby=[rule()])
DIGEST = Interest(matched=[rule(Deliver.DIGEST)], following=[rule(Deliver.DIGEST)])
NOTHING = Interest()

CASES: list[tuple[str, Move, Interest, dict[str, Any], tuple[DeliveryKind, str] | None]] = [
    ("new and followed", move(), HIT, {}, (ALERT, "")),
    ("new, muted", move(), HIT, {"is_muted": True}, (ALERT, "muted")),
    ("new, not relevant", move(), HIT, {"verdict": "not relevant"}, (ALERT, "not relevant")),
    ("a verdict weighs more than a mute: it keeps out of the digest", move(), HIT, {"verdict": "v", "is_muted": True}, (ALERT, "v")),
    ("an old text is for the digest", move(waived="age"), HIT, {}, (ALERT, "age")),
    (
        "an old text that was edited, where its card stands",
        move(is_new=False, version=2, waived="age"),
        HIT,
        {"is_posted": True},
        (UPDATE, ""),
    ),
    (
        "an old text that was edited, known from a digest",
        move(is_new=False, version=2, waived="age"),
        HIT,
        {"is_known": True},
        (UPDATE, "age"),
    ),
    ("an old act of a case that is shown", move(waived="age"), HIT, {"is_posted": True}, (UPDATE, "age")),
    ("moved aside, and nobody knew it", move(is_new=False, is_aside=True, version=2), HIT, {}, (ALERT, "")),
    ("moved aside, where the act that moved it is told", move(is_new=False, is_aside=True, version=2), HIT, {"is_posted": True}, None),
    ("moved aside, known from a digest", move(is_new=False, is_aside=True, version=2), HIT, {"is_known": True}, None),
    ("a verdict weighs more than age", move(waived="age"), HIT, {"verdict": "v"}, (ALERT, "v")),
    (
        "a first poll weighs more than a mute: no flood of a digest",
        move(waived="first poll"),
        HIT,
        {"is_muted": True},
        (ALERT, "first poll"),
    ),
    ("what the digest alone gets is not muted", move(), DIGEST, {"is_muted": True}, (ALERT, "digest only")),
    ("followed by a wrong name alone", move(), MISREAD, {}, (ALERT, "wrong firm")),
    ("and not relevant besides", move(), MISREAD, {"verdict": "v"}, (ALERT, "v")),
    ("by a wrong name and a right one", move(), BOTH, {}, (ALERT, "")),
    ("no firm named, muted: it was for the digest anyway", move(), NEAR, {"is_muted": True}, (ALERT, "no firm named")),
    ("no firm named, not relevant", move(), NEAR, {"verdict": "v"}, (ALERT, "v")),
    ("no interest, no word", move(), NOTHING, {"verdict": "v", "is_muted": True}, None),
    ("a move of what is posted", move(is_new=False), NOTHING, {"is_posted": True}, (UPDATE, "")),
    ("and muted", move(is_new=False), NOTHING, {"is_posted": True, "is_muted": True}, (UPDATE, "muted")),
    ("posted for a wrong name alone", move(is_new=False), MISREAD, {"is_posted": True}, (UPDATE, "wrong firm")),
    ("posted, and another rule speaks of it without passing", move(is_new=False), PASSED_BY, {"is_posted": True}, (UPDATE, "")),
    ("known from a digest, a mute over", move(is_new=False), HIT, {"is_known": True}, (UPDATE, "")),
]


@pytest.mark.parametrize(("moved", "interest", "fields", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_is_owed(moved: Move, interest: Interest, fields: dict[str, Any], expected: tuple[DeliveryKind, str] | None) -> None:
    owed = decide_owed(moved, interest, **{"is_posted": False, "is_known": False, **fields})
    assert (owed and (owed.kind, owed.waived)) == expected


@given(
    st.builds(move, is_new=st.booleans(), is_escalation=st.booleans(), waived=st.sampled_from(["", "age", "first poll"])),
    st.sampled_from([HIT, MISREAD, BOTH, PASSED_BY, NEAR, DIGEST, NOTHING]),
    st.booleans(),
    st.booleans(),
)
def test_people_only_ever_silence(moved: Move, interest: Interest, is_posted: bool, is_known: bool) -> None:
    """The same message under the same key, and never posted where it would not have been."""
    plain = decide_owed(moved, interest, is_posted=is_posted, is_known=is_known)
    for said in ({"verdict": "not relevant"}, {"is_muted": True}, {"verdict": "not relevant", "is_muted": True}):
        told = decide_owed(moved, interest, is_posted=is_posted, is_known=is_known, **said)
        assert (told is None) == (plain is None)
        if plain and told:
            assert told == Owed(plain.key, plain.kind, told.waived, plain.is_broadcast)
            assert told.waived
