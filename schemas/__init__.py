"""The JSON Schemas that ship with carelog: `carelog schema list`."""
