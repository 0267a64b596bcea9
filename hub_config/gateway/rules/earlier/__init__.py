"""What earlier answers mean for a new one.

Drafts: `anchors` (what was shown) are compared by `sketches`, in pairs (`rivals`) and in sums (`subsets`,
`additions`), and `snapping` settles what becomes of each new cell. Publications: `precedents`, with sums and
threes (`overlaps`, `triples`), judged by what was asked (`definitions`, from `canonical` and `regions`).
"""
