"""The report this project was conceived from, in English and in both scripts of Chinese: five acts, the right firms."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.models import AmountKind, Kind, Precision, Role
from storage.records import Extraction, FoundAction
from tests.reading import read, targets

SIMPLIFIED = """中国有关部门昨日表示，已约谈腾讯、阿里巴巴、字节跳动等11家科技企业，谈话内容为“深度伪造”与网络安全。
国家网信办称，约谈涉及尚未完成安全评估的语音软件。
近几个月中国对科技企业持续收紧，上周有12家企业因涉嫌违反反垄断规定被罚款。
去年监管部门叫停了阿里巴巴旗下金融科技公司蚂蚁集团创纪录的340亿美元首次公开募股。
其创始人马云被约见，随后监管部门对阿里巴巴展开反垄断调查。
网信办表示，此次约谈还涉及小米、快手和网易云音乐等公司。
2019年，中国出台规定，禁止平台利用人工智能制作虚假新闻。
在此之前不久，中国封锁了美国语音应用Clubhouse。
国家主席习近平星期一就平台企业的风险发出警告。"""
TRADITIONAL = """中國有關部門昨日表示，已約談騰訊、阿里巴巴、字節跳動等11家科技公司，談話內容為「深偽」與網路安全。
國家網信辦指出，約談涉及尚未完成安全評估的語音軟體。
近幾個月中國對科技業者持續收緊，上週有12家業者因涉嫌違反反壟斷規定遭罰款。
去年監管機關喊停了阿里巴巴旗下金融科技公司螞蟻集團創紀錄的340億美元首次公開募股。
其創辦人馬雲遭約見，隨後監管機關對阿里巴巴展開反壟斷調查。
網信辦表示，這次約談還包括小米、快手和網易雲音樂等公司。
2019年，中國發布規定，禁止平台以人工智慧製作假新聞。
在此之前不久，中國封鎖了美國語音應用Clubhouse。
國家主席習近平星期一就平台企業的風險提出警告。"""
ENGLISH = """Chinese officials said yesterday that they had summoned 11 internet companies, including Tencent Holdings Ltd (騰訊), \
Alibaba Group Holding Ltd (阿里巴巴) and TikTok owner ByteDance Ltd (字節跳動), to discuss forged videos.
The Cyberspace Administration of China said the talks were about voice software that has passed no security review.
A week ago 12 companies were hit with fines under monopoly law.
Last year regulators halted a US$34 billion public offering by Alibaba fintech affiliate Ant Group Co (螞蟻集團).
They called in its founder, Jack Ma (馬雲), and then opened a probe into methods used by Alibaba.
The latest summoning also involves companies such as handset maker Xiaomi Corp (小米), \
TikTok rival Kuaishou Technology (快手) and NetEase Cloud Music (網易雲音樂), the agency said.
In 2019, China issued rules against made-up news.
Shortly before, China blocked the US audio app Clubhouse.
President Xi Jinping (習近平) on Monday warned about risks of platform companies."""
SUMMONED = {"tencent", "alibaba", "bytedance", "xiaomi", "kuaishou", "netease-cloud-music"}


def one(reading: Extraction, kind: Kind) -> FoundAction:
    (action,) = [action for action in reading.actions if action.kind is kind]
    return action


def check(reading: Extraction) -> None:
    kinds = [action.kind for action in reading.actions]
    assert set(kinds) - {Kind.RULE} == {Kind.TALKS, Kind.FINE, Kind.SUSPENSION, Kind.INVESTIGATION, Kind.BAN}
    assert len(kinds) == len(set(kinds))
    talks = one(reading, Kind.TALKS)
    assert {firm.firm_id for firm in talks.targets} == SUMMONED
    assert len(talks.targets) == len(SUMMONED)
    assert (talks.stated_count, str(talks.decided_on), talks.is_decided_inferred) == (11, "2021-03-18", True)
    assert [regulator.regulator_id for regulator in talks.regulators] == ["cn-cac"]
    fine = one(reading, Kind.FINE)
    assert (fine.stated_count, fine.targets, fine.amounts) == (12, (), ())
    halted = one(reading, Kind.SUSPENSION)
    assert [firm.firm_id for firm in halted.targets] == ["ant-group"]
    assert halted.targets[0].via is None
    assert [(firm.firm_id, firm.via, firm.surface) for firm in halted.firms if firm.role is Role.GROUP] == [
        ("alibaba", "Ant Group, affiliate of Alibaba", halted.targets[0].surface)
    ]
    assert [(amount.kind, int(amount.maximum), amount.currency) for amount in halted.amounts] == [
        (AmountKind.DEAL_VALUE, 34_000_000_000, "USD")
    ]
    assert halted.decided_on is not None
    assert (halted.decided_on.value.year, halted.decided_on.precision, halted.is_decided_inferred) == (2020, Precision.YEAR, True)
    assert {firm.firm_id for firm in one(reading, Kind.INVESTIGATION).targets} == {"alibaba"}
    assert [firm.surface for firm in one(reading, Kind.BAN).targets] == ["Clubhouse"]
    assert all(not action.firms for action in reading.actions if action.kind is Kind.RULE)
    assert not any(word in firm.surface for firm in reading.mentions for word in ("Ma", "Xi Jinping", "马云", "馬雲", "习近平", "習近平"))
    assert all(amount.kind is AmountKind.DEAL_VALUE for action in reading.actions for amount in action.amounts)


@pytest.mark.parametrize(
    "text", [pytest.param(ENGLISH, id="English"), pytest.param(SIMPLIFIED, id="Simplified"), pytest.param(TRADITIONAL, id="Traditional")]
)
def test_our_own_telling(text: str) -> None:
    check(read(text, on="2021-03-19"))


def test_the_article_itself(shared: Path) -> None:
    text = (shared / "seed" / "taipei_times_2021-03-19.txt").read_text("utf-8")
    check(read(text[text.index("Chinese authorities") :], on="2021-03-19", language="en"))
    assert targets(read(text, on="2021-03-19")) >= SUMMONED
