"""What a person reads when the enclave does not let them in.

French; the hub's pages translate through gettext.
"""

from __future__ import annotations

from collections.abc import Mapping

from hub_config.identity.claims import Reason

DENIALS: Mapping[Reason, str] = {
    Reason.NO_USERNAME: (
        "Votre établissement ne transmet pas d'identifiant pour votre compte. "
        "Demandez à l'administrateur de la plateforme de le compléter."
    ),
    Reason.BAD_USERNAME: (
        "Votre identifiant contient des caractères que la plateforme n'accepte pas "
        "(lettres minuscules sans accent, chiffres, point, tiret). "
        "Demandez à l'administrateur de le corriger."
    ),
    Reason.RESERVED_USERNAME: (
        "Votre identifiant commence par « svc- », ce qui est réservé aux services de la plateforme. "
        "Demandez à l'administrateur de le changer."
    ),
    Reason.NO_SECOND_FACTOR: (
        "Une double authentification est exigée, et votre connexion n'en apporte pas la preuve. "
        "Déconnectez-vous de votre établissement, puis reconnectez-vous avec votre code à usage unique."
    ),
    Reason.NO_ROLE: (
        "Votre compte existe, mais aucun rôle de la plateforme ne lui est attribué. "
        "Demandez à votre département ou à l'administrateur de la plateforme."
    ),
    Reason.HAS_LEFT: (
        "Votre départ de la plateforme a été enregistré : vos accès sont fermés. "
        "Si c'est une erreur, prévenez l'administrateur de la plateforme."
    ),
}
NOT_PROVED = "La réponse du fournisseur d'identité n'a pas pu être vérifiée. Recommencez la connexion."
UNREACHABLE = (
    "Le fournisseur d'identité ne répond pas. Réessayez dans une minute ; sinon, prévenez l'administrateur."
)
STORE_SILENT = (
    "La plateforme ne peut pas vérifier vos droits en ce moment. Réessayez dans une minute ; sinon, prévenez "
    "l'administrateur."
)
NOT_RECORDED = (
    "Votre connexion n'a pas pu être inscrite au journal de la plateforme : elle n'est donc pas ouverte. "
    "Prévenez l'administrateur, puis réessayez."
)
EXPIRED = "no longer vouched for by the identity provider"
