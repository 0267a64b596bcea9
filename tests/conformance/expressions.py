"""What analysts write, each beside the same thing in naive pandas, by hand: every engine is asked it all."""

from __future__ import annotations

from tests.conformance.questions.counting import COUNTING
from tests.conformance.questions.dating import DATING
from tests.conformance.questions.following import FOLLOWING
from tests.conformance.questions.joining import JOINING
from tests.conformance.questions.valuing import VALUING

CASES = (*COUNTING, *JOINING, *FOLLOWING, *DATING, *VALUING)
