"""Exports of an invented population, as the vendors of the shipped mappings write them: to try a load with,
and for the tests. Nobody real is in them, and real exports' traps are.
"""
