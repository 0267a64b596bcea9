"""Results of a cohort: Table 1, life tables, incidence, from protected answers.

They take any Ibis relation with one row a patient, as `cohort.relation` gives it, and ask the gateway
ordinary questions. Nothing here protects, and nothing is computed from individual rows.
"""

from p4dp_sdk.cohorts.results.follow_up import Apart, Every, Grid
from p4dp_sdk.cohorts.results.life_table import LifeTable, life_table
from p4dp_sdk.cohorts.results.table_one import TableOne, table_one

__all__ = ["Apart", "Every", "Grid", "LifeTable", "TableOne", "life_table", "table_one"]
