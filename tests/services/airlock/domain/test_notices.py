"""Notices reach a mailbox once, say nothing, and survive a server that can't take them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from hub_config.airlock.actions import drafting
from hub_config.airlock.notices.letters import WORDINGS, Letter, compose, path_of
from hub_config.airlock.notices.sending import Delivery, Mailer, address_of, mailer, send_due
from hub_config.governance.notices import outbox
from hub_config.governance.notices.models import Notice, NoticeKind
from hub_config.keys import UnsafeKey
from hub_config.sections import MailSettings
from hub_config.settings import BadSettings, Settings, load_settings
from tests.services.airlock.domain.house import INES, MONDAY, WORDS, House
from tests.services.airlock.domain.postbox import Catcher, listening, mail_settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """On SQLite: `test_life` and `test_at_once` see to both databases."""
    return Settings(home=tmp_path / "home")


@pytest.fixture
def catcher() -> Iterator[tuple[Catcher, int]]:
    with listening() as server:
        yield server


@pytest.fixture
def posting(house: House, catcher: tuple[Catcher, int]) -> House:
    mail = mail_settings(catcher[1])
    house.settings = house.settings.model_copy(update={"mail": mail})
    return house


def send(house: House) -> dict[str, int]:
    post = mailer(house.settings, {})
    assert post is not None
    done = send_due(house.store, house.settings, post.send, house.now)
    return {delivery.value: count for delivery, count in done.items() if count}


def test_each_notice_is_mailed_once_and_says_nothing(posting: House, catcher: tuple[Catcher, int]) -> None:
    request = posting.submitted()
    assert send(posting) == {"sent": 2}
    assert send(posting) == {}
    assert sorted(mail["To"] for mail in catcher[0].mails) == sorted(
        f"{name}@univ.example" for name in posting.facts(request).assigned
    )
    for mail in catcher[0].mails:
        text = mail.as_string() + mail.get_content()
        assert f"/relecture/{request}" in mail.get_content()
        told = (WORDS.title, WORDS.purpose, WORDS.context, "these-ines", "ines", "Inès", "tableau1")
        assert not any(word in text for word in told)


def test_a_server_that_can_not_now_is_tried_again(posting: House, catcher: tuple[Catcher, int]) -> None:
    posting.submitted()
    catcher[0].answer = "451 later"
    assert send(posting) == {"later": 2}
    assert send(posting) == {}
    catcher[0].answer = "250 OK"
    posting.later(minutes=1)
    assert send(posting) == {"sent": 2}
    assert len(catcher[0].letters) == 2


def test_a_server_that_refuses_for_good_is_not(posting: House, catcher: tuple[Catcher, int]) -> None:
    posting.submitted()
    catcher[0].answer = "550 nobody here"
    assert send(posting) == {"never": 2}
    posting.later(days=1)
    assert send(posting) == {}


def test_who_has_no_address_is_not_mailed(house: House) -> None:
    house.submitted()
    done = send_due(house.store, house.settings, lambda message: Delivery.SENT, house.now)
    assert done == {Delivery.SENT: 0, Delivery.LATER: 0, Delivery.NEVER: 2}


def test_with_an_address_it_is_tried_for_days(posting: House) -> None:
    posting.submitted()
    tries, began = 0, posting.now
    while posting.now < began + timedelta(days=6):
        tries += send_due(posting.store, posting.settings, lambda message: Delivery.LATER, posting.now)[
            "later"
        ]
        posting.later(hours=6)
    assert tries == 2 * 8


def test_a_process_that_died_while_sending_does_not_send_twice(posting: House) -> None:
    posting.submitted()

    def killed(message: object) -> Delivery:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        send_due(posting.store, posting.settings, killed, posting.now)
    assert send(posting) == {"sent": 1}  # the other one
    with posting.store.session() as session:
        assert (
            len(outbox.of(session, "diane") + outbox.of(session, "denis") + outbox.of(session, "odile")) == 2
        )


def test_a_notice_is_not_there_without_its_change(house: House) -> None:
    request = house.draft()
    with pytest.raises(RuntimeError), house.doing(INES) as (session, how):
        drafting.submit(session, INES, request, settings=house.settings.airlock, **how)
        raise RuntimeError
    with house.store.session() as session:
        assert session.scalars(select(Notice)).all() == []


def test_without_a_server_notices_show_in_the_browser_and_are_kept(house: House) -> None:
    request = house.submitted()
    assert mailer(house.settings, {}) is None
    reviewer = house.facts(request).assigned[0]
    with house.store.session() as session:
        assert [(each.kind, each.request) for each in outbox.of(session, reviewer)] == [
            ("to-review", request)
        ]
    with house.store.change() as session:
        outbox.put_away(session, reviewer, request, house.now, audit=house.store.recorder(reviewer))
    with house.store.session() as session:
        assert outbox.of(session, reviewer) == []


def test_old_notices_are_not_mailed_when_a_server_comes(posting: House) -> None:
    posting.submitted()
    posting.later(days=8)
    assert send(posting) == {}


@pytest.mark.parametrize("kind", NoticeKind)
def test_every_kind_has_words_and_leads_somewhere(kind: NoticeKind) -> None:
    letter = Letter(3, "diane", kind, "d-abc", MONDAY)
    mail = compose(
        letter, address="diane@x.example", sender="P4DP <sas@p4dp.example>", origin="https://sas.x"
    )
    assert mail["Message-ID"] == "<p4dp-notice-3@p4dp.example>"
    assert mail["Subject"] == WORDINGS[kind].french
    assert f"https://sas.x{path_of(kind, 'd-abc')}" in mail.get_content()
    assert "%" not in mail.get_content() + path_of(kind, None)


@pytest.mark.parametrize(
    ("recipient", "expected"),
    [("diane", "diane@univ.example"), ("dpo@cnge.example", "dpo@cnge.example")],
)
def test_addresses(recipient: str, expected: str) -> None:
    assert address_of(recipient, mail_settings(25)) == expected
    assert address_of("diane", MailSettings()) is None


def test_an_address_that_is_none_is_given_up(posting: House) -> None:
    with posting.store.change() as session:
        outbox.post(session, NoticeKind.REMINDER, ["x@y\r\nBcc: z@z.example"], None, posting.now)
    assert send(posting) == {"never": 1}


def test_the_password_stays_out_of_sight(house: House, tmp_path: Path) -> None:
    settings = house.settings.model_copy(update={"mail": mail_settings(25)})
    settings.keys_dir.mkdir(parents=True, exist_ok=True)
    path = settings.keys_dir / "smtp-password"
    path.write_text("secret\n")
    path.chmod(0o644)
    with pytest.raises(UnsafeKey):
        mailer(settings, {})
    path.chmod(0o600)
    assert mailer(settings, {}) == Mailer(settings.mail, "secret")
    assert mailer(settings, {"P4DP_SMTP_PASSWORD": "other"}) == Mailer(settings.mail, "other")
    assert "secret" not in repr(mailer(settings, {}))


@pytest.mark.parametrize(
    "toml",
    ['host = "mail.example"', 'host = "mail.example"\nsender = "a@b"\nusername = "u"\nstarttls = false'],
)
def test_settings_that_would_leak_or_fail_are_refused(tmp_path: Path, toml: str) -> None:
    config = tmp_path / "enclave.toml"
    config.write_text(f"[mail]\n{toml}\n")
    with pytest.raises(BadSettings, match="mail"):
        load_settings({"P4DP_HOME": str(tmp_path), "P4DP_CONFIG": str(config)})
