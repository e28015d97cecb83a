"""The classifier: labels for titles and postings, with confidence, candidates and reasons."""

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from classifier.alone import Alone
from classifier.catalogue import Role
from classifier.errors import InputError
from classifier.fast import FastScorer
from classifier.labelling import Labelling, Named
from classifier.labels import Candidate, Corrected, Corrections, Label
from classifier.lexicon import Lexicon
from classifier.policy import Policy, find_policy
from classifier.postings import Evidence
from classifier.scoring import Scored, Scorer
from classifier.seniority import SeniorityReader
from classifier.taxonomy import Taxonomy

if TYPE_CHECKING:  # reasons are given by scikit-learn, which takes a second to import
    from classifier.explanation import Explanation

_Said = Mapping[int, Corrected] | None
_FEW = 16
"""So many titles are labelled one by one: arrays for all are not quicker."""

_TITLES, _POSTINGS = 50_000, 2_000
"""How many titles, and how many postings with a description, are scored at a time."""


class JobTitleClassifier:
    """Labels job titles and postings; made by training, kept by persistence.

    Parameters
    ----------
    lexicon
        What each feature contributes to the labels.
    reference
        Returns the fitted scikit-learn model that the lexicon was made of; it is asked for when
        reasons are wanted.
    taxonomy, policies, seniority
        What labels are made of.

    Attributes
    ----------
    corrections
        What people said some titles are, which goes before what was learned; None for nothing.
    """

    def __init__(
        self,
        *,
        lexicon: Lexicon,
        reference: Callable[[], Scorer],
        taxonomy: Taxonomy,
        policies: Mapping[str, Policy],
        seniority: SeniorityReader,
    ) -> None:
        self.lexicon = lexicon
        self.min_confidence = lexicon.calibration.min_confidence
        self.taxonomy = taxonomy
        self.policies = policies
        self.seniority = seniority
        self.corrections: Corrections | None = None
        self._reference = reference
        self._lock = threading.RLock()

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is made again: the words remembered, and the lock."""
        left_out = ("_scorer", "_alone", "reference", "_lock")
        return {name: value for name, value in vars(self).items() if name not in left_out}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._lock = threading.RLock()

    @cached_property
    def _scorer(self) -> FastScorer:
        return FastScorer(self.lexicon, self.seniority)

    @cached_property
    def reference(self) -> Scorer:
        """The fitted scikit-learn model, with the whole catalogue."""
        return self._reference()

    @property
    def roles(self) -> tuple[Role, ...]:
        """All roles, without their titles and duties."""
        return self.lexicon.roles

    @cached_property
    def _labelling(self) -> Labelling:
        return Labelling(self.lexicon.roles, self.seniority)

    @cached_property
    def _alone(self) -> Alone:
        return Alone(self._scorer, self._labelling)

    @property
    def departments(self) -> tuple[str, ...]:
        """The ids of the departments, in the order of probabilities."""
        return self._scorer.decision.departments

    def asking(self, corrections: Corrections | None) -> "JobTitleClassifier":
        """Return the same model, but one that asks other corrections before it answers.

        Parameters
        ----------
        corrections
            What the other one asks; None for nobody.

        Returns
        -------
        JobTitleClassifier
            It shares all that this one holds and remembers.
        """
        shared = vars(self) | {"_scorer": self._scorer, "_reference": lambda: self.reference}
        other = object.__new__(type(self))
        vars(other).update(shared, corrections=corrections)
        return other

    def warm_up(self) -> None:
        """Do now what the first prediction and the first reasons would have to wait for."""
        for role in self.roles:
            for name in role.names.values():
                self.predict([name])
        self.explain("Kock")

    def policy(self, name: str | None = None) -> Policy:
        """Return a policy by name or file, the default one for None.

        Raises
        ------
        InputError
            If there is no such policy.
        TrainingDataError
            If a file is not a valid policy.
        """
        name = name or "document"
        if name in self.policies:
            return self.policies[name]
        known = {role.id for role in self.roles}
        return find_policy(name, self.policies, self.taxonomy, known)

    def predict(
        self,
        titles: Sequence[str],
        descriptions: Sequence[str] | None = None,
        *,
        policy: Policy | None = None,
        min_confidence: float | None = None,
        n_candidates: int = 3,
    ) -> list[Label]:
        """Label titles or postings.

        Parameters
        ----------
        titles : sequence of shape (n_postings,)
            Free text; an empty string where there is none.
        descriptions : sequence of shape (n_postings,), optional
            Free text or HTML.
        policy
            Decides the category; the default policy if None.
        min_confidence
            Below this probability, 0-1, a text is ``unknown``; the shipped threshold if None.
        n_candidates
            How many candidates each label carries.

        Returns
        -------
        list of Label
            One for each posting, in order.

        Raises
        ------
        InputError
            If the sequences differ in length, titles is a single string, or the threshold is not
            a probability.
        """
        _check(titles, descriptions)
        policy = policy or self.policy()
        with self._lock:
            said = self._said(titles, descriptions)
            few = descriptions is None and len(titles) <= _FEW and not said
            if few and all(map(self._alone.takes, titles)):
                threshold = self._threshold(min_confidence)
                return self._alone.labels(titles, policy, threshold, n_candidates)
            scores = self._scorer.score(titles, descriptions)
            return self._labels(scores, policy, min_confidence, n_candidates, said)

    def explain(
        self,
        title: str,
        description: str = "",
        *,
        policy: Policy | None = None,
        min_confidence: float | None = None,
    ) -> "Explanation":
        """Give the reasons for the label of one posting.

        Parameters
        ----------
        title, description
            Free text or HTML.
        policy
            Decides the category; the default policy if None.
        min_confidence
            Below this probability, 0-1, a text is ``unknown``; the shipped threshold if None.

        Returns
        -------
        Explanation
            The words that spoke for and against the likeliest department, the closest role and
            the titles it was learned from.

        Raises
        ------
        InputError
            If the threshold is not a probability.
        """
        from classifier.explanation import explain

        scores = self.reference.score(Evidence.read([title], [description]))
        said = self._said([title], [description])
        label = self._labels(scores, policy or self.policy(), min_confidence, 3, said)[0]
        return explain(label, scores, self.reference)

    def predict_frame(
        self,
        frame: pd.DataFrame,
        *,
        title: str | None = "title",
        description: str | None = None,
        policy: Policy | None = None,
        min_confidence: float | None = None,
        n_candidates: int = 0,
    ) -> pd.DataFrame:
        """Label the rows of a table.

        Parameters
        ----------
        frame
            One posting a row.
        title, description
            The names of its columns; None where there is none.
        policy
            Decides the category; the default policy if None.
        min_confidence
            Below this probability, 0-1, a text is ``unknown``; the shipped threshold if None.
        n_candidates
            If above 0, a column ``candidates`` lists as many as ``department:probability``.

        Returns
        -------
        DataFrame
            The columns of `LABEL_COLUMNS`, and ``basis`` if there are corrections, on the index of
            `frame`; ids are empty strings and confidences are missing where a row has none.

        Raises
        ------
        InputError
            If the frame lacks a column, or the threshold is not a probability.
        """
        for name in (title, description):
            if name is not None and name not in frame:
                raise InputError(f"no column {name!r} among {', '.join(map(str, frame.columns))}")
        titles = _texts(frame, title)
        texts = None if description is None else _texts(frame, description)
        policy = policy or self.policy()
        codes, again = np.arange(len(titles)), None
        if texts is None:  # titles repeat: each is labelled once
            codes, again = pd.factorize(np.array(titles, dtype=object))
            titles = list(again)
        parts = []
        step = _TITLES if texts is None else _POSTINGS
        for start in range(0, max(len(titles), 1), step):
            end = start + step
            with self._lock:
                own, own_texts = titles[start:end], texts[start:end] if texts is not None else None
                scores = self._scorer.score(own, own_texts)
                said = self._said(own, own_texts)
                parts.append(self._frame(scores, policy, min_confidence, n_candidates, said))
        whole = _joined(parts)
        return (whole if again is None else whole.take(codes)).set_axis(frame.index)

    def reference_frame(
        self,
        frame: pd.DataFrame,
        *,
        title: str | None = "title",
        description: str | None = None,
        policy: Policy | None = None,
        min_confidence: float | None = None,
        n_candidates: int = 0,
    ) -> pd.DataFrame:
        """Label the rows of a table by scikit-learn alone: slow, but beyond doubt.

        Parameters
        ----------
        frame, title, description, policy, min_confidence, n_candidates
            As for `predict_frame`.

        Returns
        -------
        DataFrame
            The columns of `predict_frame`; probabilities differ by less than 1e-5.
        """
        texts = None if description is None else _texts(frame, description)
        scores = self.reference.score(Evidence.read(_texts(frame, title), texts))
        said = self._said(_texts(frame, title), texts)
        found = self._frame(scores, policy or self.policy(), min_confidence, n_candidates, said)
        return found.set_axis(frame.index)

    def _threshold(self, min_confidence: float | None) -> float:
        threshold = self.min_confidence if min_confidence is None else min_confidence
        if not 0 <= threshold <= 1:
            raise InputError(f"min_confidence is a probability, from 0 to 1, not {threshold}")
        return threshold

    def _said(self, titles: Sequence[str], descriptions: Sequence[str] | None) -> _Said:
        """Return what people said of postings, None if there is nobody to ask."""
        return None if self.corrections is None else self.corrections.find(titles, descriptions)

    def _frame(
        self,
        scores: Scored,
        policy: Policy,
        min_confidence: float | None,
        n_candidates: int,
        said: _Said,
    ) -> pd.DataFrame:
        decided = self._labelling.columns(scores, policy, self._threshold(min_confidence), said)
        columns = {
            name: column.categorical() if isinstance(column, Named) else column
            for name, column in decided.items()
        }
        if n_candidates:
            columns["candidates"] = [
                "|".join(f"{d}:{p:.4f}" for d, p in ranked) if not empty else ""
                for ranked, empty in zip(
                    self._labelling.ranked(scores, n_candidates),
                    scores.layout.is_empty,
                    strict=True,
                )
            ]
        return pd.DataFrame(columns)

    def _labels(
        self,
        scores: Scored,
        policy: Policy,
        min_confidence: float | None,
        n_candidates: int,
        said: _Said,
    ) -> list[Label]:
        columns = self._labelling.columns(scores, policy, self._threshold(min_confidence), said)
        ranked = self._labelling.ranked(scores, n_candidates)
        labels = []
        cells = [column.tolist() for column in columns.values()]
        for row, values in enumerate(zip(*cells, strict=True)):
            found: dict[str, Any] = dict(zip(columns, map(_given, values), strict=True))
            candidates = tuple(
                Candidate(d, policy.departments[d].category, p)
                for d, p in ranked[row]
                if found["status"] != "empty"
            )
            labels.append(Label(**found, candidates=candidates))
        return labels


def _check(titles: Sequence[str], descriptions: Sequence[str] | None) -> None:
    """Refuse what is no list of postings."""
    if isinstance(titles, str):
        raise InputError("titles must be a sequence of texts, not one text; wrap it in a list")
    if descriptions is not None and len(descriptions) != len(titles):
        raise InputError(f"{len(titles)} titles but {len(descriptions)} descriptions")


def _joined(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Lay frames end to end; categories are united."""
    if len(parts) == 1:
        return parts[0]
    columns = {}
    for name in parts[0]:
        pieces = [part[name] for part in parts]
        if isinstance(pieces[0].dtype, pd.CategoricalDtype):
            columns[name] = pd.Series(union_categoricals(pieces))
        else:
            columns[name] = pd.concat(pieces, ignore_index=True)
    return pd.DataFrame(columns)


def _given(value: object) -> object:
    """Return a cell of a column as it stands in a label: None where there is nothing."""
    return None if value == "" or value != value else value


def _texts(frame: pd.DataFrame, column: str | None) -> list[str]:
    """Return a column as texts; missing values are empty."""
    if column is None:
        return [""] * len(frame)
    values = frame[column].tolist()
    if set(map(type, values)) <= {str}:
        return values
    missing = frame[column].isna().tolist()
    return ["" if gone else str(v) for v, gone in zip(values, missing, strict=True)]
