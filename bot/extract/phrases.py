"""Firms outside the register that only their place in a Latin sentence shows: after "fined", before "was fined", in a list.

A phrase is a run of words with capitals ("Club Náutico el Estacio", "Morele.net", "N.D.P.K. nv"). Whether it is a firm
is told by what it is made of (a legal form, a trade, odd spelling), by what is said beside it ("the airline X",
"X, a crypto broker,", "X (“XY”)") or by how the text goes on to speak of it ("the company", "the controller").
Persons, places, public bodies, months and laws are none.
"""

from __future__ import annotations

import re
from functools import cache

from bot.extract.legal_names import behind_kind
from bot.extract.names import Name, firm_key
from bot.extract.roles import Act, Scene
from bot.extract.text import Sentence, alternation, lands, lexicon, pattern, vocabulary, words
from storage.models import Kind
from storage.text import fold

STOP = re.compile(rf"\b(?:{alternation('grammar', 'stops')})\b|[;:?!]|\.\s")
"""What keeps a later name from belonging to an earlier word."""
OF_FIRMS = frozenset(
    (
        *(Kind.FINE, Kind.INVESTIGATION, Kind.MERGER_DECISION, Kind.SETTLEMENT, Kind.CONFISCATION, Kind.CONSENT_ORDER),
        *(Kind.PROPOSED_PENALTY, Kind.INFORMATION_REQUEST, Kind.APPROVAL, Kind.OTHER),
    )
)
"""Kinds that are done to firms rather than to persons or places."""

_TOKEN = re.compile(r"[^\s,;:()\[\]\"“”„«»‘]+")
_CAMEL = re.compile(r"[a-z]{1,2}[A-Z]")
_QUOTED = re.compile(r"[\"“„«‘'](?P<name>[^\"“”„«»‘’'\n]{2,50})[\"”“»’']")
_FRONT = re.compile(r"(?:UAB|SIA|AB|OÜ|MB|VšĮ|OOO|PAO|ZAO|AO) (?=[\"“„«])")
"""A form that stands before a name in quotation marks."""
_FORM_AFTER = re.compile(r",?\s(?P<form>[^\s,;:()]+)")
_GOES_ON = re.compile(
    r"\s*(?:$|[,.;:()\n–—-]|['’]s?\s|[€$£]|[a-z]{3}\s?\d|\d|[a-z]{4,}ing\b|d'|l'|"
    rf"(?:{alternation('conduct', 'breach')})\w*|(?:{alternation('grammar', 'follows')})\b)"
)
"""What may come after a name that is an object: with other words the name is only the beginning of something."""


def phrase(whole: str, start: int, limit: int) -> int:
    """Where the run of words with capitals ends that begins at the offset; `start` when there is none."""
    end = at = start
    particles, money = words("phrases", "particles"), _money_codes()
    while (token := _TOKEN.match(whole, at, limit)) is not None:
        text = token.group()
        bare = text.rstrip(".'’!?")
        folded = fold(bare)
        if text in money or (folded in words("phrases", "headline_stops") and end > start):
            break
        if (
            text[0].isupper()
            or text[0].isdigit()
            or text == "&"
            or _CAMEL.match(text)
            or (end > start and folded in _forms() and len(bare) > 1)
        ):
            is_over = text.endswith((".", "!", "?")) and folded not in _forms() and not _is_abbreviation(bare)
            end = token.end() if not is_over or "." in bare else at + len(bare)
            if re.search(r"['’]s?$", text) and not _NAMED_SO.match(whole, token.end()):
                end = at + len(re.sub(r"['’]s?$", "", text))
                break
            if is_over:
                end = at + len(bare)
                break
        elif folded not in particles or end == start:
            break
        at = token.end()
        if whole[at : at + 1] == "," and (form := _FORM_AFTER.match(whole, at, limit)) and fold(form["form"]).rstrip(".") in _forms():
            end = form.end()
            break
        if whole[at : at + 1] != " " or (folded in _forms() and at > start and text[-1] == "." and end > start):
            break
        at += 1
    return _trimmed(whole, start, end)


