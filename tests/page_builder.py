"""Pages and answers built from a source's own selectors, with our words in them.

For each list page of the catalogue that nobody recorded: an element tree that its CSS selectors fit, or a JSON answer
that has its fields, so that a row that is well formed is shown to read what it says. It proves nothing about the
regulator's real page.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import urljoin

DAYS = (date(2021, 3, 18), date(2021, 2, 5), date(2020, 12, 31))
TITLES = ("Harbour & Sons fined £2m for late reports", "Lantern Bank warned", "约谈三家平台企业")
MONTHS_FR = {2: "février", 3: "mars", 12: "décembre"}
MONTHS_IT = {2: "febbraio", 3: "marzo", 12: "dicembre"}

# links of sources whose date stands in the link: what their patterns are written for
DATED_LINKS = {
    "cn-pboc-en": "/en/3688110/3688172/{0:%Y}/{0:%Y%m%d}093015123/index.html",
    "de-bkarta-press": "/SharedDocs/Meldung/EN/Pressemitteilungen/{0:%Y}/{0:%d_%m_%Y}_Harbour.html",
    "eu-council-press": "/en/press/press-releases/{0:%Y/%m/%d}/harbour-rules/",
    "hk-pcpd-media": "press_{0:%Y%m%d}.html",
    "it-agcm-press": "/media/comunicati-stampa/{0.year}/{0.month}/PS1234",
    "jp-meti-press": "/press/2020/12/{0:%Y%m%d}001/{0:%Y%m%d}001.html",
    "us-ny-dfs-press": "/reports_and_publications/press_releases/pr{0:%Y%m%d}1",
}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element] = field(default_factory=list)
    text: str = ""

    def below(self) -> Iterator[Element]:
        for child in self.children:
            yield child
            yield from child.below()

    def render(self) -> str:
        attributes = "".join(f' {name}="{html.escape(value)}"' for name, value in self.attributes.items())
        inner = html.escape(self.text) + "".join(child.render() for child in self.children)
        return f"<{self.tag}{attributes}>{inner}</{self.tag}>"


@dataclass
class Told:
    """What one item must come to: its words, the absolute link and the day, each None where the row has none."""

    title: str
    link: str | None
    day: date | None


# --- elements from selectors ---------------------------------------------------------------------------------------------

_COMPOUND = re.compile(r"\s*([>+])?\s*((?:[\w*-]+)?(?:[.#][\w-]+|\[[^\]]+\]|:[\w-]+(?:\((?:[^()]|\([^()]*\))*\))?)*)")
_WRAPPED = {"tr": ("table", "tbody"), "tbody": ("table",), "td": ("table", "tbody", "tr")}
_INSIDE = {"table": "tbody", "tbody": "tr", "tr": "td", "ul": "li"}
_ALLOWED = {"table": ("tbody", "tr"), "tbody": ("tr",), "tr": ("td", "th"), "ul": ("li",)}


def make(parent: Element, selector: str) -> Element:
    """The element that the first alternative of a selector names, below `parent`: one that is there, or a new one."""
    at = parent
    first = re.split(r",(?![^(]*\))", selector)[0].strip()
    while first:
        found = _COMPOUND.match(first)
        assert found, selector
        assert found[2], selector
        first = first[found.end() :].strip()
        at = _step(at, found[2], found[1] or "")
    return at


def _step(parent: Element, compound: str, combinator: str) -> Element:
    tag, attributes, nth, has = _read(compound)
    pool = parent.children if combinator == ">" or nth else list(parent.below())
    if nth:
        same = [child for child in _rows_of(parent, tag) if child.tag == tag]
        while len(same) < nth:
            same.append(Element(tag))
            _home(parent, tag).children.append(same[-1])
        made = same[nth - 1]
    else:
        made = next((one for one in pool if _fits(one, tag, attributes)), None) or _new(parent, tag or "div", combinator)
    for name, value in attributes.items():
        if name == "class":
            made.attributes["class"] = " ".join(dict.fromkeys([*made.attributes.get("class", "").split(), *value.split()]))
        else:
            made.attributes.setdefault(name, value)
    for inner in has:
        make(made, inner.removeprefix(">").strip())
    return made


def _read(compound: str) -> tuple[str, dict[str, str], int, list[str]]:
    tag = re.match(r"[\w-]*", compound)
    attributes: dict[str, str] = {}
    classes = re.findall(r"\.([\w-]+)", re.sub(r"\[[^\]]*\]|\(.*\)", "", compound))
    if classes:
        attributes["class"] = " ".join(classes)
    for name in re.findall(r"#([\w-]+)", re.sub(r"\[[^\]]*\]|\(.*\)", "", compound)):
        attributes["id"] = name
    outside = re.sub(r":has\(.*\)", "", compound)
    for name, operator, value in re.findall(r"\[([\w-]+)(?:([*^$~|]?)=['\"]?([^'\"\]]*)['\"]?)?\]", outside):
        attributes[name] = f"/x/{value}" if operator == "*" and name == "href" and not value.startswith("/") else value
    nth = re.search(r":nth-of-type\((\d+)\)", outside)
    return tag[0] if tag else "", attributes, int(nth[1]) if nth else 0, re.findall(r":has\((.*)\)", compound)


def _fits(one: Element, tag: str, attributes: Mapping[str, str]) -> bool:
    """Whether it is the element, or becomes it when an attribute is added that it lacks."""
    if (tag and one.tag != tag) or (not tag and not attributes):
        return False
    wanted = {*attributes.get("class", "").split()}
    if not wanted <= {*one.attributes.get("class", "").split()} or attributes.get("id", "") not in ("", one.attributes.get("id")):
        return False
    if any(value and one.attributes.get(name, value) != value for name, value in attributes.items() if name != "class"):
        return False
    return bool(tag) or bool(wanted)


def _home(parent: Element, tag: str) -> Element:
    """Where a table's or list's part must go for the parser to leave it there."""
    if tag == "td" and parent.tag in ("table", "tbody"):
        return _new(parent, "tr", "")
    return parent


def _rows_of(parent: Element, tag: str) -> list[Element]:
    return [child for child in parent.children if child.tag == tag]


def _new(parent: Element, tag: str, combinator: str) -> Element:
    above = parent
    if combinator != ">":
        for wrapper in _WRAPPED.get(tag, ()):
            if above.tag in ("table", "tbody", "tr") and wrapper not in _ALLOWED[above.tag]:
                continue
            above = next((child for child in above.children if child.tag == wrapper), None) or _add(above, wrapper)
        if tag == "li" and above.tag not in ("ul", "ol"):
            above = next((child for child in above.children if child.tag == "ul"), None) or _add(above, "ul")
        while above.tag in _ALLOWED and tag not in _ALLOWED[above.tag]:
            above = _add(above, _INSIDE[above.tag])
    return _add(above, tag)


def _add(parent: Element, tag: str) -> Element:
    parent.children.append(Element(tag))
    return parent.children[-1]


# --- pages -----------------------------------------------------------------------------------------------------------------


def shown(day: date, date_format: str, language: str) -> str:
    """A day as the source's format prints it."""
    first = date_format.split("|")[0].removeprefix("text:")
    if first == "wareki":
        return f"令和{day.year - 2018}年{day.month}月{day.day}日"
    if first == "roc":
        return f"{day.year - 1911}-{day.month:02}-{day.day:02}"
    if first == "epoch-seconds":
        # noon in London is the same day everywhere that these sources are
        return str((day - date(1970, 1, 1)).days * 86_400 + 43_200)
    if first == "iso":
        return day.isoformat()
    if first:
        return day.strftime(first)
    months = {"fr": MONTHS_FR, "it": MONTHS_IT}.get(language)
    return f"{day.day} {months[day.month]} {day.year}" if months else day.strftime("%d %B %Y")


