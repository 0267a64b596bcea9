"""What people see of the hub: their projects, the start of a workspace, refusals. Decides nothing:
governance does.
"""
