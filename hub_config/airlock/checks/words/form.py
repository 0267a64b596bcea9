"""What is found about a file's form: size, hidden content, names, kinds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hub_config.airlock.checks.words.words import Language, Words, both
from hub_config.governance.releases.findings import Rule

WORDS: Final[Mapping[Rule, Mapping[Language, Words]]] = {
    Rule.TOO_LARGE: both(
        (
            "Le fichier pèse {megabytes} Mo ; {limit} Mo est la limite.",
            "Personne ne relit un fichier de cette taille.",
            "Envoyez les résultats, non les données ; partagez-les en plusieurs fichiers s'il le faut.",
        ),
        (
            "The file has {megabytes} MB; {limit} MB is the limit.",
            "Nobody can review a file of that size.",
            "Send results, not data; split them into several files if need be.",
        ),
    ),
    Rule.TOO_MANY_ROWS: both(
        (
            "{rows} lignes ; {limit} est la limite.",
            "Un tableau aussi long tient plutôt des données que des résultats, et personne ne le relit.",
            "Regroupez, ou gardez les lignes utiles à la publication.",
        ),
        (
            "{rows} rows; {limit} is the limit.",
            "A table that long is data rather than results, and nobody can review it.",
            "Aggregate, or keep the rows that the publication needs.",
        ),
    ),
    Rule.TOO_MANY_COLUMNS: both(
        (
            "{columns} colonnes ; {limit} est la limite.",
            "Un tableau aussi large ne se relit pas.",
            "Gardez les colonnes utiles à la publication.",
        ),
        (
            "{columns} columns; {limit} is the limit.",
            "A table that wide can't be reviewed.",
            "Keep the columns that the publication needs.",
        ),
    ),
    Rule.GIANT_CELL: both(
        (
            "Une cellule de plus de {limit} caractères.",
            "Une cellule démesurée peut contenir un autre fichier.",
            "Raccourcissez-la, ou envoyez ce texte dans un fichier à lui.",
        ),
        (
            "A cell of more than {limit} characters.",
            "An oversized cell may hold another file.",
            "Shorten it, or send that text as a file of its own.",
        ),
    ),
    Rule.EMPTY: both(
        ("Le fichier est vide.", "Il n'y a rien à relire.", "Retirez-le de la demande."),
        ("The file is empty.", "There is nothing to review.", "Take it out of the request."),
    ),
    Rule.RAGGED_ROWS: both(
        (
            "Une ligne n'a pas autant de cellules que l'en-tête.",
            "Un tableau irrégulier se lit autrement d'un logiciel à l'autre.",
            "Enregistrez-le de nouveau avec to_csv(index=False).",
        ),
        (
            "A row doesn't have as many cells as the header.",
            "An uneven table reads differently from one program to the next.",
            "Save it again with to_csv(index=False).",
        ),
    ),
    Rule.PRECISION_LOST: both(
        (
            "De très grands nombres à virgule : un identifiant arrondi, peut-être.",
            "Un identifiant qui a perdu ses derniers chiffres désigne encore une personne.",
            "Retirez la colonne, ou arrondissez ces nombres.",
        ),
        (
            "Very large floating numbers: perhaps a rounded identifier.",
            "An identifier that lost its last digits still points at a person.",
            "Take the column out, or round the numbers.",
        ),
    ),
    Rule.NOT_ALL_SHOWN: both(
        (
            "L'aperçu ne montre pas tout : {shown} sur {total} ({unit}).",
            "Les contrôles ont lu le fichier entier, l'aperçu n'en montre que le début.",
            "Un fichier plus court se relit mieux.",
        ),
        (
            "The preview doesn't show everything: {shown} of {total} ({unit}).",
            "The checks read the whole file, the preview shows its beginning.",
            "A shorter file is easier to review.",
        ),
    ),
    Rule.FORMULA: both(
        (
            "Une formule de calcul.",
            "Une formule garde ce dont elle est calculée, et peut chercher des données ailleurs.",
            "Collez les valeurs à la place des formules.",
        ),
        (
            "A formula.",
            "A formula keeps what it is computed from, and may fetch data elsewhere.",
            "Paste values in place of formulas.",
        ),
    ),
    Rule.CELL_READ_AS_FORMULA: both(
        (
            "Un texte qu'un tableur prendra pour une formule (il commence par =, +, -, @ ou une tabulation).",
            "Ouvert dans un tableur, il peut exécuter une commande ou envoyer des données.",
            "Faites précéder le texte d'une apostrophe, ou d'un mot.",
        ),
        (
            "A text that a spreadsheet will take for a formula (it begins with =, +, -, @ or a tab).",
            "Opened in a spreadsheet, it may run a command or send data away.",
            "Put an apostrophe, or a word, before the text.",
        ),
    ),
    Rule.HIDDEN_CONTENT: both(
        (
            "Du contenu caché : {what}.",
            "Ce qui ne se voit pas sortirait sans être relu.",
            "Affichez-le, ou supprimez-le.",
        ),
        (
            "Hidden content: {what}.",
            "What can't be seen would leave without being reviewed.",
            "Show it, or delete it.",
        ),
    ),
    Rule.COMMENT: both(
        (
            "Un commentaire attaché à une cellule.",
            "Un commentaire se voit mal, et porte souvent le nom de son auteur.",
            "Supprimez les commentaires ; écrivez ce qui compte dans le tableau.",
        ),
        (
            "A comment attached to a cell.",
            "A comment is easy to miss, and often bears its author's name.",
            "Delete comments; write what matters in the table.",
        ),
    ),
    Rule.EXTERNAL_LINK: both(
        (
            "Un lien vers un autre fichier ou une adresse.",
            "Un lien garde une copie des données liées, ou les fait chercher à l'ouverture.",
            "Rompez les liaisons et collez les valeurs.",
        ),
        (
            "A link to another file or address.",
            "A link keeps a copy of the linked data, or has it fetched on opening.",
            "Break the links and paste values.",
        ),
    ),
    Rule.MACRO: both(
        (
            "Un programme (macro).",
            "Un programme n'est pas un résultat, et s'exécute chez qui ouvre le fichier.",
            "Enregistrez le classeur en .xlsx sans macro.",
        ),
        (
            "A program (macro).",
            "A program is no result, and runs at whoever opens the file.",
            "Save the workbook as .xlsx without macros.",
        ),
    ),
    Rule.DEFINED_NAME: both(
        (
            "Un nom défini dans le classeur, hors des feuilles.",
            "Il peut contenir des valeurs que personne ne voit.",
            "Supprimez les noms définis (Formules, Gestionnaire de noms).",
        ),
        (
            "A defined name in the workbook, outside the sheets.",
            "It may hold values that nobody sees.",
            "Delete defined names (Formulas, Name manager).",
        ),
    ),
    Rule.EMBEDDED_OBJECT: both(
        (
            "Un objet inséré : {what}.",
            "Un objet inséré est un fichier dans le fichier ; un graphique garde ses données.",
            "Supprimez-le, et envoyez-le comme un fichier à part.",
        ),
        (
            "An embedded object: {what}.",
            "An embedded object is a file within the file; a chart or pivot table keeps its data.",
            "Delete it, and send it as a file of its own.",
        ),
    ),
    Rule.DOCUMENT_METADATA: both(
        (
            "Des propriétés du document : {what}.",
            "Auteur, société, mots-clés ou chemins sortent avec le fichier sans se voir.",
            "Effacez les propriétés (Fichier, Inspecter le document).",
        ),
        (
            "Properties of the document: {what}.",
            "Author, company, keywords or paths leave with the file unseen.",
            "Clear the properties (File, Inspect document).",
        ),
    ),
    Rule.DISGUISED_CHARACTERS: both(
        (
            "Des caractères qui ne se voient pas, ou qui changent le sens de lecture.",
            "Ils peuvent cacher un texte ou le montrer autrement.",
            "Retapez le texte, ou passez-le par un éditeur qui montre ces caractères.",
        ),
        (
            "Characters that don't show, or that change the reading direction.",
            "They can hide a text or show it otherwise.",
            "Type the text again, or use an editor that shows such characters.",
        ),
    ),
    Rule.ENCODING: both(
        (
            "Le texte n'est pas en UTF-8 ; il est lu comme {encoding}.",
            "Lu dans un autre codage, il dit autre chose.",
            "Enregistrez-le en UTF-8.",
        ),
        (
            "The text isn't UTF-8; it is read as {encoding}.",
            "Read in another encoding it says something else.",
            "Save it as UTF-8.",
        ),
    ),
    Rule.NAME_DISAGREES: both(
        (
            "Le nom annonce « {said} », le contenu est « {found} ».",
            "Un fichier qui n'est pas ce qu'il dit s'ouvre dans un autre logiciel que prévu.",
            "Donnez-lui l'extension de ce qu'il contient.",
        ),
        (
            "The name says “{said}”, the content is “{found}”.",
            "A file that isn't what it says opens in another program than expected.",
            "Give it the extension of what it holds.",
        ),
    ),
    Rule.DECEPTIVE_NAME: both(
        (
            "Le nom du fichier peut tromper ({how}).",
            "Lettres invisibles, chemin ou double extension font prendre un fichier pour un autre.",
            "Renommez-le avec des lettres, des chiffres et des tirets, et une seule extension.",
        ),
        (
            "The file's name can deceive ({how}).",
            "Invisible or look-alike letters, a path or two extensions make a file pass for another.",
            "Rename it with letters, digits and hyphens, and one extension.",
        ),
    ),
    Rule.TRAILING_BYTES: both(
        (
            "Des octets après la fin du fichier.",
            "Ce qui suit la fin ne se voit pas, et peut être un autre fichier.",
            "Recréez-le avec l'outil habituel, par exemple savefig.",
        ),
        (
            "Bytes after the file's end.",
            "What follows the end isn't seen, and may be another file.",
            "Make it again with the usual tool, for example savefig.",
        ),
    ),
    Rule.REFUSED_KIND: both(
        (
            "Un type de fichier qui ne sort pas.",
            "Une archive ou un objet sérialisé cache ce qu'il contient, et peut exécuter du code.",
            "Envoyez ce qu'il contient : tableaux, figures, coefficients en JSON.",
        ),
        (
            "A kind of file that doesn't leave.",
            "An archive or a serialised object hides what it holds, and may run code.",
            "Send what it holds: tables, figures, coefficients as JSON.",
        ),
    ),
}