def list_page(row: Mapping[str, str], days: tuple[date, ...] = DAYS) -> tuple[str, list[Told]]:
    """An HTML page of three items that fits the row's selectors, and what they must come to."""
    root = Element("body")
    told = []
    *above, last = _split(row["item_selector"])
    home = make(root, " ".join(above)) if above else root
    if sibling := re.search(r"([\w-]+)\s*\+", row["item_selector"]):
        parent = next(one for one in (root, *root.below()) if home in one.children)
        parent.children.insert(parent.children.index(home), Element(sibling[1]))
    for title, day in zip(TITLES, days, strict=True):
        item = _step_new(home, last)
        told.append(_fill(item, row, title, day))
    page = f"<!DOCTYPE html><html><head><title>News</title></head>{root.render()}</html>"
    return page, told


def _split(selector: str) -> list[str]:
    """The compounds of the first alternative; a sibling's predecessor is left out."""
    first = re.split(r",(?![^(]*\))", selector)[0].strip()
    first = re.sub(r"[\w.#-]+\s*\+\s*", "", first)
    parts, depth, word = [], 0, ""
    for char in first:
        depth += (char in "([" and 1) or 0
        depth -= (char in ")]" and 1) or 0
        if char == " " and depth == 0 and word and not word.endswith(">"):
            parts.append(word)
            word = ""
        elif not (char == " " and depth == 0):
            word += char
    parts.append(word)
    return [part for part in parts if part]


def _step_new(home: Element, compound: str) -> Element:
    tag, attributes, _, has = _read(compound.lstrip(">"))
    item = _new(home, tag or "div", ">" if compound.startswith(">") else "")
    item.attributes.update(attributes)
    for inner in has:
        make(item, inner.removeprefix(">").strip())
    return item


