"""The contract, part two: accounts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.trading.contract.arena import Arena, absent
from trading.platforms.base import Platform, Right
from trading.platforms.errors import FinalError, LoginTaken, OutcomeUnknown

ODD = "Zoë | Müller = \\ 🙂"
BOTH = {Right.SIGN_IN, Right.TRADE}


def test_an_account_is_made_once_however_often_it_is_asked_for(arena: Arena, platform: Platform) -> None:
    wanted = arena.wanted()
    if absent(platform.capabilities.creates_accounts, lambda: platform.create_account(wanted)):
        return
    made = platform.create_account(wanted)
    assert made.login and (not wanted.login or made.login == wanted.login)
    assert (arena.truth(made.login)["group"], made.group) == ("real\\standard-EUR", arena.group("real\\standard-EUR"))
    if platform.capabilities.finds_accounts:
        again = platform.create_account(replace(wanted, may_exist=True, main_password="Zyxwvu9?"))
        assert again.login == made.login
        if platform.capabilities.checks_passwords:  # what is told to the client is the last one
            assert platform.check_password(made.login, "Zyxwvu9?")
    if platform.capabilities.own_logins:
        with pytest.raises(LoginTaken):
            platform.create_account(replace(wanted, reference="keelson-somebody-else"))
    else:
        other = arena.made(platform)
        assert other.login != made.login


def test_a_lost_answer_leaves_one_account_that_is_found_or_left_to_a_person(arena: Arena, platform: Platform) -> None:
    before, wanted = arena.process.state()["users"], arena.wanted()
    arena.fault("drop_after", "create")
    with pytest.raises(OutcomeUnknown):
        platform.create_account(wanted)
    if platform.capabilities.finds_accounts:
        found = platform.create_account(replace(wanted, may_exist=True))
        assert found.name and arena.truth(found.login)["group"] == "real\\standard-EUR"
    assert arena.process.state()["users"] == before + 1


def test_a_group_that_is_not_there_makes_no_account(arena: Arena, platform: Platform) -> None:
    before = arena.process.state()["users"]
    with pytest.raises(FinalError):
        platform.create_account(arena.wanted(group="no-such-group"))
    assert arena.process.state()["users"] == before


def test_odd_characters_in_a_name_come_through(arena: Arena, platform: Platform) -> None:
    made = arena.made(platform, name=ODD)
    assert made.name == arena.kept_name(ODD)
    found = platform.read_account(made.login)
    assert found is not None and found.name == made.name


def test_an_account_is_read_with_whose_it_is(arena: Arena, platform: Platform) -> None:
    login = arena.account(money="250.00", email="anna@traders.example", name="Anna Reader")
    assert platform.read_account("123") is None
    found = platform.read_account(login)
    assert found is not None
    assert (found.login, found.name, found.email) == (login, "Anna Reader", "anna@traders.example")
    assert (found.balance, found.credit) == (250, 0)
    if platform.capabilities.changes_group:
        assert found.group == arena.group("real\\standard-EUR")
    if platform.capabilities.rights:
        assert found.allowed >= BOTH & platform.capabilities.rights


def test_accounts_are_listed_and_read_many_at_once(arena: Arena, platform: Platform) -> None:
    logins = [arena.account("real\\vip-GBP") for _number in range(6)]
    mask = arena.group("real\\vip-GBP")
    if not absent(platform.capabilities.lists_accounts, lambda: platform.logins(mask)):
        assert set(logins) <= set(platform.logins(mask))
        assert not set(logins) & set(platform.logins(arena.group("real\\pro-EUR")))
    before = arena.asked_in_all()
    assert {one.login for one in platform.read_accounts([*logins, "123"])} == set(logins)
    if platform.capabilities.reads_many_accounts:
        assert arena.asked_in_all() - before <= 3
    assert platform.read_accounts([]) == []


def test_group_and_leverage_are_changed(arena: Arena, platform: Platform) -> None:
    login, other = arena.account(), arena.group("real\\pro-EUR")
    can = platform.capabilities
    if not absent(can.changes_group, lambda: platform.update_account(login, group=other)):
        assert platform.update_account(login, group=other).group == other
        assert arena.truth(login)["group"] == "real\\pro-EUR"
        with pytest.raises(FinalError):
            platform.update_account(login, group="no-such-group")
    if not absent(can.changes_leverage, lambda: platform.update_account(login, leverage=20)):
        assert platform.update_account(login, leverage=20).leverage == arena.truth(login)["leverage"] == 20
    if can.changes_group and can.changes_leverage:
        assert platform.update_account(login, leverage=25).group == other  # what is not named stays


def test_an_account_is_disabled_and_enabled_again(arena: Arena, platform: Platform) -> None:
    login = arena.account(money="5000.00")
    can = platform.capabilities
    if absent(bool(can.rights), lambda: platform.disable_account(login)):
        assert absent(False, lambda: platform.update_account(login, rights={Right.TRADE: False}))
        return
    assert not platform.disable_account(login).allowed & BOTH & can.rights
    refused = arena.process.http.post("/control/trade", json={"login": int(login), "symbol": "EURUSD", "lots": "0.1"})
    assert refused.status_code == 409
    back = platform.update_account(login, rights=dict.fromkeys(BOTH & can.rights, True))
    assert back.allowed >= BOTH & can.rights
    arena.trade(login)
    if Right.TRADE in can.rights:
        stopped = platform.update_account(login, rights={Right.TRADE: False}).allowed
        assert Right.TRADE not in stopped and (Right.SIGN_IN in stopped or Right.SIGN_IN not in can.rights)


def test_passwords_are_set_and_checked(arena: Arena, platform: Platform) -> None:
    login, can = arena.account(), platform.capabilities
    is_able = not absent(can.sets_passwords, lambda: platform.change_password(login, "Main-pw-1!"))
    if is_able:
        platform.change_password(login, "Main-pw-1!")
    if not absent(can.checks_passwords, lambda: platform.check_password(login, "Main-pw-1!")) and is_able:
        assert platform.check_password(login, "Main-pw-1!") and not platform.check_password(login, "Other-pw-1!")


def test_an_archived_account_vanishes_and_comes_back(arena: Arena, platform: Platform) -> None:
    login, other = arena.account(), arena.account()
    arena.process.post("archive", login=int(login))
    assert platform.read_account(login) is None
    assert [one.login for one in platform.read_accounts([login, other])] == [other]
    assert [one.login for one in platform.account_money([login, other])] == [other]
    assert platform.is_archived(login) in (True, False) and not platform.is_archived(other)
    arena.process.post("restore", login=int(login))
    found = platform.read_account(login)
    assert found is not None and found.login == login