_NAMED_SO = re.compile(r"\s*(?:$|[,.;:)]|(?:and|or|over|for|to|in|as|was|were|has|had|must|will)\s|[€$£\d])")
"""Behind "'s" that belongs to a name, as no owner's does: "fined Wendy's for"."""


def _trimmed(whole: str, start: int, end: int) -> int:
    """Without a sum's number, and without a point that ends the sentence rather than a form."""
    text = re.sub(r"(?:\s+\d[\d.,]*)+$", "", whole[start:end]) if end > start else ""
    while " " in text and fold(text.rsplit(" ", 1)[1]) in words("phrases", "particles"):
        text = text.rsplit(" ", 1)[0]
    if text.endswith(".") and fold(text).split()[-1] not in vocabulary("legal", "latin"):
        text = text.rstrip(".")
    return start + len(text)


@cache
def _money_codes() -> frozenset[str]:
    return frozenset(code.upper() for code in lexicon()["money"] if code.isascii() and code.isalpha() and len(code) == 3)


@cache
def _forms() -> frozenset[str]:
    return frozenset(form.rstrip(".") for form in vocabulary("legal", "latin") - vocabulary("legal", "soft")) | {"ehf", "hf"}


@cache
def _is_abbreviation(word: str) -> bool:
    return fold(word) in words("text", "abbreviations") or (len(word) == 1 and word.isalpha()) or bool(re.fullmatch(r"(?:\w\.)+\w", word))


_LEAD = re.compile(
    r"\s*(?:(?:the|a|an|its|la|le|les|il|lo|die|der|das|den|dem|el|los|de|het|o|os|l'|gli|una?|both|eine[rmn]?|une?|een)\s+)?"
    r"(?P<described>(?:[^\W\d_A-Z][\w'’-]*,?\s+){0,6}?)(?=[\"“„«‘']\S|[^\W_a-zà-öø-ÿ]|[a-z]{1,2}[A-Z])"
)


def placed(scene: Scene, act: Act, at: int, sentence: Sentence) -> Name | None:
    """The phrase right after a verb or preposition, when it looks like a firm and no person or place."""
    whole = scene.reading.whole
    lead = _LEAD.match(whole, at, sentence.end)
    if lead is None:
        return None
    described = fold(lead["described"]).split()
    if described[-1:] == ["of"] and described[-2:-1] == ["operator"]:  # "the operator of X"
        described.pop()
    is_led = bool(described) and described[-1].strip(",") in vocabulary("legal", "descriptors")
    is_quoted = False
    if vocabulary("persons", "roles").intersection(described):
        return None
    if (described and not is_led) or STOP.search(fold(lead["described"])):
        return None
    start = lead.end()
    front = _FRONT.match(whole, start, sentence.end)
    quoted = _QUOTED.match(whole, front.end() if front else start, sentence.end)
    if quoted:
        start, end = quoted.span("name")
        form = _FORM_AFTER.match(whole, quoted.end(), sentence.end)
        is_formed = form is not None and fold(form["form"]).rstrip(".") in (*_forms(), *words("legal", "front"))
        after, is_quoted = form.end() if form and is_formed else quoted.end(), True
        is_led = is_led or is_formed or front is not None
    elif headed := _headed().match(whole, start, sentence.end):
        end = after = headed.end()
        is_led = True
    else:
        end = after = phrase(whole, start, sentence.end)
        named = _named_at(scene, sentence, start, end)
        if named > start:
            start = named
            is_led = not is_person(fold(whole[start:end]).split())
        elif noun := _kind_of_firm().match(scene.reading.folded, end, sentence.end):  # "the Amsterdam hospital OLVG"
            stop = phrase(whole, noun.end(), sentence.end)
            if stop > noun.end():
                is_led, start, end, after = True, noun.end(), stop, stop
            elif " " in whole[start:end]:  # "the Lindqvist Holm nursing home"
                is_led, after = True, noun.end() - 1
    if end <= start or _GOES_ON.match(scene.reading.folded, after, sentence.end + 1) is None or _is_half(scene, after, sentence.end):
        return None
    is_ordered = (
        act.kind is Kind.RECTIFICATION and not _is_headline(whole[sentence.start : sentence.end]) and scene.is_body(sentence.start, at)
    )
    return firm_like(
        scene,
        start,
        end,
        is_led=is_led,
        is_bare=act.kind in OF_FIRMS or is_ordered,
        is_fined=act.kind is Kind.FINE,
        is_quoted=is_quoted and is_led,
    )


