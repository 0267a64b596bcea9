"""Headless runs of approved notebooks, as a project and never as itself: `p4dp-enclave report run`.

CLI (here: commands) ──token of keys/reports──▶ hub (here: handler) ──▶ spawner ──▶ box (here: inside/)
 │  checks template and parameters first            one named server of svc-<project>   papermill, nbconvert
 └──── copies out what the box left (here: collecting, inert): regular files, bounded, rewritten inert
"""
