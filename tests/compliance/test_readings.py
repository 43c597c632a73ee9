"""Names in Han characters, Kana and Hangul, as Korea, Japan and China read them, found by romanised ones and the reverse."""

import pytest

from compliance import screening
from compliance.lists.keying import keys_of
from compliance.matching.east_asian import japanese
from compliance.matching.score import Person, compare_names
from tests.compliance.factories import load

SAME = [
    ("金正恩", "Kim Jong Un"),
    ("金正恩", "김정은"),
    ("金铁三", "KIM CHOL SAM"),  # simplified, as a Chinese passport has it
    ("李洙墉", "Ri Su-yong"),
    ("李在明", "Lee Jae-myung"),  # as people write their own names
    ("盧武鉉", "Roh Moo-hyun"),
    ("朴槿惠", "Geun-hye PARK"),
    ("崔龍海", "최룡해"),
    ("렴영", "RYOM Yong"),
    ("박광훈", "BAK Gwang Hun"),
    ("정경택", "CHO’NG Kyo’ng-t’aek"),
    ("安倍晋三", "Abe Shinzo"),
    ("安倍 晋三", "あべ しんぞう"),
    ("小泉純一郎", "Junichiro KOIZUMI"),
    ("髙山清司", "Takayama Kiyosi"),
    ("大野智", "Satoshi Ohno"),
    ("タナカ イチロウ", "Ichiro Tanaka"),
    ("篠田建市", "Shinoda Kenichi"),  # a given name that no table has
    ("小渕恵三", "Obuchi Keizo"),  # a family that none has, with a voiced sound
    ("習近平", "Xi Jinping"),
]
OTHER = [
    ("金正恩", "金正銀"),  # read alike, written otherwise
    ("金正恩", "Kim Jong Nam"),
    ("金正恩", "김정남"),
    ("阎荣", "RYOM Yong"),  # two characters that many names share
    ("王小明", "Wang Song"),
    ("安倍晋三", "Abe Shintaro"),
    ("安倍晋三", "あべ しんたろう"),
    ("田中一郎", "Tanaka Maria"),
    ("田中", "Tanaka Ichiro"),
    ("小渕恵三", "Obuchi Ichiro"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_read_alike_in_another_script(one, other):
    assert min(compare_names(one, other).name_score, compare_names(other, one).name_score) >= 0.8
    for asked, listed in ((one, other), (other, one)):
        assert set(keys_of(asked)[1]) & set(keys_of(listed, is_listed=True)[1]), "no key leads to it"


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_another_name(one, other):
    assert max(compare_names(one, other).name_score, compare_names(other, one).name_score) < 0.8


def test_what_was_read_is_said_with_the_match():
    found = compare_names("金正恩", "Kim Jong Un")
    assert found.notes == ["read_korean"] and found.pairs == [
        {"client": "金正恩", "listed": "Kim Jong Un", "likeness": 0.9, "how": "reading"}
    ]
    assert compare_names("安倍晋三", "Abe Shinzo").notes == ["read_japanese"]
    assert japanese("毛") == japanese("東京都千代田区丸の内") == frozenset() and japanese("Maria") == frozenset()


@pytest.mark.django_db
def test_an_entry_in_one_script_alone_is_found_in_the_other(tmp_path):
    listed = ["김영철", "安倍晋三", "弗拉基米尔·普京", "Ri Yong Gil", "Takayama Kiyoshi", "Angela Merkel"]
    load(tmp_path, *({"first": name} for name in listed))
    asked = {
        "Kim Young-chul": "김영철",
        "Shinzo Abe": "安倍晋三",
        "Vladimir Putin": "弗拉基米尔·普京",
        "李永吉": "Ri Yong Gil",
        "髙山清司": "Takayama Kiyoshi",
        "アンゲラ・メルケル": "Angela Merkel",
        "Kim Sun-hee": None,
        "田中花子": None,
    }
    for name, expected in asked.items():
        found, _compared = screening.matches(Person((name,)), threshold=0.8)
        assert [entry.primary_name for entry, _explained in found] == ([expected] if expected else []), name
