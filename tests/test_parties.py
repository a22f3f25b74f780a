"""Strings of names, taken apart: what is one firm, what are several, who are persons."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.extract import parties


@pytest.mark.parametrize(
    ("text", "firms", "persons"),
    [
        pytest.param("Oak, Elm & Hill Inc.", ["Oak, Elm & Hill Inc."], [], id="a comma inside a partnership is no border"),
        pytest.param("Stone, Marsh Capital, Inc.", ["Stone, Marsh Capital, Inc."], [], id="nor is the comma before the form"),
        pytest.param("granite funds inc., oak and elm llc", ["granite funds inc.", "oak and elm llc"], [], id="lower case: two firms"),
        pytest.param("Granite Ltd and Basalt plc", ["Granite Ltd", "Basalt plc"], [], id="a form before 'and' ends a firm"),
        pytest.param("Granit GmbH und Basalt AG", ["Granit GmbH", "Basalt AG"], [], id="German"),
        pytest.param("Granito S.p.A. e Basalto S.r.l.", ["Granito S.p.A.", "Basalto S.r.l."], [], id="Italian"),
        pytest.param("Granite S.A. and Basalt N.V.", ["Granite S.A.", "Basalt N.V."], [], id="a soft form before 'and' ends one too"),
        pytest.param("Granit SE und Basalt AG", ["Granit SE", "Basalt AG"], [], id="and before 'und'"),
        pytest.param("Granito S.A. y Basalto S.L.", ["Granito S.A.", "Basalto S.L."], [], id="and before 'y'"),
        pytest.param("The Granite Company and E.I. Elm & Company", ["The Granite Company", "E.I. Elm & Company"], [], id="Company twice"),
        pytest.param("Granite & Co. and Sons Inc.", ["Granite & Co. and Sons Inc."], [], id="but not before sons"),
        pytest.param("Granite SE & Co. KGaA", ["Granite SE & Co. KGaA"], [], id="nor before another form"),
        pytest.param(
            "GR U.S. Corp Acquisition Inc. and Elm, LLC", ["GR U.S. Corp Acquisition Inc.", "Elm, LLC"], [], id="a form inside a name"
        ),
        pytest.param(
            "AB Granite, Granite North, Inc., and Elm Company",
            ["AB Granite", "Granite North, Inc.", "Elm Company"],
            [],
            id="a form in front",
        ),
        pytest.param("Granito S.A.B. de C.V., Elm SA/NV", ["Granito S.A.B. de C.V.", "Elm SA/NV"], [], id="forms of two parts"),
        pytest.param(
            "Martin Granite Stones, Inc., et al.", ["Martin Granite Stones, Inc."], [], id="a given name before a form is no person"
        ),
        pytest.param("Elm Inc. and Granite LLC.", ["Elm Inc.", "Granite LLC"], [], id="a point after what is no abbreviation"),
        pytest.param("Granite and Reed Metals", ["Granite and Reed Metals"], [], id="no person of one word"),
        pytest.param("Granite & Co. Financial Services Inc.", ["Granite & Co. Financial Services Inc."], [], id="& Co. is not yet the end"),
        pytest.param("GRANITE & CO. PAUL M. REED", ["GRANITE & CO."], ["PAUL M. REED"], id="what follows a form are persons"),
        pytest.param("Granite LLC Paul Reed, Ann B. Reed", ["Granite LLC"], ["Paul Reed", "Ann B. Reed"], id="persons part at commas"),
        pytest.param("Paul M. Reed, Ann Reed and Granite Inc.", ["Granite Inc."], ["Paul M. Reed", "Ann Reed"], id="persons first"),
        pytest.param("Granite, LLC and Paul M. Reed, III", ["Granite, LLC"], ["Paul M. Reed, III"], id="III belongs to its person"),
        pytest.param(
            "Granite Limited Partnership and Elm LLC", ["Granite Limited Partnership", "Elm LLC"], [], id="a partnership is limited"
        ),
        pytest.param("Paul Reed, Jr.", [], ["Paul Reed, Jr."], id="a person alone"),
        pytest.param("Paul Reed and Company", ["Paul Reed and Company"], [], id="a person's name in a firm's"),
        pytest.param("Oak, Elm & Hill Paul M. Reed", ["Oak, Elm & Hill"], ["Paul M. Reed"], id="a partnership without a form"),
        pytest.param("oak, elm", ["oak, elm"], [], id="two surnames are one partnership"),
        pytest.param("Reed Family Trust", ["Reed Family Trust"], [], id="a trade word makes it no person"),
        pytest.param("Granite LLC,1", ["Granite LLC"], [], id="a footnote falls away"),
        pytest.param("granite llc 47263, 2118724", ["granite llc"], [], id="numbers are no persons"),
        pytest.param("SEC v. Granite Corp., et al.", ["SEC", "Granite Corp."], [], id="both sides of a caption"),
        pytest.param("Paul Reed; Granite Inc", ["Granite Inc"], ["Paul Reed"], id="a semicolon is a border"),
        pytest.param(
            "Elm Street Brokers, Elm Street & Co. LLC", ["Elm Street Brokers", "Elm Street & Co. LLC"], [], id="its own first word again"
        ),
        pytest.param("1 & 2 Oak, Elm", [], ["Oak", "Elm"], id="numbers are no partnership"),
        pytest.param("", [], [], id="nothing"),
        pytest.param(" , 12; ", [], [], id="no letter"),
    ],
)
def test_parties(text: str, firms: list[str], persons: list[str]) -> None:
    found = parties(text)
    assert sorted(party.name for party in found if not party.is_person) == sorted(firms)
    assert sorted(party.name for party in found if party.is_person) == sorted(persons)


@pytest.mark.parametrize(
    ("text", "name", "also"),
    [
        ("Granite LLC d/b/a Elm Street", "Granite LLC", ("Elm Street",)),
        ("Granite LLC (f/k/a Basalt Inc.)", "Granite LLC", ("Basalt Inc",)),
        ("granite llc, formerly known as basalt inc.", "granite llc", ("basalt inc",)),
        ('Granite LLC ("Granite" or the "Firm")', "Granite LLC", ('Granite" or the "Firm',)),
        ("Granite LLC (now known in relevant part as Basalt LLC, No. 2", "Granite LLC", ("Basalt LLC, No. 2",)),
    ],
)
def test_another_name_belongs_to_the_party_before_it(text: str, name: str, also: tuple[str, ...]) -> None:
    (party,) = parties(text)
    assert (party.name, party.also) == (name, also)


@given(st.text(alphabet=st.sampled_from('Ab c.,;&()"/kfa1IncLd\n'), max_size=60))
def test_any_string_is_taken_apart_into_places_of_its_own(text: str) -> None:
    """In order, without overlap, each where it says."""
    at = 0
    for party in parties(text):
        assert at <= party.start < party.end
        assert text[party.start : party.end] == party.name
        at = party.end