@cache
def _headed() -> re.Pattern[str]:
    """A name of another language that goes on in small letters behind a noun for firms: "Società triveneta di chirurgia"."""
    heads = "|".join(sorted(lexicon()["legal"]["heads"], key=len, reverse=True))
    return re.compile(
        rf"(?:{heads})(?:\s(?!(?:for|over|after|and|of|to|in|on|with|has|was|the|EUR|USD)\b)[^\W\d][\w'’-]*){{1,6}}(?=\.|,|\s[(€$£]|\sEUR|$)"
    )


def _is_half(scene: Scene, at: int, limit: int) -> bool:
    """Whether the name that ends here is only half of what describes a noun: "against Lakeville and Princeton restaurants"."""
    joint = _JOINT.match(scene.reading.whole, at, limit)
    end = phrase(scene.reading.whole, joint.end(), limit) if joint else 0
    return joint is not None and end > joint.end() and _PLURAL.match(scene.reading.folded, end, limit) is not None


_PLURAL = re.compile(r"\s[a-z]{4,}s(?![a-z])")


def placed_run(scene: Scene, act: Act, at: int, sentence: Sentence) -> list[Name]:
    """The phrase after a verb or preposition with those that "and" and commas join to it."""
    whole = scene.reading.whole
    first = placed(scene, act, at, sentence)
    run = [first] if first else []
    while run and (joint := _JOINT.match(whole, run[-1].end, sentence.end)):
        led = _describing_next().match(whole, joint.end(), sentence.end)
        start = led.end() if led else joint.end()
        end = phrase(whole, start, sentence.end)
        if end == start or scene.firms(start, end) or _GOES_ON.match(scene.reading.folded, end, sentence.end + 1) is None:
            break
        one = firm_like(scene, start, end, is_led=bool(led), is_bare=act.kind in OF_FIRMS)
        if one is None:
            break
        run.append(one)
    return run


def _named_at(scene: Scene, sentence: Sentence, start: int, end: int) -> int:
    """Where in a run of capitals the name begins: behind where the firm sits ("Ohio-based"), in a headline behind what it is."""
    whole = scene.reading.whole
    based = _BASED.match(whole, start, end)
    start = based.end() if based else start
    return behind_kind(scene.reading.folded, start, end) if _is_headline(whole[sentence.start : sentence.end]) else start


_BASED = re.compile(r"(?:[A-Z][\w.]*\s){0,2}[A-Z][\w.]*-(?:[Bb]ased|[Hh]eadquartered|[Ll]isted|[Ll]inked|[Oo]wned)\s")
_JOINT = re.compile(r",?\s(?:and|und|et|e|y|en|&)\s(?:the\s)?|,\s(?=(?:[^,.;:]{2,40},\s){0,8}[^,.;:]{2,40},?\s(?:and|und|et|e|y|en)\s)")
_BEFORE_VERB = re.compile(r"(?:\s(?:was|were|is|are|has|have|had|wurde|e stata|a ete|ha sido)(?:\sbeen)?(?:\s[a-z]+ly)?)?\s$")


_ASIDE = re.compile(r"\s[–—-]\s[^–—:;]+\s[–—-]$")


