"""The proofs behind the promises: `make prove [TOPIC=run] [QUICK=1]`."""
