"""The closed vocabulary of the wire: an Ibis operation that is not named here does not exist for the enclave.

Absent on purpose: user functions, SQL text, randomness, the clock, hashes, engine functions, nested types,
`EXISTS`. Being on the list lets an operation be *said*; whether it may be *run* is decided by the gateway's
rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import ibis.expr.operations as ops
from ibis.common.temporal import DateUnit, IntervalUnit, TimestampUnit, TimeUnit, Unit

_RELATIONS = """
Project Filter Sort Limit Aggregate JoinChain JoinLink JoinReference SelfReference Union Intersection
Difference Distinct DropColumns DropNull FillNull DummyTable Sample
"""
_VALUES = """
Field Literal Alias SortKey Cast TryCast Not And Or Xor Equals NotEquals Greater GreaterEqual Less LessEqual
Between InValues IdenticalTo IsNull NotNull NullIf Coalesce IfElse SimpleCase SearchedCase Bucket InSubquery
ScalarSubquery Add Subtract Multiply Divide FloorDivide Modulus Negate Abs Ceil Floor Round Sign Sqrt Exp Ln
Log Log10 Log2 Power Greatest Least Clip IsNan IsInf ExtractYear ExtractMonth ExtractDay ExtractQuarter
ExtractWeekOfYear ExtractDayOfYear ExtractIsoYear DayOfWeekIndex DateTruncate TimestampTruncate DateAdd
DateSub DateDiff DateDelta IntervalFromInteger DateFromYMD Strftime Lowercase Uppercase Capitalize Strip
LStrip RStrip Substring StrRight StringLength StartsWith EndsWith StringContains StringConcat StringReplace
StringSQLLike StringSQLILike RegexSearch LPad RPad
"""
_WINDOWS = """
WindowFunction WindowBoundary RowNumber MinRank DenseRank PercentRank CumeDist NTile Lag Lead
"""
_REDUCTIONS = """
CountStar Count CountDistinct CountDistinctStar ApproxCountDistinct Sum Mean Median Quantile ApproxMedian
ApproxQuantile StandardDev Variance Correlation Covariance Min Max Any All Arbitrary First Last ArgMin
ArgMax Mode ArrayCollect GroupConcat BitAnd BitOr BitXor
"""

OPERATIONS: Mapping[str, type[ops.Node]] = MappingProxyType(
    {name: getattr(ops, name) for name in (_RELATIONS + _VALUES + _WINDOWS + _REDUCTIONS).split()}
)
UNITS: Mapping[str, type[Unit]] = MappingProxyType(
    {unit.__name__: unit for unit in (DateUnit, TimeUnit, TimestampUnit, IntervalUnit)}
)