def leading(scene: Scene, act: Act, sentence: Sentence, end: int) -> Name | None:
    """The phrase that the clause begins with and that leads up to its verb: "Lanier Marine Settles ...", outside the register."""
    whole, skeleton = scene.reading.whole, scene.skeleton
    is_bare = act.kind in OF_FIRMS
    verb = _BEFORE_VERB.search(skeleton, sentence.start, end)
    near = verb.start() if verb else end
    if whole.endswith(("-", "–", "—"), sentence.start, near) and (aside := _ASIDE.search(whole, max(sentence.start, near - 240), near)):
        near = aside.start()  # "for which Acme – which ran the site – had been fined"
    for match in _STARTS.finditer(skeleton, max(sentence.start, near - 140), near):
        start = match.end()
        if (
            start < near
            and not _FOLLOWS_CAPITAL.search(whole, max(sentence.start, start - 24), start)
            and phrase(whole, start, near) == near
        ):
            named = _named_at(scene, sentence, start, near)
            return firm_like(scene, named, near, is_led=named > start, is_bare=is_bare, is_fined=act.kind is Kind.FINE and bool(verb))
    lead = re.match(r"(?:[^:\n]{0,12}:\s)?", whole[sentence.start : end])
    start = sentence.start + (lead.end() if lead else 0)
    stop = phrase(whole, start, end)
    between = re.sub(r"^,[^,]{0,70},(?=\s)", ",", skeleton[stop:end])
    if act.kind is Kind.FINE and stop > start and _PAYS.match(between):  # "Acme Basics pays £5,000 in penalties"
        return firm_like(scene, start, stop, is_led=False, is_bare=is_bare, is_fined=True)
    if (
        stop == start
        or len(between) > 90
        or STOP.search(re.sub(r"\b(?:as|than|was|were|is|are|has|have|had)\b|\([^)]*\)", "", between))
        or (between.strip(" ,")[:1] not in ("", "(", "w", "h", "m") and not between.startswith((",", " (")))
    ):
        return None
    return firm_like(scene, start, stop, is_led=False, is_bare=is_bare)


_PAYS = re.compile(r"\s(?:pays?|paid)\s[^a-z]*(?:(?:million|billion|thousand)\s)?in\s(?:[a-z]+\s){0,2}$")
_FOLLOWS_CAPITAL = re.compile(r"(?<!\w)[A-Z][\w.&'’-]*\s$")
_STARTS = re.compile(r"(?:^|(?<=[,;:] )|(?<=[a-z] ))(?=[^\s])")


def firm_like(
    scene: Scene, start: int, end: int, *, is_led: bool, is_bare: bool, is_fined: bool = False, is_quoted: bool = False
) -> Name | None:
    """A new name for the phrase, when something says firm.

    `is_led`: a noun before it does; `is_bare`: mostly firms stand there; `is_fined`: so surely that no person need be feared
    whose name is not known as one; `is_quoted`: it stands in quotation marks behind such a noun, whatever its words are.
    """
    reading = scene.reading
    surface = reading.whole[start:end]
    tokens = fold(surface).replace("’", "'").removeprefix("the ").split()
    if len(surface) < 2 or not tokens or len(tokens) > 12 or scene.firms(start, end):
        return None
    is_form = len(tokens) > 1 and (
        tokens[-1].rstrip(".") in _forms() or _SHORT_FORM.search(surface) is not None or tokens[0] in words("legal", "front")
    )
    if any(name.end < end or not is_form for name in scene.bodies(start, end)):  # "BRAbank ASA" is not the ASA's
        return None
    is_led = is_led or _is_described(scene, start, end)
    if not (is_form or is_quoted) and (_is_no_firm(scene, start, end, tokens) or (not is_led and is_person(tokens))):
        return None
    known = _known(scene, start, firm_key(surface))
    if not (
        known
        or is_form
        or is_led
        or _is_trade(tokens)
        or _is_coined(surface)
        or (is_bare and _is_bare_firm(scene, start, end, is_fined=is_fined))
    ):
        return None
    name = Name(start, end, end, firm_key(surface), name=surface, rule="place")
    known = known or next((weak for weak in reading.weak if (weak.start, weak.end) == (start, end)), None)
    if known:
        for field in ("key", "firm_id", "name", "via", "brand_id", "child_id", "strength"):
            setattr(name, field, getattr(known, field))
    scene.add(name)
    if (short := _INITIALS.match(reading.whole, end)) and all(
        letter.lower() in {word[0] for word in re.split(r"[\s'’-]", fold(surface)) if word} for letter in short[1]
    ):
        scene.repeat(name, short[1])
    return name


_INITIALS = re.compile(r"\s\(([A-Z]{3,8})\)")


