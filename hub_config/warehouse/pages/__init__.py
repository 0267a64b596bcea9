"""Pages about snapshots, for who answers for the data: their quality, and what differs between two. One HTML
file each, figures within, readable offline; French unless `LANG` is English. They hold small numbers and
never leave the enclave; nothing in them is a row or a value.
"""
