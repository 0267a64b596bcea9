"""What the command says when a run has ended. Texts, no I/O."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, assert_never

from hub_config.governance.report_runs.facts import Outcome
from hub_config.governance.report_runs.templates import Template
from hub_config.governance.report_runs.texts import Text
from hub_config.reports.collecting import Left


def concluded(template: Template, outcome: Outcome, failed: tuple[int, str] | None, seconds: int) -> Text:
    """`failed`: the first code cell that did, and what it said."""
    match outcome:
        case Outcome.DONE:
            return Text("Rapport prêt :", "The report is ready:")
        case Outcome.CELL_FAILED if failed is not None:
            return _FAILED.fill(step=_step(template, failed[0]), cell=failed[0] + 1, message=failed[1])
        case Outcome.INCOMPLETE:
            return _INCOMPLETE
        case Outcome.WITHDRAWN:
            return WITHDRAWN.fill(name=template.name)
        case Outcome.CLOSED:
            return _CLOSED
        case Outcome.TIMED_OUT:
            return _OVER_TIME.fill(seconds=seconds)
        case Outcome.CELL_FAILED | Outcome.BROKE | Outcome.GIVEN_UP | Outcome.NOT_STARTED:
            return _BROKE
        case _:
            assert_never(outcome)


def of_outputs(left: Left) -> Iterator[Text]:
    """What of the declared outputs lacks, and what was dropped: by its number, its names are not ours."""
    if left.lacking:
        yield _LACKING.fill(names=", ".join(left.lacking))
    if left.dropped:
        yield _UNDECLARED.fill(count=left.dropped)


def _step(template: Template, cell: int) -> str:
    return template.steps[cell] if cell < len(template.steps) else template.name


_LACKING: Final = Text(
    "Ces fichiers déclarés manquent, ou ne sont pas des fichiers ordinaires de leur type : {names}.",
    "These declared files are missing, or no ordinary files of their kind: {names}.",
)
_INCOMPLETE: Final = Text(
    "Le rapport est allé à son bout, mais sans tous les fichiers que le notebook avait déclarés : il est "
    "incomplet, et ne vaut pas pour une sortie. Corrigez le notebook, ou ce qu'il déclare, et faites-le "
    "enregistrer de nouveau. Ce qu'il a laissé est conservé :",
    "The report came to its end, but without all the files that its notebook had declared: it is incomplete, "
    "and nothing of it is reproduced. Mend the notebook, or what it declares, and have it registered again. "
    "What it left is kept:",
)
WITHDRAWN: Final = Text(
    "L'enregistrement du notebook « {name} » ne tient plus : il a été retiré pendant l'exécution, ou le "
    "registre ne se lit plus. L'exécution est arrêtée, rien n'est conservé.",
    "The registration of notebook {name!r} does not stand any more: it was withdrawn during the run, or the "
    "record can't be read. The run is stopped, and nothing is kept.",
)
_CLOSED: Final = Text(
    "Le projet n'est plus ouvert : il a été suspendu ou clos pendant l'exécution, ou son droit d'accès a "
    "pris fin. L'exécution est arrêtée ; le notebook, tel qu'il était, est conservé :",
    "The project is open no more: it was suspended or closed during the run, or its grant ended. The run is "
    "stopped; the notebook, as it was, is kept:",
)
_UNDECLARED: Final = Text(
    "{count} fichier(s) de « sorties » que personne n'avait déclarés ne sont pas gardés ; manifest.json les "
    "nomme.",
    "{count} file(s) of `sorties` that nobody had declared are not kept; manifest.json names them.",
)
_FAILED: Final = Text(
    "Le rapport s'est arrêté à l'étape « {step} » (cellule de code n° {cell}) :\n{message}\n"
    "Le notebook exécuté jusque-là est conservé :",
    "The report stopped at step {step!r} (code cell {cell}):\n{message}\nThe notebook, as far as it got, "
    "is kept:",
)
_OVER_TIME: Final = Text(
    "Le rapport a dépassé son temps ({seconds} s) et a été arrêté. Donnez-lui plus de temps ([reports] "
    "seconds dans "
    "enclave.toml) ou moins à faire. Le notebook exécuté jusque-là est conservé :",
    "The report went over its time ({seconds} s) and was stopped. Give it more ([reports] seconds in "
    "enclave.toml) "
    "or less to do. The notebook, as far as it got, is kept:",
)
_BROKE: Final = Text(
    "L'exécution s'est interrompue (mémoire épuisée ? logs/hub.log le dit). Le notebook, tel qu'il "
    "était, est conservé :",
    "The run broke off (out of memory? logs/hub.log says). The notebook, as it was, is kept:",
)
TO_RELEASE: Final = Text(
    "Pour qu'il sorte de l'enclave : un membre de {project} le demande sur {url} (Mes demandes de sortie, "
    "« Rapports du projet »). Un médecin le lit.",
    "For it to leave the enclave: a member of {project} asks for it at {url} (My requests, “The project's "
    "reports”). One physician reads it.",
)
KEPT_ELSEWHERE: Final = Text(
    "Gardé hors du dossier des rapports (--output) : on ne peut pas en demander la sortie depuis le "
    "navigateur. Relancez-le sans --output pour cela.",
    "Kept outside the folder of reports (--output): its release can't be asked for in the browser. Run it "
    "without --output for that.",
)
NOT_ON_RECORD: Final = Text(
    "Attention : ce rapport n'a pas pu être inscrit au registre des exécutions. Il est gardé, mais sa sortie "
    "sera relue par deux médecins. Vérifiez le disque et le journal (`p4dp-enclave audit verify`), "
    "puis relancez.",
    "Mind: this report could not be put on the record of runs. It is kept, but two physicians will read it "
    "before it leaves. Check the disk and the log (`p4dp-enclave audit verify`), then run it again.",
)
