"""The airlock's screens: HTTP only. What a person may see or do is asked of the airlock's one predicate, what
happens is the actions'; here they are read, put in order and worded.

`routes` says which act each address stands for; `names`, `minutes`, `tables`, `changes` are pure.
"""
