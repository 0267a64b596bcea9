"""What a table gives away of people, told from its headers, labels and numbers. Pure.

    grid → roles of columns and rows → small groups, totals, rows of persons, extremes, models

It errs to the side of telling, but a table of counts of 11 and more with years, codes and percentages passes
without a blocking finding: a physician's time is what it saves.
"""
