"""Japanese and Korean: the particle behind a name says whom an act hits."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.reading import read, targets


@pytest.mark.parametrize(
    ("text", "kind", "found"),
    [
        pytest.param("金融庁は、株式会社山城銀行に対し、業務改善命令を発出した。", "rectification", {"株式会社山城銀行"}, id="に対し"),
        pytest.param("株式会社トキワ証券に対する行政処分について", "rectification", {"株式会社トキワ証券"}, id="に対する, a title"),
        pytest.param("公正取引委員会はアマゾンジャパンへの立入検査を実施した。", "investigation", {"アマゾンジャパン"}, id="への"),
        pytest.param("公取委、グーグルに排除措置命令", "rectification", {"グーグル"}, id="に, a headline"),
        pytest.param("トキワ証券は金融庁から業務停止命令を受けた。", "suspension", {"トキワ証券"}, id="は with a passive"),
        pytest.param("警視庁は、株式会社トキワを書類送検した。", "lawsuit", {"株式会社トキワ"}, id="を"),
        pytest.param("トキワ自動車は、約3万台のリコールを届け出た。", "recall", {"トキワ自動車"}, id="a recall of its own"),
        pytest.param("金融庁、みどり生命保険に課徴金2億円", "fine", {"みどり生命保険"}, id="hiragana in a name"),
        pytest.param(
            "消費者庁は株式会社みどり食品に対し措置命令を行った。", "rectification", {"株式会社みどり食品"}, id="hiragana behind the form"
        ),
        pytest.param(
            "公正取引委員会は、ソニックス株式会社及び株式会社トキワ商会に対し、課徴金納付命令を行った。",
            "fine",
            {"ソニックス株式会社", "株式会社トキワ商会"},
            id="a list, the form on both sides",
        ),
        pytest.param("総務省はVarnaに行政指導を行った。", "talks", {"Varna"}, id="Latin letters"),
        pytest.param("公正取引委員会は、㈱トキワら3社に警告した。", "warning", {"㈱トキワ"}, id="ら3社"),
        pytest.param("공정거래위원회는 ㈜한빛전자에 과징금을 부과했다.", "fine", {"㈜한빛전자"}, id="에"),
        pytest.param("공정위, 한빛전자·새벽마트에 시정명령", "rectification", {"한빛전자", "새벽마트"}, id="a list with a middle point"),
        pytest.param("개인정보보호위원회는 (주)다온쇼핑에 대해 과태료를 부과했다.", "fine", {"(주)다온쇼핑"}, id="에 대해"),
        pytest.param("한빛증권은 금감원으로부터 기관경고를 받았다.", "warning", {"한빛증권"}, id="은 with a passive"),
        pytest.param("공정위는 다온그룹을 검찰 고발하기로 했다.", "lawsuit", {"다온그룹"}, id="을"),
        pytest.param("한빛자동차, 3만대 리콜", "recall", {"한빛자동차"}, id="a recall, a headline"),
        pytest.param("공정위가 새벽홈쇼핑을 현장조사했다.", "investigation", {"새벽홈쇼핑"}, id="an inspection"),
        pytest.param("검찰, 한빛제약 압수수색", "investigation", {"한빛제약"}, id="no particle in a headline"),
        pytest.param("새벽은행, 과징금 5억원", "fine", {"새벽은행"}, id="no body in a headline"),
        pytest.param("식약처는 다온식품에 회수명령을 내렸다.", "recall", {"다온식품"}, id="a recall that is ordered"),
        pytest.param(
            "금융위는 새벽저축은행의 인가취소를 의결하고 새벽저축은행에 영업정지를 명령했다.",
            "suspension",
            {"새벽저축은행"},
            id="two words",
        ),
        pytest.param("다온 주식회사가 과태료 처분을 받았다.", "fine", {"다온 주식회사"}, id="the form behind the name"),
    ],
)
def test_acts(text: str, kind: str, found: set[str]) -> None:
    reading = read(text)
    assert kind in [action.kind.value for action in reading.actions if action.targets]
    assert targets(reading) == found


@pytest.mark.parametrize(
    "text",
    [
        "金融庁は業務改善命令の発出を検討している。",
        "公正取引委員会は、株式会社山城商事に対する排除措置命令を行わないこととした。",
        "総務省は行政指導の制度を見直す。",
        "グーグルは業務改善命令について説明した。",
        "トキワ銀行が調査を行った。",
        "サービスに課徴金を科す。",
        "消費者庁は東京都に対し措置命令の説明をした。山城銀行に話を聞いた。",
        "공정위는 과징금 제도를 개선한다.",
        "공정위, 다온화학에 과징금 부과 검토",
        "새벽카드는 과징금을 면했다.",
        "한빛전자가 시장을 조사했다.",
        "공정위는 과징금을 부과했다.",
        "서울시청은 과징금을 부과받았다.",
    ],
)
def test_no_act_against_a_firm(text: str) -> None:
    assert targets(read(text)) == set()


@pytest.mark.parametrize(
    ("text", "amount", "currency", "decided", "regulator"),
    [
        ("公正取引委員会は令和5年3月18日、山城商事に課徴金8億6,000万円を命じた。", 860_000_000, "JPY", "2023-03-18", "jp-jftc"),
        ("금융위원회는 2024년 5월 3일 새벽은행에 과징금 5억 3000만원을 부과했다.", 530_000_000, "KRW", "2024-05-03", "kr-fsc"),
        ("공정위는 5월 3일 새벽마트에 과징금 1조 2,000억 원을 부과했다.", 1_200_000_000_000, "KRW", "2024-05-03", "kr-ftc"),
        ("공정위는 새벽마트에 과태료 1천만원을 부과했다.", 10_000_000, "KRW", "None", "kr-ftc"),
    ],
)
def test_sums_dates_and_who(text: str, amount: int, currency: str, decided: str, regulator: str) -> None:
    (action,) = read(text).actions
    assert [(one.maximum, one.currency) for one in action.amounts] == [(Decimal(amount), currency)]
    assert str(action.decided_on) == decided
    assert [one.regulator_id for one in action.regulators] == [regulator]


def test_stated_counts() -> None:
    assert read("公正取引委員会は山城商事ら3社に警告した。").actions[0].stated_count == 3
    assert read("공정위는 한빛전자 등 5개 업체에 과징금을 부과했다.").actions[0].stated_count == 5
