"""Re-contact: the keys of practices, requests to have their patients told of a study, and the lists, which
nobody but the practice reads as people."""
