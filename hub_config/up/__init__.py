"""Start the whole enclave on one machine, keep it running, stop it, leave nothing behind."""
