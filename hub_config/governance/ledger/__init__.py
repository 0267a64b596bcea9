"""The ledger: what was ever shown of patients, to whom, kept so that no two answers can be subtracted.

`group` is what one measure of one answer leaves behind, and its bytes on disk; `models` are the tables;
`store` reads and appends, one writer at a time; `report` counts for the DPO; `commands` is what is typed.
What may be shown is decided elsewhere (the gateway's rules): nothing here compares patients.
"""
