"""Invented logs to try carelog on; README.md says what each file shows."""
