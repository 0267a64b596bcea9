"""SDK of the P4DP enclave. Lazy (PEP 562): importing it must cost nothing."""
