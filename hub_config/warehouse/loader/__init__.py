"""Vendors' files to snapshots: mapping → agreement → source → people and facts → snapshot."""
