"""The compiled core: numbers and arrays, no strings, no clock, no I/O.

The sources are in `ext/tocsin/_core/*.pyx`; the `.pyi` files beside this one are the documentation of what Python sees.
"""
