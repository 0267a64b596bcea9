"""Answers with calibrated noise instead of a threshold: differential privacy, paid from a budget.

`bounds` says what may be asked and how much one patient may add (pure); `statements` reads the bounded
totals from the engine; `mechanism` draws the noise (OpenDP); `noisy` makes the table that may be shown
(pure); `answering` puts an answer together; `action` holds the use cases.

What it guarantees: whatever somebody knows already, and whatever else they asked, an answer of budget ε
changes the odds of any guess about one patient, all of their rows together, by a factor of at most e^ε
(Dwork, McSherry, Nissim & Smith 2006, "Calibrating noise to sensitivity in private data analysis"; pure
ε-DP, patients added or removed). Budgets add up. It is a promise about patients: what hundreds of patients
of one GP have in common it does not hide.

What it costs: noise of standard deviation √2·c/ε in each count, where c is the most that one patient may add;
rows beyond c are left out, so that counts of rows read too low; and a budget that is used up for good.

When to choose it: small cells, of which an ordinary answer would withhold most; a table to stand beside many
others; wherever a proof is asked for. Not to explore: every look costs.
"""