def _fill(item: Element, row: Mapping[str, str], title: str, day: date) -> Told:
    printed = shown(day, row["date_format"], row["language"])
    date_cell, title_cell, link_cell = row["date_selector"], row["title_selector"], row["link_selector"]
    known: date | None = day
    if date_cell.startswith("text:"):
        where = _add(item, "td") if item.tag == "tr" else _add(item, "span")
        where.text = f"（{printed}）" if "[（(]" in date_cell else printed
    elif not date_cell or date_cell.startswith(("detail:", "url:")):
        known = (day if "%d" in row["date_format"] else day.replace(day=1)) if date_cell.startswith("url:") else None
    else:
        node = make(item, date_cell)
        node.text = printed
        if "datetime" in node.attributes:
            node.attributes["datetime"] = f"{day.isoformat()}T12:00:00Z"
            node.text = day.strftime("%B %d, %Y") if "iso" in row["date_format"] or not row["date_format"] else printed
    anchor: Element | None = item
    if link_cell != "self" or item.tag != "a":
        anchor = make(item, link_cell if link_cell not in ("", "self") else "a[href]") if link_cell or title_cell else None
    titled = anchor if title_cell == "" or title_cell.startswith("detail:") else item if title_cell == "self" else make(item, title_cell)
    href = None
    if anchor is not None:
        href = DATED_LINKS[row["source_id"]].format(day) if date_cell.startswith("url:") else anchor.attributes.get("href") or "/news"
        href += "" if date_cell.startswith("url:") else f"/{day:%Y-%m}-item.html"
        anchor.attributes["href"] = href
    (titled or make(item, "td")).text = title
    if titled is not None and "title" in titled.attributes:
        titled.attributes["title"] = title
    return Told(title, urljoin(row["url"], href) if href else None, known)


def json_answer(row: Mapping[str, str], days: tuple[date, ...] = DAYS) -> tuple[str, list[Told]]:
    """A JSON answer of three items that has the row's fields, or holds HTML that fits its selectors."""
    if row["item_selector"]:
        page, told = list_page(row, days)
        return json.dumps(_nested(row["list_path"], page)), told
    items, told = [], []
    for number, (title, day) in enumerate(zip(TITLES, days, strict=True)):
        item: dict[str, object] = {}
        if row["title_selector"].startswith("template:"):
            names = re.findall(r"\{([^{}]+)\}", row["title_selector"])
            for name in names:
                _put(item, name, f"{name} {number}")
            title = re.sub(r"\{([^{}]+)\}", lambda found, n=number: f"{found[1]} {n}", row["title_selector"].removeprefix("template:"))  # type: ignore[misc]
        else:
            _put(item, row["title_selector"], f"<b>{html.escape(title)}</b>")
        link = _link_of(item, row, number)
        _put(item, row["date_selector"], shown(day, row["date_format"], row["language"]))
        if row["body_selector"].startswith("field:"):
            _put(item, row["body_selector"].removeprefix("field:"), "<p>The text of it.</p>")
        for name in re.findall(r"\{([^{}]+)\}", row["body_selector"]):
            item.setdefault(name, f"id-{number}")
        items.append(item)
        told.append(Told(title, link, day))
    return json.dumps(_nested(row["list_path"], items)), told


def _link_of(item: dict[str, object], row: Mapping[str, str], number: int) -> str | None:
    cell = row["link_selector"]
    if not cell:
        return None
    if not cell.startswith("template:"):
        _put(item, cell, f"/news/item-{number}.html")
        return urljoin(row["url"], f"/news/item-{number}.html")
    for name in re.findall(r"\{([^{}]+)\}", cell):
        item[name] = f"www.body.example/id-{number}" if cell == f"template:https://{{{name}}}" else f"id-{number}"
    return re.sub(r"\{([^{}]+)\}", lambda found: str(item[found[1]]), cell.removeprefix("template:"))


def _put(item: dict[str, object], path: str, value: object) -> None:
    *steps, last = path.split(".")
    for step in steps:
        item = item.setdefault(step, {})  # type: ignore[assignment]
    item[last] = value


def _nested(path: str, value: object) -> object:
    for step in reversed(path.split(".") if path != "." else []):
        value = [value] if step == "0" else {step: value}
    return value


def renamed(document: str, row: Mapping[str, str]) -> str:
    """The same document after a redesign: what names its items is called otherwise."""
    if row["kind"] == "json" and not row["item_selector"]:
        names = [row["list_path"].rpartition(".")[2]] if row["list_path"] not in (".", "0.data") else []
        cells = names or re.findall(
            r"[\w.]+", re.sub(r"template:|https?:\S*?(?=\{)|[{}()]", " ", f"{row['title_selector']} {row['link_selector']}")
        )
        for name in {cell.rpartition(".")[2] for cell in cells}:
            document = document.replace(f'"{name}"', f'"new_{name}"')
        return document
    compound = _split(row["item_selector"])[-1]
    marks = re.findall(r"[.#]([\w-]+)|\*?='?\"?([^'\"\]]+)", row["item_selector"])
    for mark in {one or two for one, two in marks}:
        document = document.replace(mark, "redesigned")
    if not marks or re.fullmatch(r">?(?:li|tr|ul|h3)", compound):
        document = re.sub(r"<(/?)(?:ul|li|tr|td|tbody|table|h3)\b", r"<\1div", document)
    return document
