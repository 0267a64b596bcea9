"""Models as JSON: coefficients with the counts they stand on, or trees with the size of each leaf.

    {"coefficients": {"age": 0.031, …}, "n": 4210, "events": 311, "df_residual": 4201}

Also read: attributes of scikit-learn (`coef_`, `intercept_`), lifelines (`params_`, `baseline_*`),
statsmodels (`params`, `df_resid`), and trees as scikit-learn, LightGBM and XGBoost dump them. What a
model keeps of the rows it was trained on blocks. Everything that is no part of a model is checked as any
JSON.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hub_config.airlock.checks.inside.checkers.gathering import Gathering, repeats
from hub_config.airlock.checks.inside.checkers.structured import document_found, parsed
from hub_config.airlock.checks.inside.decoding import decoded
from hub_config.airlock.checks.inside.found import Found, Notes, Order
from hub_config.airlock.checks.inside.preview import table_block
from hub_config.governance.releases.findings import Place, Rule, Severity

LEAST_FREEDOM: Final = 10
_LONG_CURVE: Final = 60
_MANY_TERMS: Final = 150

_COEFFICIENTS: Final = frozenset(
    {"coefficients", "coef", "coef_", "params", "params_", "log_hazard_ratios", "odds_ratios",
     "hazard_ratios", "hazard_ratios_", "intercept", "intercept_", "standard_errors", "standard_errors_",
     "bse", "std_err", "se", "p_values", "pvalues", "confidence_intervals", "confidence_intervals_",
     "conf_int", "feature_importances_", "covariance", "variance_matrix_", "feature_names_in_",
     "feature_names", "terms", "centre", "centres", "means", "scale", "scales", "mean_", "scale_"}
)  # fmt: skip
_PEOPLE: Final = frozenset(
    {"n", "n_obs", "nobs", "n_samples", "n_patients", "patients", "n_observations", "observations",
     "n_train", "n_subjects", "subjects", "effectif"}
)  # fmt: skip
_EVENTS: Final = frozenset({"events", "n_events", "number_of_events", "cases", "n_cases", "evenements"})
_FREEDOM: Final = frozenset(
    {"df_residual", "df_resid", "residual_df", "degrees_of_freedom", "df", "ddl_residuels"}
)
_SUPPORT: Final = frozenset(
    {"term_counts", "counts", "n_by_term", "support", "patients_by_term", "n_per_term"}
)
_TRAINING: Final = frozenset(
    {"support_vectors_", "support_", "dual_coef_", "_fit_x", "fit_x", "x_train", "y_train", "x_fit_",
     "x_train_", "y_train_", "training_data", "train_data", "durations", "event_observed", "labels_",
     "oob_prediction_", "oob_decision_function_", "embedding_", "leaf_indices", "sample_weight",
     "sample_weights", "rows", "knots_data", "neighbors", "subject_ids", "ids", "index"}
)  # fmt: skip
_RESIDUALS: Final = frozenset(
    {"residuals", "resid", "resid_", "fittedvalues", "fitted_values", "fitted", "predictions",
     "predicted", "scores", "y_pred", "y_hat", "linear_predictors", "leverage", "cooks_distance",
     "martingale"}
)  # fmt: skip
_CURVES: Final = re.compile(r"baseline_\w*|survival_function_?|cumulative_hazard_?|timeline")
_LEAF_COUNTS: Final = (
    "leaf_count",
    "n_node_samples",
    "n_samples",
    "samples",
    "count",
    "cover",
    "n",
    "sum_hessian",
)
_CHILDREN: Final = frozenset({"children", "left_child", "right_child", "left", "right", "yes", "no"})
_VALUES: Final = frozenset({"leaf", "leaf_value", "value", "prediction"})
_ONE_PERSON: Final = re.compile(
    r"(patient|physician|medecin|médecin|gp|doctor|subject|person|sujet|consultation|id)s?(_id|_no|_number)?\W*(T\.)?\W*[0-9a-f]*\d{3,}",
    re.I,
)


@dataclass
class _Model:
    """What is known of one model in the document."""

    terms: dict[str, list[str]] = field(default_factory=dict)
    people: list[int] = field(default_factory=list)
    events: list[int] = field(default_factory=list)
    freedom: list[int] = field(default_factory=list)
    leaves: list[float] = field(default_factory=list)
    uncounted_leaves: int = 0
    trees: bool = False


def check(content: bytes, order: Order) -> Found:
    """Raises CannotRead."""
    notes = Notes()
    text = decoded(content, notes)
    document = parsed(text)
    gathering, model = Gathering(order), _Model()
    if repeats(document):
        gathering.block(Rule.HIDDEN_CONTENT, "a key that stands twice")
    for path, key, value in _walk(document, ()):
        _read(gathering, model, key, value, Place(what=" ".join(path)[:60]))
    _read_leaves(model, document)
    _judge(gathering, model)
    _show(gathering, model)
    rest = _rest(document)
    if rest not in ({}, []):
        gathering.take(document_found(rest, order, notes))
    gathering.search(text)
    return Found(notes.findings()) + gathering.found()


def _walk(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str, Any]]:
    """Every key with its value and the keys that lead to it."""
    waiting = [(value, path)]
    while waiting:
        each, way = waiting.pop()
        if isinstance(each, dict):
            for key, told in each.items():
                yield (*way, str(key)), str(key).lower(), told
                waiting.append((told, (*way, str(key))))
        elif isinstance(each, list):
            waiting.extend((told, way) for told in each if isinstance(told, (dict, list)))


def _read(gathering: Gathering, model: _Model, key: str, value: Any, place: Place) -> None:
    if key in _PEOPLE | _EVENTS | _FREEDOM:
        kept = model.people if key in _PEOPLE else model.events if key in _EVENTS else model.freedom
        kept.extend([int(value)] if _is_number(value) else [])
    elif key in _RESIDUALS and _length(value) > 1:
        gathering.add(Rule.RESIDUALS, Severity.BLOCKING, place)
    elif key in _TRAINING and _length(value) > 1:
        gathering.add(Rule.TRAINING_ROWS, Severity.BLOCKING, place, what="rows")
    elif _CURVES.fullmatch(key) and _length(value) > _LONG_CURVE:
        gathering.add(Rule.TRAINING_ROWS, Severity.BLOCKING, place, what="a curve at each event's time")
    elif key in _SUPPORT and isinstance(value, dict):
        for name, count in value.items():
            _judge_support(gathering, str(name), count)
    elif key in _COEFFICIENTS:
        _read_terms(gathering, model, key, value)


def _read_terms(gathering: Gathering, model: _Model, key: str, value: Any) -> None:
    if isinstance(value, dict):
        for name, told in value.items():
            model.terms.setdefault(str(name), []).append(_short(told))
            if isinstance(told, dict):
                _judge_support(
                    gathering,
                    str(name),
                    next((told[k] for k in ("n", "count", "patients") if k in told), None),
                )
    elif isinstance(value, list):
        for number, told in enumerate(value, 1):
            if isinstance(told, dict) and (
                name := next((told[k] for k in ("name", "term", "feature") if k in told), None)
            ):
                model.terms.setdefault(str(name), []).append(_short(told))
                _judge_support(
                    gathering,
                    str(name),
                    next((told[k] for k in ("n", "count", "patients") if k in told), None),
                )
            elif isinstance(told, str):
                model.terms.setdefault(told, [])
            else:
                model.terms.setdefault(f"{key} {number}", []).append(_short(told))
    elif _is_number(value):
        model.terms.setdefault(key, []).append(_short(value))


def _judge_support(gathering: Gathering, name: str, count: Any) -> None:
    least = gathering.order.context.min_patients
    if _is_number(count) and 0 < count < least:
        gathering.add(Rule.ONE_PERSON_TERM, Severity.BLOCKING, _term(name), count=f"< {least}", least=least)


def _judge(gathering: Gathering, model: _Model) -> None:
    least = gathering.order.context.min_patients
    for name in model.terms:
        if _ONE_PERSON.search(name):
            gathering.add(Rule.ONE_PERSON_TERM, Severity.BLOCKING, _term(name), count=1, least=least)
    if any(0 < count < least for count in (*model.people, *model.events)):
        gathering.add(Rule.SMALL_COUNT, Severity.BLOCKING, min=least, below=least - 1)
    parameters = len(model.terms)
    if parameters > _MANY_TERMS:
        gathering.add(Rule.ROW_LEVEL, Severity.WARNING)
    freedom = [*model.freedom, *(count - parameters for count in model.people)]
    if any(count <= 0 for count in freedom):
        gathering.add(Rule.SATURATED_MODEL, Severity.BLOCKING)
    elif any(count < LEAST_FREEDOM for count in freedom):
        gathering.add(Rule.FEW_DEGREES_OF_FREEDOM, Severity.BLOCKING)
    if not model.people and not model.trees:
        gathering.add(Rule.MODEL_WITHOUT_COUNTS, Severity.BLOCKING)
    _judge_leaves(gathering, model, least)


def _judge_leaves(gathering: Gathering, model: _Model, least: int) -> None:
    if model.uncounted_leaves:
        gathering.add(Rule.MODEL_WITHOUT_COUNTS, Severity.BLOCKING, what="leaves")
    small = [count for count in model.leaves if count < least]
    if small:
        gathering.add(Rule.SMALL_LEAF, Severity.BLOCKING, leaves=len(small), least=least, count=f"< {least}")


# --- trees -------------------------------------------------------------------------------------------------


def _read_leaves(model: _Model, document: Any) -> None:
    waiting = [document]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting.extend(each)
        elif isinstance(each, dict):
            _read_node(model, each)
            waiting.extend(each.values())


def _read_node(model: _Model, node: Mapping[str, Any]) -> None:
    left = node.get("children_left", node.get("left_children"))
    if isinstance(left, list):
        counts: list[Any] = next((node[k] for k in _LEAF_COUNTS if isinstance(node.get(k), list)), [])
        for place, child in enumerate(left):
            if child == -1:
                _count_leaf(model, counts[place] if place < len(counts) else None)
    elif node.keys() & _VALUES and not node.keys() & _CHILDREN and _is_tree_like(node):
        _count_leaf(model, next((node[k] for k in _LEAF_COUNTS if k in node), None))


def _is_tree_like(node: Mapping[str, Any]) -> bool:
    marks = {
        "leaf",
        "leaf_value",
        "leaf_index",
        "nodeid",
        "node_id",
        "leaf_count",
        "depth",
        "n_node_samples",
        "cover",
    }
    return bool(node.keys() & marks)


def _count_leaf(model: _Model, count: Any) -> None:
    model.trees = True
    if _is_number(count):
        model.leaves.append(float(count))
    else:
        model.uncounted_leaves += 1


# --- preview -----------------------------------------------------------------------------------------------


def _show(gathering: Gathering, model: _Model) -> None:
    if model.terms:
        width = max(map(len, model.terms.values()))
        rows = [[name, *values] for name, values in model.terms.items()]
        gathering.show(table_block(gathering.order.name, ["term", *[""] * width], rows))
    if model.leaves:
        told = [["leaves", len(model.leaves)], ["people in the smallest", int(min(model.leaves))]]
        gathering.show(table_block("trees", ["", ""], told))


def _rest(value: Any, inside_tree: bool = False) -> Any:
    """The document without what was read as a model, and without what nodes of trees consist of."""
    if isinstance(value, dict):
        read = _NODE if inside_tree else frozenset()
        return {
            key: kept
            for key, told in value.items()
            if not _is_read(str(key).lower())
            and str(key).lower() not in read
            and (kept := _rest(told, inside_tree or str(key).lower() in _TREES)) not in ({}, [])
        }
    if isinstance(value, list):
        return [kept for told in value if (kept := _rest(told, inside_tree)) not in ({}, [])]
    return value


def _is_read(key: str) -> bool:
    return (
        key in _COEFFICIENTS | _PEOPLE | _EVENTS | _FREEDOM | _SUPPORT | _TRAINING | _RESIDUALS
        or _CURVES.fullmatch(key) is not None
    )


_TREES: Final = frozenset(
    {
        "trees",
        "tree",
        "tree_structure",
        "tree_info",
        "estimators",
        "nodes",
        "learner",
        "children_left",
        "nodeid",
    }
)
_NODE: Final = frozenset(
    {"children_left", "children_right", "left_children", "right_children", "feature", "threshold",
     "n_node_samples", "weighted_n_node_samples", "impurity", "leaf", "leaf_value", "leaf_count",
     "leaf_weight", "leaf_index", "nodeid", "node_id", "depth", "yes", "no", "missing", "split",
     "split_condition", "split_feature", "split_gain", "split_index", "gain", "cover", "decision_type",
     "default_left", "missing_type", "internal_value", "internal_weight", "internal_count", "tree_index",
     "num_leaves", "num_cat", "shrinkage", "sum_hessian", "base_weights", "split_indices",
     "split_conditions", "parents", "loss_changes"}
)  # fmt: skip


def _term(name: str) -> Place:
    return (
        Place(what=name[:60]) if name.isprintable() and not _ONE_PERSON.search(name) else Place(what="term")
    )


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {told}" for key, told in list(value.items())[:6])
    return str(value)[:80]


def _length(value: Any) -> int:
    return (
        max(
            [
                len(value),
                *(_length(each) for each in list(value.values() if isinstance(value, dict) else value)[:3]),
            ]
        )
        if isinstance(value, (list, dict))
        else 0
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
