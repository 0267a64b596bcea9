"""What a notice says, in a mail: that something waits, and where. French, then English. Pure.

Never what, whose, or of which project: a mail passes through places that are not ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

from hub_config.governance.notices.models import NoticeKind

HERE: Final = "airlock"


@dataclass(frozen=True)
class Wording:
    """One sentence in each language, and where its link leads: `%s` is the request, `service` whose page."""

    french: str
    english: str
    path: str
    service: str = HERE


_REVIEW: Final = "/relecture/%s"
_MINE: Final = "/demandes/%s"
_NOTEBOOK: Final = "/notebooks/%s"
WORDINGS: Final[Mapping[NoticeKind, Wording]] = {
    NoticeKind.TO_REVIEW: Wording(
        "Une demande de sortie attend votre relecture.", "A release request waits for your review.", _REVIEW
    ),
    NoticeKind.TO_CONSOLIDATE: Wording(
        "Une demande de sortie attend votre concertation.",
        "A release request waits for you and a colleague to agree.",
        _REVIEW,
    ),
    NoticeKind.REMINDER: Wording(
        "Rappel : une demande de sortie attend toujours votre relecture.",
        "Reminder: a release request still waits for your review.",
        _REVIEW,
    ),
    NoticeKind.QUESTION: Wording(
        "Un relecteur vous pose une question.", "A reviewer asks you a question.", _MINE
    ),
    NoticeKind.ANSWER: Wording("Votre question a une réponse.", "Your question has an answer.", _REVIEW),
    NoticeKind.RETURNED: Wording(
        "Une demande de sortie est à corriger.", "A release request needs changes.", _MINE
    ),
    NoticeKind.REJECTED: Wording(
        "Une demande de sortie est refusée.", "A release request is rejected.", _MINE
    ),
    NoticeKind.RELEASED: Wording(
        "Des fichiers sont sortis : vous pouvez les télécharger.",
        "Files were released: you can download them.",
        _MINE,
    ),
    NoticeKind.RECALLED: Wording("Une sortie est rappelée.", "A release was recalled.", _MINE),
    NoticeKind.TOO_FEW_REVIEWERS: Wording(
        "Une demande de sortie manque de relecteurs : nommez-en, ou un suppléant.",
        "A release request lacks reviewers: name some, or a stand-in.",
        "/relecteurs",
    ),
    NoticeKind.SHELF_BROKEN: Wording(
        "Incident au sas de sortie : un fichier gardé n’est plus celui qui a été relu.",
        "Incident at the airlock: a kept file is no longer the one that was reviewed.",
        "/",
    ),
    NoticeKind.ACCESS_REVIEW: Wording(
        "Une revue annuelle des accès vous attend au registre.",
        "A yearly access review waits for you in the register.",
        "/",
        "register",
    ),
    NoticeKind.RENEWAL: Wording(
        "Un projet dont vous répondez arrive bientôt à échéance.",
        "A project you answer for is about to expire.",
        "/",
        "register",
    ),
    NoticeKind.SUSPENDED: Wording(
        "Un projet dont vous répondez est suspendu.",
        "A project you answer for is suspended.",
        "/",
        "register",
    ),
    NoticeKind.RIGHTS_SOON: Wording(
        "Rappel : une réponse à une demande d’exercice de droits sera bientôt due.",
        "Reminder: an answer to a rights request will soon be due.",
        "/droits",
        "register",
    ),
    NoticeKind.RIGHTS_DUE: Wording(
        "Rappel : une réponse à une demande d’exercice de droits est due aujourd’hui.",
        "Reminder: an answer to a rights request is due today.",
        "/droits",
        "register",
    ),
    NoticeKind.RIGHTS_LATE: Wording(
        "Rappel : une réponse à une demande d’exercice de droits est en retard.",
        "Reminder: an answer to a rights request is late.",
        "/droits",
        "register",
    ),
    NoticeKind.NOTEBOOK_TO_READ: Wording(
        "Un notebook attend votre lecture, pour être enregistré.",
        "A notebook waits for you to read it, to be registered.",
        _NOTEBOOK,
    ),
    NoticeKind.NOTEBOOK_REMINDER: Wording(
        "Rappel : un notebook attend toujours votre lecture.",
        "Reminder: a notebook still waits for you to read it.",
        _NOTEBOOK,
    ),
    NoticeKind.NOTEBOOK_WITHOUT_READER: Wording(
        "Un notebook à enregistrer manque de lecteur : nommez un relecteur, ou un suppléant.",
        "A notebook to be registered lacks a reader: name a reviewer, or a stand-in.",
        "/relecteurs",
    ),
    NoticeKind.NOTEBOOK_APPROVED: Wording(
        "Votre notebook est enregistré : il peut être exécuté.",
        "Your notebook is registered: it can be run.",
        _NOTEBOOK,
    ),
    NoticeKind.NOTEBOOK_REFUSED: Wording(
        "Votre notebook n’est pas enregistré : le motif est sur sa page.",
        "Your notebook is not registered: its page says why.",
        _NOTEBOOK,
    ),
    NoticeKind.NOTEBOOK_WITHDRAWN: Wording(
        "L’enregistrement d’un de vos notebooks est retiré.",
        "The registration of one of your notebooks is withdrawn.",
        _NOTEBOOK,
    ),
}


@dataclass(frozen=True)
class Letter:
    """A notice to send: to whom, about which request or notebook, by which number."""

    number: int
    recipient: str
    kind: NoticeKind
    request: str | None
    at: datetime


def path_of(kind: NoticeKind, request: str | None) -> str:
    """Where a notice leads, on its service's pages."""
    path = WORDINGS[kind].path
    return path.replace("%s", request) if request else path.replace("/%s", "")


def compose(letter: Letter, *, address: str, sender: str, origin: str) -> EmailMessage:
    """The mail. Its number makes its Message-ID: the same notice twice is one mail to whoever reads it."""
    wording = WORDINGS[letter.kind]
    message = EmailMessage()
    message["From"], message["To"] = sender, address
    message["Subject"] = wording.french
    message["Date"] = format_datetime(letter.at)
    message["Message-ID"] = f"<p4dp-notice-{letter.number}@{sender.rpartition('@')[2].rstrip('>')}>"
    message["Auto-Submitted"] = "auto-generated"
    link = f"{origin}{path_of(letter.kind, letter.request)}"
    message.set_content(f"{wording.french}\n\n{link}\n\n--\n{wording.english}\n")
    return message