_SHORT_FORM = re.compile(r"\s(?:S\.?p\.?A|Spa|SA|AS|AB|SE|NV|BV)\.?$")


def _known(scene: Scene, start: int, key: str) -> Name | None:
    """Another naming of the firm: the same key, or a longer name outside the register that begins with it."""
    others = [name for name in scene.reading.names if not name.regulators and name.start != start]
    same = next((name for name in others if name.key == key), None)
    return same or next((name for name in others if len(key) > 3 and not name.firm_id and name.key.startswith(key + " ")), None)


@cache
def _places() -> frozenset[str]:
    return lands() | vocabulary("persons", "places")


def _is_no_firm(scene: Scene, start: int, end: int, tokens: list[str]) -> bool:
    bodies, places = vocabulary("bodies", "words"), _places()
    bare = [token.strip(".,'") for token in tokens]
    wrong = vocabulary("legal", "not_firms").intersection(bare)
    return bool(
        bare[0].isdigit()
        or bare[-1].endswith(("-based", "-linked", "-owned", "-led", "-backed"))
        or (bare[0] in vocabulary("legal", "numbers") and bare[-1].endswith("s"))  # "Three Financial Institutions"
        or (wrong - vocabulary("legal", "also_in_firms") if _is_trade(tokens) or "bank" in bare else wrong)
        or (len(bare) > 1 and bare[-1] in vocabulary("legal", "descriptors") and all(token in places for token in bare[:-1]))
        or vocabulary("persons", "roles").intersection(bare)
        or (
            len(bare) == 1
            and bare[0] in vocabulary("legal", "descriptors")
            and (bare[0].endswith("s") or _is_first(scene, start) or _is_headline(_line(scene.reading.whole, start)))
        )
        or ("bank" not in bare and vocabulary("legal", "public").intersection(bare))
        or {" ".join(bare), bare[0]} & bodies
        or {" ".join(bare)} & (places | vocabulary("legal", "latin"))
        or all(token in places for token in bare)
        or all(token in vocabulary("legal", "latin") for token in tokens)
        or (bare[0] in places and bodies.intersection(bare) and " ".join(bare[-2:]) not in vocabulary("legal", "like_bodies"))
        or any(hit.start >= start and hit.end <= end for hit in scene.reading.hits)
    )


def _is_first(scene: Scene, start: int) -> bool:
    """Whether a sentence begins here, so that the capital says nothing."""
    return any(sentence.start == start for sentence in scene.reading.sentences)


def is_person(tokens: list[str]) -> bool:
    """A given name first, a title, or a surname at either end of two or three words; no word of a firm."""
    given, surnames = vocabulary("persons", "given"), vocabulary("persons", "surnames")
    if vocabulary("legal", "corporate").intersection(tokens) or "&" in tokens:
        return False
    return tokens[0] in words("persons", "titles") or (
        len(tokens) in (2, 3, 4) and (tokens[0] in given or bool({tokens[0], tokens[-1]} & surnames and len(tokens) < 4))
    )


def _is_trade(tokens: list[str]) -> bool:
    return (
        bool(vocabulary("legal", "corporate").intersection(tokens[1:]))
        or tokens[-1].rstrip(".") in vocabulary("legal", "latin")
        or (len(tokens) == 2 and tokens[1] in lands() and tokens[0] not in lands())  # "Vodafone Romania"
    )


def _is_described(scene: Scene, start: int, end: int) -> bool:
    """Whether a noun for firms stands in apposition, or brackets define a short name."""
    reading = scene.reading
    if _DEFINES.match(reading.whole, end) or _apposed().match(reading.folded, end):
        return True
    text, at = reading.folded[start:end], -1
    while (at := reading.folded.find(text, at + 1)) >= 0:
        if at and reading.folded[at - 1].isalnum():
            continue
        if " " in text and at != start and _does().match(reading.folded, at + end - start):
            return True
        if not reading.folded[at + end - start : at + end - start + 1].isalnum() and _describing().search(
            reading.folded, max(0, at - 24), at
        ):
            return True
    return False


