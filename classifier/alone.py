"""Single titles labelled by themselves: to the bit the labels that they get among other titles."""

import math
from collections.abc import Iterable, Sequence

import numpy as np

from classifier.fast import FastScorer
from classifier.labelling import Labelling
from classifier.labels import Candidate, Label
from classifier.policy import Policy
from classifier.roles import EXACT_WEIGHT
from classifier.text import MAX_TITLE, is_plain_line

_NO_TEXT = np.zeros(())


class Alone:
    """Labels one title at a time: of words that came before, in a tenth of the time of arrays.

    Parameters
    ----------
    scorer
        Knows what words contribute.
    labelling
        Decides by scores.

    Notes
    -----
    Not safe for use by several threads at once.
    """

    def __init__(self, scorer: FastScorer, labelling: Labelling) -> None:
        self._scorer = scorer
        self._labelling = labelling

    def takes(self, title: str) -> bool:
        """Return whether it can label a title: one that has to be cleaned first it cannot."""
        return len(title) <= MAX_TITLE and is_plain_line(title)

    def labels(
        self, titles: Sequence[str], policy: Policy, threshold: float, n_candidates: int
    ) -> list[Label]:
        """Label titles, one by one.

        Parameters
        ----------
        titles : sequence of shape (n_titles,)
            Plain lines, each of at most `classifier.text.MAX_TITLE` characters.
        policy
            Decides the category.
        threshold
            Below this probability, 0-1, a text is ``unknown``.
        n_candidates
            How many candidates each label carries.

        Returns
        -------
        list of n_titles Label
            As `classifier.labelling.Labelling` decides titles that have no descriptions.
        """
        self._scorer.bound()
        words = [self._scorer.recall.words(title) for title in titles]
        self._scorer.memory.learn()  # at once: it takes as long for one word as for many
        return [
            self._label(own, policy, threshold, n_candidates)
            if title.strip(" ")
            else Label("empty", None, None, None, None, None, None, None, None, ())
            for title, own in zip(titles, words, strict=True)
        ]

    def _label(
        self, words: list[int], policy: Policy, threshold: float, n_candidates: int
    ) -> Label:
        scores = TitleScores(self._scorer, words)
        found = scores.probabilities
        best = int(found.argmax())
        confidence = found.item(best)
        candidates = tuple(
            Candidate(name, policy.departments[name].category, probability)
            for name, probability in self._labelling.likeliest(found, n_candidates)
        )
        if not (confidence >= threshold and confidence > 1 - found.sum()):
            return Label(
                "unknown", None, None, None, None, None, confidence, None, None, candidates
            )
        name = self._scorer.decision.departments[best]
        role = self._labelling.role(name, int(scores.fit(name).argmax()))
        rule = policy.rule(name, role.id)
        level, how_sure = self._labelling.level(scores.level, role)
        of_category = self._labelling.category_confidence(scores, policy, rule.category)
        return Label(
            "labelled",
            name,
            rule.category,
            rule.basis,
            role.id,
            level,
            confidence,
            of_category,
            how_sure,
            candidates,
        )


class TitleScores:
    """What is computed of a single title.

    Parameters
    ----------
    scorer
        Knows what words contribute.
    words
        The numbers of its words.

    Attributes
    ----------
    probabilities : ndarray of shape (n_departments,)
        Their sum is at most 1, the rest being the probability that the text names no work.
    """

    def __init__(self, scorer: FastScorer, words: list[int]) -> None:
        self._scorer, self._memory, self._words = scorer, scorer.memory, words
        self._title = scorer.recall.title(words)
        self._numbers = np.array(words + scorer.recall.pairs(words), dtype=np.int64)
        squared = _sum(self._memory.squares[self._numbers].tolist())
        self._scale = np.float32(1 / math.sqrt(squared) if squared > 0 else 1)
        log_odds = self._memory.scores[self._numbers].sum(axis=0)
        log_odds *= self._scale
        log_odds += scorer.lexicon.intercept
        if self._title >= 0:
            of_class = scorer.lexicon.title_class.item(self._title)
            if of_class >= 0:
                log_odds[of_class] += scorer.lexicon.title_weight[self._title]
        silent = np.array(squared <= 0)
        self.probabilities = scorer.decision.probabilities(log_odds, _NO_TEXT, silent)
        self._fits: dict[str, np.ndarray] = {}

    @property
    def level(self) -> int:
        """The position of the level that the title tells of, -1 for none."""
        return self._scorer.recall.level(self._words)

    def fit(self, department: str) -> np.ndarray:
        """Return how well each role of a department fits; see `classifier.scoring.Scored.fit`."""
        if department not in self._fits:
            self._fits[department] = self._fit(department)
        return self._fits[department]

    def _fit(self, department: str) -> np.ndarray:
        lexicon = self._scorer.lexicon
        places, values = self._memory.for_roles(department, self._numbers)
        weighted = values[places]
        weighted *= self._scale
        fit = np.asarray(weighted.sum(axis=0))
        units = _sum((self._memory.units[self._numbers] * self._scale).tolist())
        fit -= units * lexicon.sizes_of(department)
        if self._title >= 0:
            for place in lexicon.roles_of_title(self._title, department):
                fit[place] += EXACT_WEIGHT
        return fit


def _sum(numbers: Iterable[float]) -> float:
    """Add one number after another, as `numpy.bincount` does; `sum` may be more exact."""
    total = 0.0
    for number in numbers:
        total += number
    return total