@cache
def _kind_of_firm() -> re.Pattern[str]:
    nouns = "|".join(re.escape(word) for word in words("legal", "descriptors"))
    return re.compile(rf"\s(?:[a-z-]+\s){{0,3}}(?:{nouns})\s(?=\S)")


@cache
def _does() -> re.Pattern[str]:
    """What a text says of a firm where it names it again, and of no person: "Acme Stone operates ...", "Acme Stone and its officers"."""
    return re.compile(
        rf"(?:\s\([^()]*\))?(?:(?:,\s(?:which|whose)|\swhich)?\s(?:{alternation('phrases', 'firm_verbs')})\b|"
        rf"'s?\s(?:{alternation('phrases', 'firm_things')})\b|"
        r"(?:,?\sand)?\sits\b|[^.;,]{0,60}\sits\b)"
    )


@cache
def _describing_next() -> re.Pattern[str]:
    """What a member of a list is, before its name: "and trade body X"."""
    nouns = "|".join(re.escape(word) for word in (*words("legal", "descriptors"), "trade body", "subsidiary", "affiliate"))
    return re.compile(rf"(?:[a-z-]+\s){{0,2}}(?:{nouns})\s(?=[A-Z])")


_DEFINES = re.compile(r"\s*\((?:the )?[\"“'‘]|\s*\([A-Z]{2,8}\)")


@cache
def _apposed() -> re.Pattern[str]:
    nouns = "|".join(re.escape(word) for word in words("legal", "descriptors"))
    return re.compile(rf",\s(?:an?|the|one of|ein\w*|une?|una?|el|la|le)\s(?:[\w'-]+\s){{0,6}}?(?:{nouns})(?![a-z])")


@cache
def _describing() -> re.Pattern[str]:
    nouns = "|".join(re.escape(word) for word in words("legal", "descriptors"))
    return re.compile(rf"\b(?:{nouns})\s$")


def _is_bare_firm(scene: Scene, start: int, end: int, *, is_fined: bool) -> bool:
    """Where only firms stand: one word of a name's own spelling; several, when the text speaks of a firm and of no person."""
    whole = scene.reading.whole
    surface = whole[start:end]
    line = _line(whole, start)
    is_odd = surface[1:] != surface[1:].lower() and not line.isupper()
    if " " not in surface:
        return is_odd or (not _is_headline(line) and not line.isupper() and len(surface) > 2)
    is_loud = not line.isupper() and any(word.isupper() and len(word) > 2 for word in surface.split())
    is_spelt = is_loud or any(char in "&./+0123456789" for char in surface.rstrip("."))
    return not line.isupper() and (is_spelt or speaks_of_a_firm(scene) or (is_fined and not _is_headline(line)))


def _line(whole: str, at: int) -> str:
    end = whole.find("\n", at)
    return whole[whole.rfind("\n", 0, at) + 1 : end if end >= 0 else len(whole)]


def _is_coined(surface: str) -> bool:
    """One word with a capital inside, as firms like to write: "DeepSeek", not "McDonald"."""
    return bool(re.fullmatch(r"(?!Mc|Mac|De[A-Z]|O['’]|Di[A-Z]|Le[A-Z]|La[A-Z]|Van|Fitz)[A-Z]?[a-z]+[A-Z][\w]*[a-z]\w*", surface))


def _is_headline(line: str) -> bool:
    capitals = [word[:1].isupper() for word in re.findall(r"[A-Za-z]{4,}", line)]
    return len(capitals) > 3 and sum(capitals) / len(capitals) > 0.7


@cache
def _spoken_of() -> re.Pattern[str]:
    firms, abroad = ("|".join(map(re.escape, words("spoken_of", key))) for key in ("firms", "firms_abroad"))
    return re.compile(rf"\b(?:the|this|that) (?:[a-z]+ )?(?:{firms})(?:'s)?\b|\b(?:{abroad})\b")


def speaks_of_a_firm(scene: Scene) -> bool:
    """Whether the text goes on to speak of a firm, and of no single person."""
    folded = scene.reading.folded
    return bool(_spoken_of().search(folded)) and not pattern("spoken_of", "persons").search(folded, 0, 600)
